import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import type { ApiToken, CreatedToken } from "@/api/models";
import { createProjectToken, deleteProjectToken, projectTokens } from "@/api/projectTokens";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { Field } from "@/ui/Field";
import { Skeleton } from "@/ui/Skeleton";
import { Failure } from "@/ui/State";
import { Time } from "@/ui/Time";
import { notify, notifyFailure } from "@/ui/toast";
import { Secret } from "./Secret";
import styles from "./SettingsPage.module.css";

/** What detectors send occurrences to the project with. */
export function ProjectTokens({ org, slug }: { org: string; slug: string }) {
  const client = useQueryClient();
  const tokens = useQuery(projectTokens(org, slug));
  const [creating, setCreating] = useState(false);
  const [created, setCreated] = useState<CreatedToken | null>(null);
  const [doomed, setDoomed] = useState<ApiToken | null>(null);
  const reload = () => client.invalidateQueries({ queryKey: projectTokens(org, slug).queryKey });
  const create = useMutation({
    mutationFn: (name: string) => createProjectToken(org, slug, name),
    onSuccess: (token) => {
      setCreated(token);
      setCreating(false);
      return reload();
    },
  });
  const revoke = useMutation({
    mutationFn: (token: ApiToken) => deleteProjectToken(org, slug, token.id),
    onSuccess: (_, token) => {
      notify(`Token ${token.name} revoked`);
      if (created?.id === token.id) setCreated(null);
    },
    onError: (error) => notifyFailure("The token was not revoked.", error),
    onSettled: reload,
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    create.mutate(String(new FormData(event.currentTarget).get("name")).trim());
  };
  return (
    <section aria-labelledby="tokens" className={styles.part}>
      <div className={styles.partHead}>
        <h2 id="tokens">Project tokens</h2>
        <Button icon="plus" onClick={() => setCreating(true)}>
          Create project token
        </Button>
      </div>
      <p className={styles.about}>A detector sends occurrences to this project with one, and can do nothing else.</p>
      {created && <Secret token={created.token} />}
      {tokens.isPending && <Skeleton height={72} />}
      {tokens.isError && !tokens.data && (
        <Failure error={tokens.error} retry={tokens.refetch} what="The project tokens" />
      )}
      {tokens.data?.length === 0 && <p className={styles.about}>There are none yet.</p>}
      {tokens.data && tokens.data.length > 0 && (
        <ul className={styles.rows}>
          {tokens.data.map((token) => (
            <li className={styles.row} key={token.id}>
              <div className={styles.words}>
                <p className={styles.name}>{token.name}</p>
                <p className={styles.meta}>
                  {token.tokenLastCharacters && <code>…{token.tokenLastCharacters}</code>}
                  <span>
                    created <Time value={token.dateCreated} />
                  </span>
                </p>
              </div>
              <Button aria-label={`Revoke ${token.name}`} look="danger" onClick={() => setDoomed(token)}>
                Revoke
              </Button>
            </li>
          ))}
        </ul>
      )}
      {creating && (
        <Dialog onClose={() => setCreating(false)} title="Create project token">
          <form className={styles.form} onSubmit={submit}>
            <Field
              hint="What will use it, for example: backup hosts"
              label="Name"
              maxLength={64}
              name="name"
              required
            />
            {create.isError && (
              <p className={styles.failure} role="alert">
                {create.error.message}
              </p>
            )}
            <div className={styles.buttons}>
              <Button onClick={() => setCreating(false)}>Cancel</Button>
              <Button busy={create.isPending} look="primary" type="submit">
                Create token
              </Button>
            </div>
          </form>
        </Dialog>
      )}
      {doomed && (
        <Dialog onClose={() => setDoomed(null)} title={`Revoke ${doomed.name}?`}>
          <div className={styles.form}>
            <p>Detectors that use it are refused at once. This can't be undone.</p>
            <div className={styles.buttons}>
              <Button onClick={() => setDoomed(null)}>Keep it</Button>
              <Button
                look="danger"
                onClick={() => {
                  revoke.mutate(doomed);
                  setDoomed(null);
                }}
              >
                Revoke token
              </Button>
            </div>
          </div>
        </Dialog>
      )}
    </section>
  );
}
