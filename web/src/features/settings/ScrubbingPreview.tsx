import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { ApiError } from "@/api/client";
import type { ScrubbingPreviewRequest } from "@/api/models";
import { previewScrubbing } from "@/api/privacy";
import { jsonFaults, listFaults } from "@/domain/faults";
import { jsonFault } from "@/domain/json";
import { writeLines } from "@/domain/lines";
import { Button } from "@/ui/Button";
import { Cell, Table } from "@/ui/Table";
import styles from "./SettingsPage.module.css";
import { TextArea } from "./TextArea";

const SAMPLE = JSON.stringify(
  {
    message: "Payment of jane@example.com failed",
    extra: { password: "hunter2", note: "card 4111 1111 1111 1111" },
    request: { headers: { Authorization: "Bearer abc" } },
    user: { id: "42", ip_address: "203.0.113.7" },
  },
  null,
  2,
);

/** Shows what the settings in hand would take out of an event, before anybody saves them. */
export function ScrubbingPreview({
  org,
  slug,
  settings,
}: {
  org: string;
  slug: string;
  settings: ScrubbingPreviewRequest;
}) {
  const [text, setText] = useState(SAMPLE);
  const id = text.trim();
  const isId = /^[0-9a-f-]{32,36}$/i.test(id);
  const fault = isId ? null : jsonFault(text);
  const trial = { settings, text };
  const preview = useMutation({
    mutationFn: ({ settings, text }: typeof trial) =>
      previewScrubbing(org, slug, { ...settings, ...(isId ? { eventID: id } : { event: JSON.parse(text) }) }),
  });
  // What a trial showed is of the settings and the event that it was made with.
  const isOld = !preview.isIdle && JSON.stringify(preview.variables) !== JSON.stringify(trial);
  const fields = preview.error instanceof ApiError ? preview.error.fields : {};
  const faults = [
    ["Sensitive words", listFaults(fields, "sensitiveFields", writeLines(settings.sensitiveFields ?? []))],
    ["Safe fields", listFaults(fields, "safeFields", writeLines(settings.safeFields ?? []))],
    ["Advanced rules", jsonFaults(fields, "relayPiiConfig", settings.relayPiiConfig ?? "")],
    ["Event", jsonFaults(fields, isId ? "eventID" : "event", text)],
  ].filter(([, words]) => words);
  return (
    <section aria-labelledby="preview" className={styles.part}>
      <div className={styles.partHead}>
        <h2 id="preview">Try the settings above</h2>
      </div>
      <div className={styles.form}>
        <TextArea
          error={fault === null ? undefined : `This is neither an event's id nor valid JSON: ${fault}`}
          isCode
          label="Event"
          note="An event as an SDK sends it, or the id of one that is stored, which was scrubbed before it was"
          onChange={setText}
          rows={10}
          value={text}
        />
        <div className={styles.buttons}>
          <Button busy={preview.isPending} disabled={fault !== null} onClick={() => preview.mutate(trial)}>
            Show what they take out
          </Button>
        </div>
        {isOld && (
          <p className={styles.about} role="status">
            The settings or the event were changed since they were tried: try them again.
          </p>
        )}
        {preview.isError && !isOld && (
          <div className={`${styles.failure} ${styles.faults}`} role="alert">
            {faults.length === 0 && <p>{preview.error.message}</p>}
            {faults.map(([setting, words]) => (
              <p key={setting}>
                {setting}: {words}
              </p>
            ))}
          </div>
        )}
        {preview.data && !isOld && (
          <div aria-live="polite">
            {preview.data.filtered !== null && (
              <p className={styles.about}>
                An inbound filter drops this event: <code>{preview.data.filtered}</code>
              </p>
            )}
            {preview.data.count === 0 ? <p>Nothing would be taken out.</p> : <Changes changes={preview.data.changes} />}
          </div>
        )}
      </div>
    </section>
  );
}

interface Change {
  path: string;
  rule: string;
  kind: string;
  before?: unknown;
  after?: unknown;
}

function Changes({ changes }: { changes: Change[] }) {
  const shown = (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value));
  return (
    <Table
      cards
      wrap
      columns={[{ name: "Where" }, { name: "Rule" }, { name: "Before" }, { name: "Afterwards" }]}
      label="What would be taken out"
    >
      {changes.map((change, index) => (
        <tr key={index}>
          <Cell name="Where">
            <code>{change.path}</code>
          </Cell>
          <Cell name="Rule">
            <code>{change.rule}</code>
          </Cell>
          <Cell name="Before">{shown(change.before)}</Cell>
          <Cell name="Afterwards">{change.kind === "x" ? <em>removed</em> : shown(change.after)}</Cell>
        </tr>
      ))}
    </Table>
  );
}
