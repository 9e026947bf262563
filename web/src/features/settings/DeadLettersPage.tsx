import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useRef, useState } from "react";
import {
  deadLetters,
  discardLetters,
  firstWithLetters,
  type LetterSearch,
  letterReasons,
  lettersKey,
  replayLetters,
} from "@/api/deadLetters";
import type { DeadLetter, Project } from "@/api/models";
import { projects as projectsQuery } from "@/api/projects";
import { letterKind } from "@/domain/deadLetter";
import { byteSize, count } from "@/domain/number";
import { Button } from "@/ui/Button";
import { Chip } from "@/ui/Chip";
import { Choice, Choices } from "@/ui/Choice";
import { Page } from "@/ui/Page";
import { Pager } from "@/ui/Pager";
import { Skeleton } from "@/ui/Skeleton";
import { Failure, State } from "@/ui/State";
import { useShortcuts } from "@/ui/shortcuts";
import { Time } from "@/ui/Time";
import { notify, notifyFailure } from "@/ui/toast";
import { useTitle } from "@/ui/useTitle";
import { ConfirmDiscard } from "./ConfirmDiscard";
import styles from "./DeadLetters.module.css";
import settings from "./SettingsPage.module.css";

const route = getRouteApi("/signed-in/settings/$org/dead-letters");

/** What was accepted and could not be handled, one project at a time. */
export function DeadLettersPage() {
  const { org } = route.useParams();
  const search = route.useSearch();
  const projects = useQuery(projectsQuery(org));
  const slugs = projects.data?.map(({ slug }) => slug) ?? [];
  const isChosen = search.project !== undefined;
  // Without a choice, the first project that has letters.
  const first = useQuery({
    ...firstWithLetters(org, slugs, search.reason),
    enabled: !isChosen && slugs.length > 0,
  });
  const isLooking = projects.isPending || (!isChosen && slugs.length > 0 && first.isPending);
  const wanted = search.project ?? first.data;
  const project = projects.data?.find(({ slug }) => slug === wanted) ?? (isChosen ? undefined : projects.data?.[0]);
  useTitle("Dead letters", project?.name);
  return (
    <Page lead="What could not be handled: mend and replay it, or discard it." title="Dead letters">
      {isLooking && <Skeleton height={168} />}
      {projects.isError && !projects.data && (
        <Failure error={projects.error} retry={projects.refetch} what="The projects" />
      )}
      {projects.data && !project && search.project && (
        <State icon="folder" title={`There is no project ${search.project}`}>
          <Link params={{ org }} search={{}} to="/settings/$org/dead-letters/">
            Letters of another project
          </Link>
        </State>
      )}
      {projects.data && !project && !search.project && (
        <State icon="folder" title="No project yet">
          Letters belong to projects.
        </State>
      )}
      {projects.data && project && !isLooking && (
        <Letters
          key={project.id}
          org={org}
          project={project}
          projects={projects.data}
          search={{ ...search, project: project.slug }}
        />
      )}
    </Page>
  );
}

interface LettersProps {
  org: string;
  project: Project;
  projects: Project[];
  search: LetterSearch;
}

function Letters({ org, project, projects, search }: LettersProps) {
  const navigate = route.useNavigate();
  const client = useQueryClient();
  const page = useQuery({ ...deadLetters(org, search), placeholderData: keepPreviousData });
  const reasons = useQuery(letterReasons(org, project.slug)).data ?? [];
  const [discarding, setDiscarding] = useState(false);

  const total = reasons
    .filter(({ reason }) => search.reason === undefined || reason === search.reason)
    .reduce((sum, each) => sum + each.count, 0);
  const subject = `${count(total, "letter")} of ${project.name}${search.reason ? `, ${search.reason}` : ""}`;
  const go = (to: Partial<LetterSearch>) => navigate({ search: { ...search, cursor: undefined, ...to } });
  const refresh = () => client.invalidateQueries({ queryKey: lettersKey(org, project.slug) });

  const replay = useMutation({
    mutationFn: () => replayLetters(org, search),
    onSuccess: (asked) => notify(`Replay of ${count(asked, "letter")} asked for`),
    onError: (error) => notifyFailure("The replay was not asked for.", error),
    onSettled: refresh,
  });
  const discard = useMutation({
    mutationFn: () => discardLetters(org, search),
    onSuccess: (gone) => {
      notify(`${count(gone, "letter")} discarded`);
      void go({ reason: undefined });
    },
    onError: (error) => notifyFailure("The letters were not discarded.", error),
    onSettled: refresh,
  });

  return (
    <>
      <Choices>
        <Choice
          label="Project"
          onChange={(slug) => go({ project: slug, reason: undefined })}
          options={projects.map(({ slug, name }) => ({ value: slug, name }))}
          value={project.slug}
        />
        <Choice
          label="Reason"
          onChange={(reason) => go({ reason })}
          options={reasons.map((each) => ({ value: each.reason, name: `${each.reason} (${each.count})` }))}
          unset="All reasons"
          value={search.reason}
        />
        <div className={styles.actions}>
          <Button busy={replay.isPending} disabled={total === 0} onClick={() => replay.mutate()}>
            Replay all
          </Button>
          <Button busy={discard.isPending} disabled={total === 0} look="danger" onClick={() => setDiscarding(true)}>
            Discard all
          </Button>
        </div>
      </Choices>
      {page.isPending && <Skeleton height={168} />}
      {page.isError && !page.data && <Failure error={page.error} retry={page.refetch} what="The dead letters" />}
      {page.data?.letters.length === 0 &&
        (search.reason ? (
          <State
            action={<Button onClick={() => go({ reason: undefined })}>Show all reasons</Button>}
            icon="letter"
            title={`No letters refused as ${search.reason}`}
          />
        ) : (
          <State icon="letter" title="No dead letters">
            Everything that {project.name} sent could be handled.
          </State>
        ))}
      {page.data && page.data.letters.length > 0 && (
        <LetterRows letters={page.data.letters} org={org} project={project.slug} />
      )}
      {page.data && <Pager next={page.data.next} onGo={(cursor) => go({ cursor })} previous={page.data.previous} />}
      {discarding && (
        <ConfirmDiscard
          onClose={() => setDiscarding(false)}
          onConfirm={() => discard.mutate()}
          subject={subject}
          verb="Discard all"
        />
      )}
    </>
  );
}

function LetterRows({ letters, org, project }: { letters: DeadLetter[]; org: string; project: string }) {
  const list = useRef<HTMLUListElement>(null);
  const step = (by: number) => {
    const links = [...(list.current?.querySelectorAll("a") ?? [])];
    const at = links.indexOf(document.activeElement as HTMLAnchorElement);
    links[at === -1 ? 0 : Math.max(0, Math.min(links.length - 1, at + by))]?.focus();
  };
  useShortcuts("Dead letters", [
    { key: "j", label: "Next letter", run: () => step(1) },
    { key: "k", label: "Previous letter", run: () => step(-1) },
  ]);
  return (
    <ul className={settings.rows} ref={list}>
      {letters.map(({ id, message, reason, place, dateCreated, size, source, replayRequested }) => (
        <li className={settings.row} key={id}>
          <div className={settings.words}>
            <p className={settings.name}>
              <Link params={{ org, project, letter: id }} to="/settings/$org/projects/$project/dead-letters/$letter/">
                {message || reason}
              </Link>
            </p>
            <p className={settings.meta}>
              {letterKind(source) !== null && <span>{letterKind(source)}</span>}
              <Chip>{reason}</Chip>
              {replayRequested && <Chip tone="info">Waiting for its replay</Chip>}
              {place !== null && <code>{place}</code>}
              <span>
                refused <Time value={dateCreated} />
              </span>
              <span>{size > 0 ? byteSize(size) : "nothing left"}</span>
            </p>
          </div>
        </li>
      ))}
    </ul>
  );
}
