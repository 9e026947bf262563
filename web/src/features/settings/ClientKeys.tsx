import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { ApiError } from "@/api/client";
import type { Key, KeyRequest } from "@/api/models";
import { createProjectKey, deleteProjectKey, projectKeys, updateProjectKey } from "@/api/projects";
import { limitText } from "@/domain/quota";
import { Button } from "@/ui/Button";
import { Chip } from "@/ui/Chip";
import { CopyButton } from "@/ui/CopyButton";
import { Dialog } from "@/ui/Dialog";
import { Field } from "@/ui/Field";
import { Skeleton } from "@/ui/Skeleton";
import { Failure } from "@/ui/State";
import { Time } from "@/ui/Time";
import { notify, notifyFailure } from "@/ui/toast";
import styles from "./SettingsPage.module.css";

/** What SDKs send to the project with: each key is a DSN that can be limited and switched off. */
export function ClientKeys({ org, slug }: { org: string; slug: string }) {
  const client = useQueryClient();
  const keys = useQuery(projectKeys(org, slug));
  const [edited, setEdited] = useState<Key | null>(null);
  const [doomed, setDoomed] = useState<Key | null>(null);
  const reload = () => client.invalidateQueries({ queryKey: projectKeys(org, slug).queryKey });
  const create = useMutation({
    mutationFn: () => createProjectKey(org, slug, `Key ${(keys.data?.length ?? 0) + 1}`),
    onSuccess: reload,
    onError: (error) => notifyFailure("The key was not created.", error),
  });
  const remove = useMutation({
    mutationFn: (key: Key) => deleteProjectKey(org, slug, key.id),
    onSuccess: (_, key) => notify(`Key ${key.name} deleted`),
    onError: (error) => notifyFailure("The key was not deleted.", error),
    onSettled: reload,
  });
  return (
    <section aria-labelledby="keys" className={styles.part}>
      <div className={styles.partHead}>
        <h2 id="keys">Client keys</h2>
        <Button busy={create.isPending} icon="plus" onClick={() => create.mutate()}>
          Create key
        </Button>
      </div>
      {keys.isPending && <Skeleton height={72} />}
      {keys.isError && !keys.data && <Failure error={keys.error} retry={keys.refetch} what="The keys" />}
      {keys.data?.length === 0 && <p className={styles.about}>There is none: nothing can be sent to this project.</p>}
      {keys.data && keys.data.length > 0 && (
        <ul className={styles.rows}>
          {keys.data.map((key) => (
            <li className={styles.row} key={key.id}>
              <div className={styles.words}>
                <p className={styles.name}>
                  {key.name} {!key.isActive && <Chip tone="warning">Disabled</Chip>}
                </p>
                <p className={styles.meta}>
                  <code>{key.dsn.public}</code>
                  {key.rateLimit && <span>errors: {rateText(key.rateLimit)}</span>}
                  <span>
                    created <Time value={key.dateCreated} />
                  </span>
                </p>
              </div>
              <div className={styles.links}>
                <CopyButton label={`Copy DSN of ${key.name}`} text={key.dsn.public} withWords />
                <Button aria-label={`Change ${key.name}`} onClick={() => setEdited(key)}>
                  Change
                </Button>
                <Button aria-label={`Delete ${key.name}`} look="danger" onClick={() => setDoomed(key)}>
                  Delete
                </Button>
              </div>
            </li>
          ))}
        </ul>
      )}
      {edited && <KeyForm clientKey={edited} onClose={() => setEdited(null)} onSaved={reload} org={org} slug={slug} />}
      {doomed && (
        <Dialog onClose={() => setDoomed(null)} title={`Delete ${doomed.name}?`}>
          <div className={styles.form}>
            <p>What applications send with this DSN is refused at once. Their events stay. This can't be undone.</p>
            <div className={styles.buttons}>
              <Button onClick={() => setDoomed(null)}>Keep it</Button>
              <Button
                look="danger"
                onClick={() => {
                  remove.mutate(doomed);
                  setDoomed(null);
                }}
              >
                Delete key
              </Button>
            </div>
          </div>
        </Dialog>
      )}
    </section>
  );
}

function rateText({ count, window }: { count: number; window: number }): string {
  return limitText({ limit: count, window, categories: ["error"] });
}

function KeyForm({
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
  const errors = save.error instanceof ApiError ? save.error.fields : {};
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const number = (name: string) => Math.max(0, Math.trunc(Number(form.get(name))) || 0);
    save.mutate({
      name: String(form.get("name")).trim(),
      isActive: form.has("isActive"),
      rateLimit: isLimited ? { count: number("count"), window: number("window") } : null,
    });
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
        {save.isError && (
          <p className={styles.failure} role="alert">
            {Object.keys(errors).length > 0 ? "Not saved: correct the fields that are marked." : save.error.message}
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
