import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { FormEvent } from "react";
import { createToken, tokens } from "@/api/account";
import type { CreatedToken } from "@/api/models";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { Field } from "@/ui/Field";
import styles from "./SettingsPage.module.css";

/** What a token may do, as the API names it (reference/web-api.md §1.2). */
const SCOPES = [
  "org:read",
  "org:write",
  "org:admin",
  "org:ci",
  "project:read",
  "project:write",
  "project:admin",
  "project:releases",
  "team:read",
  "team:write",
  "member:read",
  "member:write",
  "event:read",
  "event:write",
  "event:admin",
  "occurrence:write",
];
const PRESET = new Set(["org:read", "project:read", "project:releases", "event:read", "event:write"]);

export function CreateToken({ onClose, onCreated }: { onClose: () => void; onCreated: (token: CreatedToken) => void }) {
  const client = useQueryClient();
  const create = useMutation({
    mutationFn: ({ name, scopes }: { name: string; scopes: string[] }) => createToken(name, scopes),
    onSuccess: async (token) => {
      await client.invalidateQueries({ queryKey: tokens.queryKey });
      onCreated(token);
    },
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    create.mutate({ name: String(form.get("name")).trim(), scopes: form.getAll("scope").map(String) });
  };
  return (
    <Dialog onClose={onClose} title="Create token">
      <form className={styles.form} onSubmit={submit}>
        <Field
          autoFocus
          hint="What will use it, for example: build server"
          label="Name"
          maxLength={64}
          name="name"
          required
        />
        <fieldset className={styles.scopes}>
          <legend>It may</legend>
          {SCOPES.map((scope) => (
            <label key={scope}>
              <input defaultChecked={PRESET.has(scope)} name="scope" type="checkbox" value={scope} />
              {scope}
            </label>
          ))}
        </fieldset>
        {create.isError && (
          <p className={styles.failure} role="alert">
            {create.error.message}
          </p>
        )}
        <div className={styles.buttons}>
          <Button onClick={onClose}>Cancel</Button>
          <Button busy={create.isPending} look="primary" type="submit">
            Create token
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
