import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { ApiError } from "@/api/client";
import type { Key, KeyRequest } from "@/api/models";
import { updateProjectKey } from "@/api/projects";
import { readWhole } from "@/domain/number";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { Field } from "@/ui/Field";
import { notify } from "@/ui/toast";
import styles from "./SettingsPage.module.css";

/** Renames, switches and limits a key. What is wrong is said at the field. */
export function KeyForm({
  org,
  slug,
  clientKey,
  onSaved,
  onClose,
}: {
  org: string;
  slug: string;
  clientKey: Key;
  onSaved: () => void;
  onClose: () => void;
}) {
  const [isLimited, setLimited] = useState(clientKey.rateLimit !== null);
  const save = useMutation({
    mutationFn: (body: KeyRequest) => updateProjectKey(org, slug, clientKey.id, body),
    onSuccess: ({ name }) => {
      notify(`Key ${name} saved`);
      onSaved();
      onClose();
    },
  });
  const [faults, setFaults] = useState<Record<string, string>>({});
  const refused = save.error instanceof ApiError ? save.error.fields : {};
  const errors: Record<string, string> = Object.keys(faults).length > 0 ? faults : refused;
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const found: Record<string, string> = {};
    const number = (name: "count" | "window", least: number) => {
      const read = readWhole(String(form.get(name) ?? ""), least);
      if (typeof read === "number") return read;
      found[`rateLimit.${name}`] = read;
      return 0;
    };
    const body = {
      name: String(form.get("name")).trim(),
      isActive: form.has("isActive"),
      rateLimit: isLimited ? { count: number("count", 0), window: number("window", 1) } : null,
    };
    setFaults(found);
    if (Object.keys(found).length === 0) save.mutate(body);
  };
  return (
    <Dialog onClose={onClose} title={`Change ${clientKey.name}`}>
      <form className={styles.form} noValidate onSubmit={submit}>
        <Field defaultValue={clientKey.name} error={errors.name} label="Name" maxLength={64} name="name" />
        <label className={styles.switch}>
          <input defaultChecked={clientKey.isActive} name="isActive" type="checkbox" />
          Enabled: what comes with it is taken
        </label>
        <label className={styles.switch}>
          <input checked={isLimited} onChange={(event) => setLimited(event.target.checked)} type="checkbox" />
          Limit the errors that come with it
        </label>
        {isLimited && (
          <div className={styles.pair}>
            <Field
              defaultValue={clientKey.rateLimit?.count ?? 1000}
              error={errors["rateLimit.count"]}
              hint="0: none at all"
              label="At most"
              name="count"
              type="number"
            />
            <Field
              defaultValue={clientKey.rateLimit?.window ?? 3600}
              error={errors["rateLimit.window"]}
              label="In each window of, in seconds"
              name="window"
              type="number"
            />
          </div>
        )}
        {(save.isError || Object.keys(faults).length > 0) && (
          <p className={styles.failure} role="alert">
            {Object.keys(errors).length > 0 ? "Not saved: correct the fields that are marked." : save.error?.message}
          </p>
        )}
        <div className={styles.buttons}>
          <Button onClick={onClose}>Cancel</Button>
          <Button busy={save.isPending} look="primary" type="submit">
            Save key
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
