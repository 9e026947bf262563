import { type FormEvent, useState } from "react";
import type { IssueDetail } from "@/api/models";
import { ARCHIVES, untilEvents, untilUsers, WINDOWS } from "@/domain/archive";
import { duration } from "@/domain/duration";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { Field } from "@/ui/Field";
import { Menu } from "@/ui/Menu";
import styles from "./ArchiveMenu.module.css";
import { useIssueActions } from "./useIssueActions";

const COUNTED = {
  events: {
    label: "Until it occurs again…",
    title: "Archive until it occurs again",
    field: "More events",
    most: 1_000_000,
  },
  users: {
    label: "Until it affects users…",
    title: "Archive until it affects users",
    field: "More users",
    most: 1_000,
  },
} as const;

type Counted = keyof typeof COUNTED;

/** The ways to archive an issue besides the usual one. */
export function ArchiveMenu({ org, issue }: { org: string; issue: IssueDetail }) {
  const { archive } = useIssueActions(org, issue);
  const [asking, setAsking] = useState<Counted | null>(null);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const [count, window] = [Number(form.get("count")), Number(form.get("window"))];
    archive(asking === "users" ? untilUsers(count, window) : untilEvents(count, window));
    setAsking(null);
  };
  return (
    <>
      <Menu
        face="Until…"
        items={[
          ...ARCHIVES.map((way) => ({ label: way.label, onSelect: () => archive(way) })),
          ...(Object.keys(COUNTED) as Counted[]).map((what) => ({
            label: COUNTED[what].label,
            onSelect: () => setAsking(what),
          })),
        ]}
        label="Archive until"
      />
      {asking && (
        <Dialog onClose={() => setAsking(null)} title={COUNTED[asking].title}>
          <form className={styles.form} onSubmit={submit}>
            <Field
              defaultValue={10}
              label={COUNTED[asking].field}
              max={COUNTED[asking].most}
              min={1}
              name="count"
              required
              type="number"
            />
            <label className={styles.label}>
              Within
              <select defaultValue={0} name="window">
                {WINDOWS.map((minutes) => (
                  <option key={minutes} value={minutes}>
                    {minutes === 0 ? "any time" : duration(minutes)}
                  </option>
                ))}
              </select>
            </label>
            <div className={styles.buttons}>
              <Button onClick={() => setAsking(null)}>Cancel</Button>
              <Button look="primary" type="submit">
                Archive
              </Button>
            </div>
          </form>
        </Dialog>
      )}
    </>
  );
}
