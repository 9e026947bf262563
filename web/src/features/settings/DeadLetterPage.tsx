import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useId, useState } from "react";
import { ApiError } from "@/api/client";
import { deadLetter, discardLetter, lettersKey, replayLetter } from "@/api/deadLetters";
import type { DeadLetterDetail } from "@/api/models";
import { jsonFault } from "@/domain/json";
import { byteSize } from "@/domain/number";
import { absoluteTime } from "@/domain/time";
import { Button, buttonClass } from "@/ui/Button";
import { Chip } from "@/ui/Chip";
import { CodeBlock } from "@/ui/CodeBlock";
import { KeyValues } from "@/ui/KeyValues";
import { Page } from "@/ui/Page";
import { Skeleton } from "@/ui/Skeleton";
import { Failure, State } from "@/ui/State";
import { useShortcuts } from "@/ui/shortcuts";
import { notify, notifyFailure } from "@/ui/toast";
import { useTitle } from "@/ui/useTitle";
import { ConfirmDiscard } from "./ConfirmDiscard";
import styles from "./DeadLetters.module.css";
import settings from "./SettingsPage.module.css";
import { UnsavedChanges } from "./UnsavedChanges";

const route = getRouteApi("/signed-in/settings/$org/projects/$project/dead-letters/$letter");

/** A message that was accepted and could not be handled: why, what it holds, and what to do with it. */
export function DeadLetterPage() {
  const { org, project, letter: id } = route.useParams();
  const letter = useQuery(deadLetter(org, project, id));
  useTitle(`Letter ${id}`, "Dead letters");
  if (letter.isError && !letter.data) {
    if (letter.error instanceof ApiError && letter.error.status === 404)
      return <Gone id={id} org={org} project={project} />;
    return <Failure error={letter.error} isPage retry={letter.refetch} what={`Dead letter ${id}`} />;
  }
  return (
    <Page
      lead={
        <Link params={{ org }} search={{ project }} to="/settings/$org/dead-letters/">
          Dead letters of {project}
        </Link>
      }
      title={`Dead letter ${id}`}
    >
      {letter.data ? <Letter letter={letter.data} org={org} project={project} /> : <Skeleton height={320} />}
    </Page>
  );
}

/** What stands for a letter that somebody, or its replay, was done with. */
function Gone({ org, project, id }: { org: string; project: string; id: string }) {
  return (
    <State
      action={
        <Link className={buttonClass("plain")} params={{ org }} search={{ project }} to="/settings/$org/dead-letters/">
          Show all dead letters of {project}
        </Link>
      }
      icon="letter"
      isPage
      title={`There is no dead letter ${id}`}
    >
      It was replayed or discarded, or there never was one.
    </State>
  );
}

/** Why a payload can't be edited here; `null` when it can. */
function notEditable({ size, encoding, truncated, header, source }: DeadLetterDetail): string | null {
  if (size === 0) return "Nothing is left of this record, so it can only be discarded.";
  if (header === null && /^ingest-events(-backlog)?\//.test(source)) {
    return "The record's own header can't be read, so it can't be given another payload.";
  }
  if (encoding === "base64")
    return "The payload is no text: it is shown in Base64 and can be edited by the command line.";
  if (truncated) return "The payload is longer than what is shown, so it can only be edited by the command line.";
  return null;
}

function Letter({ org, project, letter }: { org: string; project: string; letter: DeadLetterDetail }) {
  const client = useQueryClient();
  const navigate = route.useNavigate();
  const [edited, setEdited] = useState<string | null>(null);
  const [discarding, setDiscarding] = useState(false);
  const obstacle = notEditable(letter);

  const leave = async (said: string) => {
    notify(said);
    await client.invalidateQueries({ queryKey: lettersKey(org, project) });
    await navigate({ to: "/settings/$org/dead-letters/", params: { org }, search: { project }, ignoreBlocker: true });
  };
  const replay = useMutation({
    mutationFn: () => replayLetter(org, project, letter.id, edited ?? undefined),
    onSuccess: () => leave(`Replay of letter ${letter.id} asked for`),
    onError: (error) => notifyFailure("The replay was not asked for.", error),
  });
  const discard = useMutation({
    mutationFn: () => discardLetter(org, project, letter.id),
    onSuccess: () => leave(`Letter ${letter.id} discarded`),
    onError: (error) => notifyFailure("The letter was not discarded.", error),
  });
  const edit = () => obstacle === null && setEdited(letter.payload);
  useShortcuts("Dead letter", [{ key: "e", label: "Edit the payload", run: edit }]);

  return (
    <>
      <p className={styles.message}>{letter.message}</p>
      <KeyValues
        rows={[
          ["Reason", letter.reason],
          ...(letter.place === null ? [] : [["Place", letter.place] as [string, unknown]]),
          ["Refused", absoluteTime(letter.dateCreated)],
          ["Position", letter.source],
          ["Event", letter.eventID],
          ...Object.entries(letter.header ?? {}).filter(([key]) => !["project_id", "event_id"].includes(key)),
        ]}
      />
      <div className={settings.part}>
        <div className={settings.partHead}>
          <h2>Payload</h2>
          <span className={styles.size}>
            {letter.replayRequested && <Chip tone="info">Waiting for its replay</Chip>} {byteSize(letter.payloadSize)}
            {letter.truncated && ", the beginning is shown"}
          </span>
        </div>
        {edited === null ? (
          <CodeBlock label="payload" text={letter.payload} wrap />
        ) : (
          <Editor onChange={setEdited} text={edited} />
        )}
        {obstacle !== null && <p className={styles.note}>{obstacle}</p>}
      </div>
      <div className={styles.decide}>
        <Button look="danger" onClick={() => setDiscarding(true)}>
          Discard
        </Button>
        <span className={styles.gap} />
        {edited === null ? (
          <Button disabled={obstacle !== null} icon="code" onClick={edit} shortcut="e">
            Edit payload
          </Button>
        ) : (
          <Button onClick={() => setEdited(null)}>Cancel editing</Button>
        )}
        <Button
          busy={replay.isPending}
          disabled={letter.size === 0 || edited === ""}
          look="primary"
          onClick={() => replay.mutate()}
        >
          {edited === null ? "Replay" : "Replay as edited"}
        </Button>
      </div>
      <UnsavedChanges exist={edited !== null && edited !== letter.payload} />
      {discarding && (
        <ConfirmDiscard
          onClose={() => setDiscarding(false)}
          onConfirm={() => discard.mutate()}
          subject={`letter ${letter.id}`}
          verb="Discard letter"
        />
      )}
    </>
  );
}

function Editor({ text, onChange }: { text: string; onChange: (text: string) => void }) {
  const id = useId();
  const fault = jsonFault(text);
  return (
    <>
      <textarea
        aria-describedby={id}
        aria-invalid={fault !== null || undefined}
        aria-label="Payload"
        // biome-ignore lint/a11y/noAutofocus: the reader pressed Edit to type here.
        autoFocus
        className={styles.editor}
        onChange={(event) => onChange(event.target.value)}
        rows={16}
        spellCheck={false}
        value={text}
      />
      <p aria-live="polite" className={fault === null ? styles.note : styles.fault} id={id}>
        {fault === null ? "This is valid JSON." : `This is not valid JSON: ${fault}`}
      </p>
    </>
  );
}
