import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";
import type { Key } from "@/api/models";
import { createProjectKey, deleteProjectKey, projectKeys } from "@/api/projects";
import { useAccess } from "@/api/useAccess";
import { limitText } from "@/domain/quota";
import { Button } from "@/ui/Button";
import { Chip } from "@/ui/Chip";
import { CopyButton } from "@/ui/CopyButton";
import { Dialog } from "@/ui/Dialog";
import { Skeleton } from "@/ui/Skeleton";
import { Failure } from "@/ui/State";
import { Time } from "@/ui/Time";
import { notify, notifyFailure } from "@/ui/toast";
import { KeyForm } from "./KeyForm";
import styles from "./SettingsPage.module.css";

/** What SDKs send to the project with: each key is a DSN that can be limited and switched off. */
export function ClientKeys({ org, slug }: { org: string; slug: string }) {
  const client = useQueryClient();
  const keys = useQuery(projectKeys(org, slug));
  const mayDelete = useAccess(org, "project:admin");
  const [edited, setEdited] = useState<Key | null>(null);
  const [doomed, setDoomed] = useState<Key | null>(null);
  const head = useRef<HTMLHeadingElement>(null);
  const reload = () => client.invalidateQueries({ queryKey: projectKeys(org, slug).queryKey });
  const create = useMutation({
    mutationFn: () => createProjectKey(org, slug, freshName(keys.data ?? [])),
    onSuccess: reload,
    onError: (error) => notifyFailure("The key was not created.", error),
  });
  const remove = useMutation({
    mutationFn: (key: Key) => deleteProjectKey(org, slug, key.id),
    onSuccess: async (_, key) => {
      notify(`Key ${key.name} deleted`);
      await reload();
      // The button that had the focus went with its row.
      head.current?.focus();
    },
    onError: (error) => notifyFailure("The key was not deleted.", error),
  });
  return (
    <section aria-labelledby="keys" className={styles.part}>
      <div className={styles.partHead}>
        <h2 id="keys" ref={head} tabIndex={-1}>
          Client keys
        </h2>
        <Button busy={create.isPending} icon="plus" onClick={() => create.mutate()}>
          Create key
        </Button>
      </div>
      {keys.isPending && <Skeleton height={72} />}
      {keys.isError && !keys.data && <Failure error={keys.error} retry={keys.refetch} what="The keys" />}
      {keys.data?.length === 0 && <p className={styles.about}>There is none: nothing can be sent to this project.</p>}
      {mayDelete === false && (
        <p className={styles.about}>Only an owner of the organization (scope project:admin) can delete a key.</p>
      )}
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
                <CopyButton label="Copy DSN" of={key.name} text={key.dsn.public} withWords />
                <Button aria-label={`Change ${key.name}`} onClick={() => setEdited(key)}>
                  Change
                </Button>
                <Button
                  aria-label={`Delete ${key.name}`}
                  disabled={mayDelete === false}
                  look="danger"
                  onClick={() => setDoomed(key)}
                >
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

/** The first of `Key 2`, `Key 3`, … that no key has. */
function freshName(keys: Key[]): string {
  let number = keys.length + 1;
  while (keys.some(({ name }) => name === `Key ${number}`)) number += 1;
  return `Key ${number}`;
}

function rateText({ count, window }: { count: number; window: number }): string {
  return limitText({ limit: count, window, categories: ["error"] });
}
