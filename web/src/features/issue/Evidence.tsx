import { useQuery } from "@tanstack/react-query";
import { issueTypes } from "@/api/issueTypes";
import { byteSize, exactNumber } from "@/domain/number";
import { type EvidenceRow, evidenceNumber, evidenceRows, evidenceTime, type Occurrence } from "@/domain/occurrence";
import { absoluteTime, duration } from "@/domain/time";
import { CodeBlock } from "@/ui/CodeBlock";
import { KeyValues } from "@/ui/KeyValues";
import { Skeleton } from "@/ui/Skeleton";
import { Value } from "@/ui/ValueTree";
import styles from "./Evidence.module.css";
import { Section } from "./Section";

/** What a detector found, in place of a stack trace: the facts as a table, then all data as it came. */
export function Evidence({ occurrence, org }: { occurrence: Occurrence; org: string }) {
  const types = useQuery(issueTypes(org));
  // The type says in which order the rows stand, so they wait for it; without it they are shown as they came.
  if (types.isPending) {
    return (
      <Section title="Evidence">
        <Skeleton height={120} />
      </Section>
    );
  }
  const type = types.data?.find(({ type }) => type === occurrence.type);
  const rows = evidenceRows(occurrence, type?.evidence ?? []);
  if (occurrence.resourceId !== null) {
    rows.push({ name: "Resource", value: occurrence.resourceId, format: "text", important: false });
  }
  const hasData = Object.keys(occurrence.data).length > 0;
  return (
    <>
      <Section title="Evidence">
        {occurrence.subtitle && <p className={styles.subtitle}>{occurrence.subtitle}</p>}
        {rows.length > 0 && (
          <KeyValues
            cell={(row) => <EvidenceValue row={row} />}
            rows={rows.map((row): [string, EvidenceRow] => [row.name, row])}
          />
        )}
        {rows.length === 0 && !hasData && <p className={styles.nothing}>Whoever reported it gave no evidence.</p>}
        {type?.description && <p className={styles.about}>{type.description}</p>}
      </Section>
      {hasData && (
        <Section folded title="Evidence data">
          <KeyValues rows={Object.entries(occurrence.data)} />
        </Section>
      )}
    </>
  );
}

/** A value as the type wants it; one that does not fit is shown as it is. */
function EvidenceValue({ row: { name, value, format, important } }: { row: EvidenceRow }) {
  const number = evidenceNumber(value);
  const time = format === "time" ? evidenceTime(value) : null;
  if (format === "code" && typeof value === "string") return <CodeBlock label={name} text={value} wrap />;
  if (format === "number" && number !== null) return <span className={styles.number}>{exactNumber(number)}</span>;
  if (format === "duration_ms" && number !== null) return <span className={styles.number}>{duration(number)}</span>;
  if (format === "bytes" && number !== null) return <span className={styles.number}>{byteSize(number)}</span>;
  if (time !== null) return <time dateTime={time}>{absoluteTime(time)}</time>;
  return (
    <span className={important ? styles.important : undefined}>
      <Value value={value} />
    </span>
  );
}
