import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { projects as projectsQuery } from "@/api/projects";
import { environments as environmentsQuery, releaseList } from "@/api/releases";
import { exactNumber } from "@/domain/number";
import { crashFreeText, newIssuesQuery, type ReleaseRow, verdict } from "@/domain/releases";
import { Button } from "@/ui/Button";
import { Skeleton } from "@/ui/Skeleton";
import { Sparkline } from "@/ui/Sparkline";
import { Failure, State } from "@/ui/State";
import { Time } from "@/ui/Time";
import { useTitle } from "@/ui/useTitle";
import { Choice } from "./Choice";
import { DEFAULT_PERIOD, PERIODS } from "./periods";
import styles from "./Releases.module.css";

const route = getRouteApi("/signed-in/organizations/$org/releases");

const SORTS = [
  { value: "date", name: "Newest" },
  { value: "adoption", name: "Adoption" },
  { value: "sessions", name: "Sessions" },
  { value: "users", name: "Users" },
  { value: "crash_free_sessions", name: "Crash-free sessions" },
] as const;

/** The releases with how they fare: a row for each project of each. */
export function ReleasesPage() {
  const { org } = route.useParams();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const projects = useQuery(projectsQuery(org)).data ?? [];
  const environments = useQuery(environmentsQuery(org)).data ?? [];
  const statsPeriod = search.statsPeriod ?? DEFAULT_PERIOD;
  const releases = useQuery(releaseList(org, { ...search, statsPeriod, sort: search.sort ?? "date" }));
  useTitle("Releases");
  const go = (to: Partial<typeof search>) => navigate({ search: { ...search, cursor: undefined, ...to } });
  const isNarrowed = Boolean(search.query || search.project || search.environment);
  return (
    <div className={styles.page}>
      <header className={styles.header}>
        <h1>Releases</h1>
        <p>Versions of your applications, and how they fare with the people who use them.</p>
      </header>
      <div className={styles.tools}>
        <form
          className={styles.search}
          onSubmit={(event) => {
            event.preventDefault();
            const query = new FormData(event.currentTarget).get("query");
            go({ query: (typeof query === "string" && query.trim()) || undefined });
          }}
        >
          <label className={styles.choice}>
            Version
            <input
              className={styles.control}
              defaultValue={search.query ?? ""}
              key={search.query}
              name="query"
              placeholder="Part of the version"
              type="search"
            />
          </label>
        </form>
        <Choice
          label="Project"
          onChange={(project) => go({ project })}
          options={projects.map(({ slug, name }) => ({ value: slug, name }))}
          unset="All projects"
          value={search.project}
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
        <Choice label="Order" onChange={(sort) => go({ sort })} options={SORTS} value={search.sort ?? "date"} />
      </div>
      {releases.isPending && <Skeleton height={320} />}
      {releases.isError && !releases.data && (
        <Failure error={releases.error} retry={releases.refetch} what="The releases" />
      )}
      {releases.data?.rows.length === 0 &&
        (isNarrowed ? (
          <State
            action={
              <Button onClick={() => go({ query: undefined, project: undefined, environment: undefined })}>
                Show all releases
              </Button>
            }
            icon="tag"
            title="No release matches"
          >
            No version is called so, or was seen there.
          </State>
        ) : (
          <State icon="tag" title="No release yet">
            Give your application&apos;s version as <code>release</code> when you start its SDK. It appears here with
            the first event or session that names it.
          </State>
        ))}
      {releases.data && releases.data.rows.length > 0 && (
        <>
          <Rows org={org} rows={releases.data.rows} />
          <nav aria-label="Pages" className={styles.pages}>
            <Button
              disabled={releases.data.previous === null}
              onClick={() => go({ cursor: releases.data.previous ?? undefined })}
            >
              Previous
            </Button>
            <Button
              disabled={releases.data.next === null}
              onClick={() => go({ cursor: releases.data.next ?? undefined })}
            >
              Next
            </Button>
          </nav>
        </>
      )}
    </div>
  );
}

function Rows({ org, rows }: { org: string; rows: ReleaseRow[] }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a narrow window scrolls it sideways, also by keys.
    <section aria-label="Releases" className={styles.scroll} tabIndex={0}>
      <table className={styles.table}>
        <thead>
          <tr>
            <th scope="col">Version</th>
            <th scope="col">Project</th>
            <th className={styles.number} data-tip="Of the project's sessions of the last day" scope="col">
              Adoption
            </th>
            <th className={styles.number} scope="col">
              Crash-free sessions
            </th>
            <th className={styles.number} scope="col">
              Crash-free users
            </th>
            <th scope="col">Sessions, 24 hours</th>
            <th className={styles.number} scope="col">
              New issues
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <Row key={`${row.version} ${row.project}`} org={org} row={row} />
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Row({ org, row }: { org: string; row: ReleaseRow }) {
  const { version, shortVersion, project, projectName, created, newIssues, hasHealth, health } = row;
  return (
    <tr>
      <th scope="row">
        <Link
          className={styles.version}
          data-tip={version}
          params={{ org, version }}
          search={{ project }}
          to="/organizations/$org/releases/$version/"
        >
          {shortVersion}
        </Link>
        <span className={styles.meta}>
          <Time value={created} />
        </span>
      </th>
      <td>{projectName}</td>
      {hasHealth ? (
        <>
          <td className={styles.number}>
            <Adoption percentage={health?.sessionsAdoption ?? null} />
          </td>
          <td className={styles.number}>
            <CrashFree percentage={health?.crashFreeSessions ?? null} />
          </td>
          <td className={styles.number}>
            <CrashFree percentage={health?.crashFreeUsers ?? null} />
          </td>
          <td>
            <Sparkline noun="session" period="24 hours" series={health?.hours ?? []} />
          </td>
        </>
      ) : (
        <td className={styles.none} colSpan={4}>
          No sessions: the SDK does not send them, or they are switched off.
        </td>
      )}
      <td className={styles.number}>
        <Link
          params={{ org }}
          search={{ query: newIssuesQuery(version), project: [project], statsPeriod: "90d" }}
          to="/organizations/$org/issues/"
        >
          {exactNumber(newIssues)}
        </Link>
      </td>
    </tr>
  );
}

function Adoption({ percentage }: { percentage: number | null }) {
  if (percentage === null) return "–";
  return (
    <span className={styles.adoption}>
      <span aria-hidden="true" className={styles.track}>
        <span className={styles.fill} style={{ width: `${percentage}%` }} />
      </span>
      {percentage > 0 && percentage < 1 ? "<1%" : `${Math.round(percentage)}%`}
    </span>
  );
}

/** A crash-free share; what is bad is told by its colour too. */
function CrashFree({ percentage }: { percentage: number | null }) {
  return (
    <span className={percentage === null ? undefined : styles[verdict(percentage)]}>{crashFreeText(percentage)}</span>
  );
}
