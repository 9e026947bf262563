import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const css = readFileSync(new URL("./tokens.css", import.meta.url), "utf8");

/** The table: name → [light, dark]. */
const tokens = new Map(
  [...css.matchAll(/--([\w-]+): light-dark\((#\w+), (#\w+)\)/g)].map(([, name = "", light = "", dark = ""]) => [
    name,
    [light, dark] as const,
  ]),
);

const TEXTS = ["text", "text-soft", "text-faint"];
const GROUNDS = ["frame", "canvas", "panel", "overlay", "hover", "selected", "inset"];
const SYNTAX = ["keyword", "string", "number", "comment", "name"].map((kind) => `syntax-${kind}`);
const LEVELS = ["fatal", "error", "warning", "info", "debug", "ok"];

/** WCAG 2.2: 4.5:1 for text, 3:1 for the outline of a control and for marks that carry meaning. */
const PAIRS: [string, string, number][] = [
  ...TEXTS.flatMap((text) => GROUNDS.map((ground): [string, string, number] => [text, ground, 4.5])),
  ...GROUNDS.map((ground): [string, string, number] => ["accent", ground, 4.5]),
  ["on-accent", "accent", 4.5],
  ["on-accent", "accent-strong", 4.5],
  ["accent", "accent-soft", 4.5],
  ...LEVELS.flatMap((level): [string, string, number][] => [
    [level, `${level}-soft`, 4.5],
    [level, "canvas", 4.5],
    [level, "hover", 4.5],
    [level, "panel", 4.5],
  ]),
  ["text", "warning-soft", 4.5],
  ["text-soft", "warning-soft", 4.5],
  ["text", "ok-soft", 4.5],
  ["text-soft", "debug-soft", 4.5],
  ...SYNTAX.flatMap((kind): [string, string, number][] => [
    [kind, "code", 4.5],
    [kind, "code-line", 4.5],
    [kind, "canvas", 4.5],
  ]),
  ["text", "code", 4.5],
  ["text", "code-line", 4.5],
  ["text-faint", "code", 4.5],
  ["control", "canvas", 3],
  ["control", "panel", 3],
  ["control", "overlay", 3],
  ["bar", "canvas", 3],
  ["bar-strong", "canvas", 3],
];

describe.each([
  ["light", 0],
  ["dark", 1],
] as const)("the %s theme", (_, index) => {
  it.each(PAIRS)("keeps %s readable on %s", (front, back, least) => {
    const [a, b] = [tokens.get(front)?.[index], tokens.get(back)?.[index]];
    if (a === undefined || b === undefined) throw new Error(`no token ${front} or ${back}`);
    expect(contrast(a, b)).toBeGreaterThanOrEqual(least);
  });
});

function contrast(a: string, b: string): number {
  const [darker = 0, lighter = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (lighter + 0.05) / (darker + 0.05);
}

function luminance(hex: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((start) => {
    const channel = Number.parseInt(hex.slice(start, start + 2), 16) / 255;
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
