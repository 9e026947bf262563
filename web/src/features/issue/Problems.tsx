import type { Event } from "@/domain/event";
import { KeyValues } from "@/ui/KeyValues";
import styles from "./Problems.module.css";
import { Section } from "./Section";

const WORDS: Record<string, string> = {
  clock_drift: "The client's clock was wrong; the time was corrected",
  future_timestamp: "The event said that it happened in the future",
  invalid_attribute: "A member is not known",
  invalid_data: "A value could not be understood and was left out",
  js_no_source: "A source file or its map was not found",
  missing_attribute: "A member that is needed was missing",
  past_timestamp: "The event said that it happened too long ago",
  value_too_long: "A value was too long and was cut",
};

/** What was dropped, cut or not understood while the event was read. */
export function Problems({ problems }: { problems: Event["problems"] }) {
  return (
    <Section size={problems.length} title="Processing problems">
      <ul className={styles.list}>
        {problems.map(({ type, message, data }, index) => (
          <li key={index}>
            <p className={styles.text}>
              {message ?? WORDS[type] ?? type.replaceAll("_", " ")} <code>{type}</code>
            </p>
            {data && Object.keys(data).length > 0 && <KeyValues rows={Object.entries(data)} />}
          </li>
        ))}
      </ul>
    </Section>
  );
}
