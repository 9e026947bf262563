import { Link } from "@tanstack/react-router";
import type { Project } from "@/api/models";
import { filters, viewOf, without, withView } from "@/domain/issueQuery";
import { Button, buttonClass } from "@/ui/Button";
import { Icon } from "@/ui/Icon";
import { State } from "@/ui/State";
import styles from "./EmptyIssues.module.css";
import { type IssuesSearch, PERIODS } from "./search";

interface Props {
  org: string;
  /** `null` while they are not known. */
  projects: Project[] | null;
  projectIds: string[];
  query: string;
  statsPeriod: string;
  go: (change: Partial<IssuesSearch>) => void;
}

const LONGEST = PERIODS[3];

/** Why there is no row, and the one thing to do about it. */
export function EmptyIssues({ org, projects, projectIds, query, statsPeriod, go }: Props) {
  if (projects === null) return null;
  const shown = projects.filter(
    ({ id, slug }) => projectIds.length === 0 || projectIds.includes(id) || projectIds.includes(slug),
  );
  const silent = shown.find(({ firstEvent }) => firstEvent === null);

  if (projects.length === 0) {
    return (
      <State
        action={
          <Link className={buttonClass("primary")} params={{ org }} to="/organizations/$org/projects/">
            Create a project
          </Link>
        }
        icon="folder"
        title="No project yet"
      >
        A project receives the errors of one application. It comes with the address that the application sends to.
      </State>
    );
  }
  if (silent && shown.every(({ firstEvent }) => firstEvent === null)) {
    return (
      <State
        action={
          <Link
            className={buttonClass("primary")}
            params={{ org, project: silent.slug }}
            search={{}}
            to="/organizations/$org/projects/$project/getting-started/"
          >
            Set up {silent.name}
          </Link>
        }
        icon="terminal"
        title="Waiting for the first event"
      >
        {shown.length === 1
          ? `${silent.name} has not sent anything yet.`
          : "None of these projects has sent anything yet."}{" "}
        Errors show up here within a second of being received.
      </State>
    );
  }
  const narrowing = filters(query);
  if (narrowing.length > 0) {
    return (
      <State
        action={
          <>
            {statsPeriod !== LONGEST.value && (
              <Button onClick={() => go({ statsPeriod: LONGEST.value })}>
                Search the {LONGEST.name.toLowerCase()}
              </Button>
            )}
            <Button onClick={() => go({ query: withView("", viewOf(query) ?? "all") })}>Clear the search</Button>
          </>
        }
        icon="search"
        title="Nothing matches"
      >
        <ul className={styles.tokens}>
          {narrowing.map((token) => (
            <li key={token}>
              <button
                type="button"
                aria-label={`Remove ${token}`}
                className={styles.token}
                onClick={() => go({ query: without(query, token) })}
              >
                {token} <Icon name="close" size={10} />
              </button>
            </li>
          ))}
        </ul>
      </State>
    );
  }
  const view = viewOf(query);
  const period = PERIODS.find(({ value }) => value === statsPeriod)?.name.toLowerCase() ?? statsPeriod;
  if (view === "unresolved" || view === "review") {
    return (
      <State
        action={
          <>
            <Button onClick={() => go({ query: withView(query, "resolved") })}>Resolved issues</Button>
            <Button onClick={() => go({ query: withView(query, "archived") })}>Archived issues</Button>
          </>
        }
        icon="check"
        title={view === "review" ? "Nothing to review" : "No open issues"}
      >
        {view === "review"
          ? "No issue is new, back or growing."
          : `Everything seen in the ${period} is resolved or archived.`}
      </State>
    );
  }
  return (
    <State
      action={
        statsPeriod !== LONGEST.value && (
          <Button onClick={() => go({ statsPeriod: LONGEST.value })}>Look at the {LONGEST.name.toLowerCase()}</Button>
        )
      }
      icon="inbox"
      title={view === "archived" ? "Nothing archived" : view === "resolved" ? "Nothing resolved" : "No issues"}
    >
      No issue of this kind was seen in the {period}.
    </State>
  );
}
