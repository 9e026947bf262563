import type { Report } from "@/domain/report";
import { CodeBlock } from "@/ui/CodeBlock";
import { KeyValues } from "@/ui/KeyValues";
import styles from "./ReportSection.module.css";
import { Section } from "./Section";

/** What a browser reported by itself. Addresses in it are where somebody was kept from going, so none of them is a link. */
export function ReportSection({ report }: { report: Report }) {
  return (
    <Section title={report.title}>
      <KeyValues cell={(text) => <span className={styles.text}>{text}</span>} rows={report.facts} />
      {report.texts.map(({ name, text }) => (
        <details className={styles.long} key={name}>
          <summary>{name}</summary>
          <CodeBlock label={name.toLowerCase()} text={text} wrap />
        </details>
      ))}
    </Section>
  );
}
