import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { projects as projectsQuery } from "@/api/projects";
import { environments as environmentsQuery, releaseList } from "@/api/releases";
import { exactNumber } from "@/domain/number";
import { crashFreeText, newIssuesQuery, type ReleaseRow, verdict } from "@/domain/releases";
import { Button } from "@/ui/Button";
import { Choice, Choices, SearchChoice } from "@/ui/Choice";
import { Page } from "@/ui/Page";
import { Pager } from "@/ui/Pager";
import { Skeleton } from "@/ui/Skeleton";
import { Sparkline } from "@/ui/Sparkline";
import { Failure, State } from "@/ui/State";
import { Cell, Table } from "@/ui/Table";
import { Time } from "@/ui/Time";
import { useTitle } from "@/ui/useTitle";
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
    <Page lead="Versions of your applications, and how they fare with the people who use them." title="Releases" wide>
      <Choices>
        <SearchChoice
          label="Version"
          onSearch={(query) => go({ query })}
          placeholder="Part of the version"
          value={search.query}
        />
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
      </Choices>
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
          <Pager
            next={releases.data.next}
            onGo={(cursor) => go({ cursor })}
            previous={releases.data.previous}
            words={["Previous", "Next"]}
          />
        </>
      )}
    </Page>
  );
}

/** The columns: those of health are told together that there is none. */
const COLUMNS = [
  { name: "Version" },
  { name: "Project" },
  { name: "Adoption", number: true, tip: "Of the project's sessions of the last day" },
  { name: "Crash-free sessions", number: true },
  { name: "Crash-free users", number: true },
  { name: "Sessions, 24 hours" },
  { name: "New issues", number: true },
];

function Rows({ org, rows }: { org: string; rows: ReleaseRow[] }) {
  return (
    <Table cards columns={COLUMNS} label="Releases">
      {rows.map((row) => (
        <Row key={`${row.version} ${row.project}`} org={org} row={row} />
      ))}
    </Table>
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
      <Cell name="Project">{projectName}</Cell>
      {hasHealth ? (
        <>
          <Cell name="Adoption" number>
            <Adoption percentage={health?.sessionsAdoption ?? null} />
          </Cell>
          <Cell name="Crash-free sessions" number>
            <CrashFree percentage={health?.crashFreeSessions ?? null} />
          </Cell>
          <Cell name="Crash-free users" number>
            <CrashFree percentage={health?.crashFreeUsers ?? null} />
          </Cell>
          <Cell name="Sessions, 24 hours">
            <Sparkline noun="session" period="24 hours" series={health?.hours ?? []} />
          </Cell>
        </>
      ) : (
        <td className={styles.none} colSpan={4}>
          No sessions: the SDK does not send them, or they are switched off.
        </td>
      )}
      <Cell name="New issues" number>
        <Link
          params={{ org }}
          search={{ query: newIssuesQuery(version), project: [project], statsPeriod: "90d" }}
          to="/organizations/$org/issues/"
        >
          {exactNumber(newIssues)}
        </Link>
      </Cell>
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
      <span className={styles.share}>{percentage > 0 && percentage < 1 ? "<1%" : `${Math.round(percentage)}%`}</span>
    </span>
  );
}

/** A crash-free share; what is bad is told by its colour too. */
function CrashFree({ percentage }: { percentage: number | null }) {
  return (
    <span className={percentage === null ? undefined : styles[verdict(percentage)]}>{crashFreeText(percentage)}</span>
  );
}
