import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { ApiError } from "@/api/client";
import { environments as environmentsQuery, releaseDetail, releaseSessions } from "@/api/releases";
import { compactNumber, exactNumber } from "@/domain/number";
import { crashFreeText, issuesQuery, newIssuesQuery, type ReleaseRow, verdict } from "@/domain/releases";
import { duration } from "@/domain/time";
import { buttonClass } from "@/ui/Button";
import { Choice, Choices } from "@/ui/Choice";
import { CopyButton } from "@/ui/CopyButton";
import { Page } from "@/ui/Page";
import { Skeleton } from "@/ui/Skeleton";
import { StackedChart } from "@/ui/StackedChart";
import { Failure, State } from "@/ui/State";
import { Time } from "@/ui/Time";
import { useTitle } from "@/ui/useTitle";
import { DEFAULT_PERIOD, PERIODS } from "./periods";
import styles from "./Releases.module.css";

const route = getRouteApi("/signed-in/organizations/$org/releases/$version");

/** One release: how it fares in a project, over time, and where its issues are. */
export function ReleasePage() {
  const { org, version } = route.useParams();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const environments = useQuery(environmentsQuery(org)).data ?? [];
  const statsPeriod = search.statsPeriod ?? DEFAULT_PERIOD;
  const release = useQuery(releaseDetail(org, version, { environment: search.environment, statsPeriod }));
  const rows = release.data ?? [];
  const row = rows.find(({ project }) => project === search.project) ?? rows[0];
  useTitle(row?.shortVersion ?? version, "Releases");
  const go = (to: Partial<typeof search>) => navigate({ search: { ...search, ...to } });
  const back = (
    <p>
      <Link params={{ org }} search={{}} to="/organizations/$org/releases/">
        Releases
      </Link>
    </p>
  );
  if (release.isError && !release.data)
    return release.error instanceof ApiError && release.error.status === 404 ? (
      <State
        action={
          <Link className={buttonClass("plain")} params={{ org }} search={{}} to="/organizations/$org/releases/">
            Show all releases
          </Link>
        }
        icon="tag"
        isPage
        title="There is no such release"
      >
        No event or session has named <code>{version}</code>, as far as anything of it is kept.
      </State>
    ) : (
      <Failure error={release.error} isPage retry={release.refetch} what="The release" />
    );
  const facts = (
    <div className={styles.facts}>
      <code>{version}</code> <CopyButton label="Copy version" text={version} />
      {row && (
        <span>
          first seen <Time value={row.created} />
        </span>
      )}
      {row?.lastEvent && (
        <span>
          last event <Time value={row.lastEvent} />
        </span>
      )}
    </div>
  );
  return (
    <Page above={back} lead={facts} title={row?.shortVersion ?? version} wide>
      <Choices>
        <Choice
          label="Project"
          onChange={(project) => go({ project })}
          options={rows.map(({ project, projectName }) => ({ value: project, name: projectName }))}
          value={row?.project}
        />
        <Choice
          label="Environment"
          onChange={(environment) => go({ environment })}
          options={environments.map((name) => ({ value: name, name }))}
          unset="All environments"
          value={search.environment}
        />
        <Choice
          label="Period"
          onChange={(period) => go({ statsPeriod: period })}
          options={PERIODS}
          value={statsPeriod}
        />
      </Choices>
      {release.isPending && <Skeleton height={320} />}
      {row && <Health environment={search.environment} org={org} row={row} statsPeriod={statsPeriod} />}
      {row && <Issues org={org} row={row} />}
    </Page>
  );
}

interface Shown {
  org: string;
  row: ReleaseRow;
  environment: string | undefined;
  statsPeriod: string;
}

function Health({ org, row, environment, statsPeriod }: Shown) {
  const { version, project, hasHealth } = row;
  const sessions = useQuery({
    ...releaseSessions(org, { version, project, environment, statsPeriod }),
    enabled: hasHealth,
  });
  if (!hasHealth)
    return (
      <State icon="chart" title="No sessions of this release">
        <p>
          SDKs for browsers, mobile devices and Python send sessions unless it is switched off; elsewhere switch on
          automatic session tracking. Then it is known here how many sessions and users a crash meets.
        </p>
      </State>
    );
  return (
    <>
      <Numbers row={row} />
      <section aria-labelledby="sessions" className={styles.part}>
        <h2 id="sessions">Sessions</h2>
        {sessions.isPending && <Skeleton height={200} />}
        {sessions.isError && !sessions.data && (
          <Failure error={sessions.error} retry={sessions.refetch} what="The sessions" />
        )}
        {sessions.data && (
          <StackedChart label="Sessions by how they ended" layers={sessions.data.layers} times={sessions.data.times} />
        )}
      </section>
    </>
  );
}

function Numbers({ row: { health } }: { row: ReleaseRow }) {
  if (!health) return null;
  const share = (percentage: number | null) => (percentage === null ? "–" : `${Math.round(percentage)}%`);
  const time = (ms: number | null) => (ms === null ? "–" : duration(Math.round(ms)));
  const tone = (percentage: number | null) => (percentage === null ? undefined : styles[verdict(percentage)]);
  const numbers = [
    ["Crash-free sessions", crashFreeText(health.crashFreeSessions), tone(health.crashFreeSessions)],
    ["Crash-free users", crashFreeText(health.crashFreeUsers), tone(health.crashFreeUsers)],
    ["Sessions", compactNumber(health.totalSessions)],
    ["Users", compactNumber(health.totalUsers)],
    ["Crashed sessions", compactNumber(health.sessionsCrashed)],
    ["Sessions with errors", compactNumber(health.sessionsErrored)],
    ["Adoption today", share(health.sessionsAdoption)],
    ["Median duration", time(health.durationP50)],
  ];
  return (
    <dl className={styles.numbers}>
      {numbers.map(([name, value, look]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd className={look}>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Issues({ org, row: { version, project, newIssues } }: { org: string; row: ReleaseRow }) {
  const of = (query: string) => ({ query, project: [project], statsPeriod: "90d" });
  return (
    <section aria-labelledby="issues" className={styles.part}>
      <h2 id="issues">Issues</h2>
      <ul className={styles.links}>
        <li>
          <Link
            className={styles.link}
            params={{ org }}
            search={of(newIssuesQuery(version))}
            to="/organizations/$org/issues/"
          >
            {exactNumber(newIssues)} first seen in this release
          </Link>
        </li>
        <li>
          <Link
            className={styles.link}
            params={{ org }}
            search={of(issuesQuery(version))}
            to="/organizations/$org/issues/"
          >
            All that occurred in this release
          </Link>
        </li>
      </ul>
    </section>
  );
}
