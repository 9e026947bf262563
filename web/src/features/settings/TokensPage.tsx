import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { deleteToken, tokens as tokensQuery } from "@/api/account";
import type { ApiToken, CreatedToken } from "@/api/models";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { Page } from "@/ui/Page";
import { Skeleton } from "@/ui/Skeleton";
import { Failure, State } from "@/ui/State";
import { Time } from "@/ui/Time";
import { notify, notifyFailure } from "@/ui/toast";
import { useTitle } from "@/ui/useTitle";
import { CreateToken } from "./CreateToken";
import { Secret } from "./Secret";
import styles from "./SettingsPage.module.css";

/** Personal tokens of whoever is signed in. */
export function TokensPage() {
  const client = useQueryClient();
  const tokens = useQuery(tokensQuery);
  const [creating, setCreating] = useState(false);
  const [created, setCreated] = useState<CreatedToken | null>(null);
  const [doomed, setDoomed] = useState<ApiToken | null>(null);
  useTitle("Access tokens");

  const remove = useMutation({
    mutationFn: (token: ApiToken) => deleteToken(token.id),
    onSuccess: (_, token) => {
      notify(`Token ${token.name} deleted`);
      if (created?.id === token.id) setCreated(null);
    },
    onError: (error) => notifyFailure("The token was not deleted.", error),
    onSettled: () => client.invalidateQueries({ queryKey: tokensQuery.queryKey }),
  });

  return (
    <Page
      action={
        <Button icon="plus" look="primary" onClick={() => setCreating(true)}>
          Create token
        </Button>
      }
      lead="A token lets programs, such as sentry-cli or a build, use the API in your name."
      title="Access tokens"
    >
      {created && <Secret token={created.token} />}
      {tokens.isPending && <Skeleton height={120} />}
      {tokens.isError && !tokens.data && <Failure error={tokens.error} retry={tokens.refetch} what="The tokens" />}
      {tokens.data?.length === 0 && (
        <State icon="key" title="No tokens">
          Create one for each program, so that you can take it away from one alone.
        </State>
      )}
      {tokens.data && tokens.data.length > 0 && (
        <ul className={styles.rows}>
          {tokens.data.map((token) => (
            <li className={styles.row} key={token.id}>
              <div className={styles.words}>
                <p className={styles.name}>{token.name || "Unnamed token"}</p>
                <p className={styles.meta}>
                  {token.tokenLastCharacters && <code>…{token.tokenLastCharacters}</code>}
                  <span>
                    created <Time value={token.dateCreated} />
                  </span>
                  <span>{token.scopes.join(" ")}</span>
                </p>
              </div>
              <Button aria-label={`Delete ${token.name}`} look="danger" onClick={() => setDoomed(token)}>
                Delete
              </Button>
            </li>
          ))}
        </ul>
      )}
      {creating && (
        <CreateToken
          onClose={() => setCreating(false)}
          onCreated={(token) => {
            setCreated(token);
            setCreating(false);
          }}
        />
      )}
      {doomed && (
        <Dialog onClose={() => setDoomed(null)} title={`Delete ${doomed.name || "this token"}?`}>
          <div className={styles.form}>
            <p>Programs that use it are refused at once. This can't be undone.</p>
            <div className={styles.buttons}>
              <Button onClick={() => setDoomed(null)}>Keep it</Button>
              <Button
                look="danger"
                onClick={() => {
                  remove.mutate(doomed);
                  setDoomed(null);
                }}
              >
                Delete token
              </Button>
            </div>
          </div>
        </Dialog>
      )}
    </Page>
  );
}
