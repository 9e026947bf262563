import type { Event } from "@/domain/event";
import { CodeBlock } from "@/ui/CodeBlock";
import { Time } from "@/ui/Time";
import { Section } from "./Section";
import styles from "./UserReport.module.css";

/** What the user said about the event. */
export function UserReport({ report }: { report: NonNullable<Event["userReport"]> }) {
  const who = [report.name, report.email].filter((part) => part !== null).join(", ");
  return (
    <Section title="User report">
      <p className={styles.who}>
        {who === "" ? "Somebody" : who}
        {report.dateCreated !== null && (
          <>
            {" · "}
            <Time value={report.dateCreated} />
          </>
        )}
      </p>
      {report.comments === null ? (
        <p>They said nothing.</p>
      ) : (
        <CodeBlock label="comments" text={report.comments} wrap />
      )}
    </Section>
  );
}
