import { asCurl, fullUrl } from "@/domain/curl";
import type { Request } from "@/domain/event";
import { CodeBlock } from "@/ui/CodeBlock";
import { CopyButton } from "@/ui/CopyButton";
import { KeyValues } from "@/ui/KeyValues";
import { Value } from "@/ui/ValueTree";
import styles from "./RequestSection.module.css";
import { Section } from "./Section";

/** The HTTP request that was served when it happened. */
export function RequestSection({ request }: { request: Request }) {
  const parts: [string, [string, unknown][]][] = [
    ["Query", request.query],
    ["Headers", request.headers],
    ["Cookies", request.cookies],
    ["Environment", Object.entries(request.env ?? {})],
  ];
  return (
    <Section
      title="Request"
      tools={request.url && <CopyButton label="Copy as curl" text={() => asCurl(request)} withWords />}
    >
      {request.url && (
        <p className={styles.line}>
          <span className={styles.method}>{request.method ?? "GET"}</span>
          <Value value={fullUrl(request)} />
        </p>
      )}
      {request.body !== null && (
        <div className={styles.part}>
          <h3>Body</h3>
          {typeof request.body === "string" ? (
            <CodeBlock label="body" text={request.body} wrap />
          ) : (
            <Value value={request.body} />
          )}
        </div>
      )}
      {parts.map(([title, rows]) =>
        rows.length === 0 ? null : (
          <div className={styles.part} key={title}>
            <h3>{title}</h3>
            <KeyValues rows={rows} />
          </div>
        ),
      )}
    </Section>
  );
}
