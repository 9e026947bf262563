import type { ReactNode } from "react";
import styles from "./Chip.module.css";

export type Tone = "fatal" | "error" | "warning" | "info" | "debug" | "ok" | "plain";

const LEVELS = new Set(["fatal", "error", "warning", "info", "debug"]);

/** The tone of a level; one that is not known is told by its name and left without colour. */
export function levelTone(level: string | null): Tone {
  if (level === "sample" || level === "log") return "info";
  return level !== null && LEVELS.has(level) ? (level as Tone) : "plain";
}

/** A small word with a meaning: colour is the second cue, never the only one. */
export function Chip({ tone = "plain", tip, children }: { tone?: Tone; tip?: string; children: ReactNode }) {
  return (
    <span className={`${styles.chip} ${styles[tone]}`} data-tip={tip}>
      {children}
    </span>
  );
}

/** The level at the head of a row or a page: a mark in its colour, its name for readers and in the tooltip. */
export function LevelMark({ level }: { level: string | null }) {
  const name = level ?? "unknown";
  return (
    <span className={`${styles.level} ${styles[levelTone(level)]}`} data-tip={`Level: ${name}`}>
      <span className="quiet">Level {name}</span>
    </span>
  );
}
