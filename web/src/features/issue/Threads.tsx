import { useState } from "react";
import type { Thread } from "@/domain/event";
import { rawFrames } from "@/domain/eventText";
import { Chip } from "@/ui/Chip";
import { CodeBlock } from "@/ui/CodeBlock";
import { useStackReading } from "./Exceptions";
import { Section } from "./Section";
import { StackFrames } from "./StackFrames";
import styles from "./Threads.module.css";

/** The threads of the process, the crashed one first. */
export function Threads({ threads, platform }: { threads: Thread[]; platform: string | null }) {
  const ordered = threads.toSorted(
    (a, b) => Number(b.crashed) - Number(a.crashed) || Number(b.current) - Number(a.current),
  );
  const [at, setAt] = useState(0);
  const { form, filter, order } = useStackReading();
  const thread = ordered[at];
  return (
    <Section folded={threads.every(({ frames }) => frames === null)} size={threads.length} title="Threads">
      <ul className={styles.list}>
        {ordered.map((each, index) => (
          <li key={index}>
            <button type="button" aria-pressed={index === at} className={styles.thread} onClick={() => setAt(index)}>
              <span className={styles.name}>{each.name ?? `Thread ${each.id ?? index}`}</span>
              {each.state && <span className={styles.state}>{each.state}</span>}
              {each.crashed && <Chip tone="error">Crashed</Chip>}
              {each.current && !each.crashed && <Chip>Current</Chip>}
              {each.main && <Chip>Main</Chip>}
            </button>
          </li>
        ))}
      </ul>
      {thread?.frames ? (
        form === "raw" ? (
          <CodeBlock label="thread" text={rawFrames(thread.frames, platform)} />
        ) : (
          <StackFrames
            anchor={`thread-${at}`}
            filter={filter}
            frames={thread.frames}
            key={at}
            opened={false}
            order={order}
            platform={platform}
          />
        )
      ) : (
        <p className={styles.none}>
          {thread?.crashed ? "Its stack is the one of the exception above." : "No stack was sent for this thread."}
        </p>
      )}
    </Section>
  );
}
