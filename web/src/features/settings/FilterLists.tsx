import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { ApiError } from "@/api/client";
import type { ProjectDetail } from "@/api/models";
import { updateOptions } from "@/api/privacy";
import { project as projectQuery } from "@/api/projects";
import { changed } from "@/domain/changed";
import { listFaults } from "@/domain/faults";
import { Button } from "@/ui/Button";
import { notify } from "@/ui/toast";
import styles from "./SettingsPage.module.css";
import { TextArea } from "./TextArea";
import { UnsavedChanges } from "./UnsavedChanges";
import { useFaultFocus } from "./useFaultFocus";

const LISTS = [
  ["filters:blacklisted_ips", "IP addresses, one a line", "Addresses, or networks such as 10.0.0.0/8"],
  ["filters:releases", "Releases, one a line", "Names, or globs such as 1.*"],
  ["filters:error_messages", "Error messages, one a line", "Globs of messages, or of Type: value, such as TypeError*"],
  ["filters:log_messages", "Log messages, one a line", "Globs of the bodies of log lines, such as heartbeat*"],
  ["filters:trace_metric_names", "Trace metrics, one a line", "Globs of names, such as debug.*"],
  [
    "sentry:csp_ignored_sources",
    "Sources of content policy reports, one a line",
    "Reports that this content violates the policy are dropped; such as cdn.example.com or https://*.example.com",
  ],
] as const;

/** Whether reports about well-known sources, such as extensions, are dropped. */
const CSP_DEFAULTS = "sentry:csp_ignored_sources_defaults";

type Options = Record<string, string | boolean>;

/** What drops events by lists that people write. Only what was changed is sent: the rest may have been changed by
 * somebody else since. */
export function FilterLists({ org, project }: { org: string; project: ProjectDetail }) {
  const client = useQueryClient();
  const [edits, setEdits] = useState<Options>({});
  const current: Options = {
    ...Object.fromEntries(LISTS.map(([name]) => [name, String(project.options[name] ?? "")])),
    [CSP_DEFAULTS]: project.options[CSP_DEFAULTS] !== false,
  };
  const shown = { ...current, ...edits };
  const changes = changed(current, shown);
  const save = useMutation({
    mutationFn: (options: Partial<Options>) => updateOptions(org, project.slug, { options }),
    onSuccess: (saved) => {
      notify("Lists saved");
      client.setQueryData(projectQuery(org, project.slug).queryKey, saved);
      setEdits({});
    },
  });
  const fields = save.error instanceof ApiError ? save.error.fields : {};
  // A fault is one of the text that was sent, until that is edited.
  const faultOf = (name: string) =>
    save.variables?.[name] === shown[name] ? listFaults(fields, `options.${name}`, String(shown[name])) : undefined;
  const isAsSent = Object.entries(save.variables ?? {}).every(([name, value]) => shown[name] === value);
  const form = useFaultFocus(save.error);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    save.mutate(changes);
  };
  const isDirty = Object.keys(changes).length > 0;
  return (
    <section aria-labelledby="lists" className={styles.part}>
      <div className={styles.partHead}>
        <h2 id="lists">Lists</h2>
      </div>
      <form className={styles.form} onSubmit={submit} ref={form}>
        {LISTS.map(([name, label, note]) => (
          <TextArea
            error={faultOf(name)}
            key={name}
            label={label}
            note={note}
            onChange={(value) => setEdits({ ...edits, [name]: value })}
            value={String(shown[name])}
          />
        ))}
        <label className={styles.switch}>
          <input
            checked={shown[CSP_DEFAULTS] === true}
            onChange={(event) => setEdits({ ...edits, [CSP_DEFAULTS]: event.target.checked })}
            type="checkbox"
          />
          <span>
            Usual sources of content policy reports
            <span className={styles.meta}>Also drop reports about extensions, about: pages and the like</span>
          </span>
        </label>
        {save.isError && isAsSent && (
          <p className={styles.failure} role="alert">
            {Object.keys(fields).length > 0
              ? "Not saved: correct the fields that are marked."
              : `Not saved: ${save.error.message}`}
          </p>
        )}
        <div className={styles.buttons}>
          <Button busy={save.isPending} disabled={!isDirty} look="primary" type="submit">
            Save lists
          </Button>
        </div>
      </form>
      <UnsavedChanges exist={isDirty} />
    </section>
  );
}
