import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { type OutcomeStats, outcomeStats } from "@/api/outcomes";
import { projects as projectsQuery } from "@/api/projects";
import { byteSize, exactNumber, percent } from "@/domain/number";
import {
  type CategoryRow,
  categories,
  categoryName,
  isInboundFilter,
  layers,
  makesLetters,
  OUTCOMES,
  type OutcomeSum,
  reasonMeaning,
} from "@/domain/outcomes";
import { amount, areBytes } from "@/domain/quota";
import { Chip, type Tone } from "@/ui/Chip";
import { Choice, Choices } from "@/ui/Choice";
import { Page } from "@/ui/Page";
import { Skeleton } from "@/ui/Skeleton";
import { StackedChart } from "@/ui/StackedChart";
import { Failure, State } from "@/ui/State";
import { Cell, Table } from "@/ui/Table";
import { useTitle } from "@/ui/useTitle";
import settings from "./SettingsPage.module.css";
import styles from "./StatsPage.module.css";

const route = getRouteApi("/signed-in/organizations/$org/stats");

const PERIODS = [
  { value: "1h", name: "Last hour" },
  { value: "24h", name: "Last 24 hours" },
  { value: "7d", name: "Last 7 days" },
  { value: "30d", name: "Last 30 days" },
  { value: "90d", name: "Last 90 days" },
] as const;

const DEFAULT_PERIOD = "24h";

/** As in the chart. */
const TONES: Record<string, Tone> = {
  accepted: "info",
  rate_limited: "warning",
  invalid: "error",
  client_discard: "fatal",
};

/** What was received and what became of it: the books of the organization. */
export function StatsPage() {
  const { org } = route.useParams();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const projects = useQuery(projectsQuery(org)).data ?? [];
  const statsPeriod = search.statsPeriod ?? DEFAULT_PERIOD;
  const stats = useQuery({
    ...outcomeStats(org, { project: search.project, statsPeriod }),
    placeholderData: keepPreviousData,
  });
  useTitle("Stats");
  const rows = categories(stats.data?.sums ?? []);
  const category = search.category ?? rows[0]?.category ?? "error";
  const received = rows.map((row) => row.category);
  const kinds = received.includes(category) ? received : [category, ...received];
  const go = (to: Partial<typeof search>) => navigate({ search: { ...search, ...to } });
  return (
    <Page lead="What was received, and what became of it. Every unit has one outcome." title="Stats">
      <Choices>
        <Choice
          label="Project"
          onChange={(project) => go({ project })}
          options={projects.map(({ slug, name }) => ({ value: slug, name }))}
          unset="All projects"
          value={search.project}
        />
        <Choice
          label="Time range"
          onChange={(period) => go({ statsPeriod: period === DEFAULT_PERIOD ? undefined : period })}
          options={PERIODS}
          value={statsPeriod}
        />
        <Choice
          label="Kind of data"
          onChange={(chosen) => go({ category: chosen })}
          options={kinds.map((kind) => ({ value: kind, name: categoryName(kind) }))}
          value={category}
        />
      </Choices>
      {stats.isPending && <Skeleton height={240} />}
      {stats.isError && !stats.data && <Failure error={stats.error} retry={stats.refetch} what="The stats" />}
      {stats.data && rows.length === 0 && (
        <State icon="chart" title="Nothing was received">
          In this time nobody sent anything, and no SDK reported that it kept something back.
        </State>
      )}
      {stats.data && rows.length > 0 && <Books category={category} rows={rows} stats={stats.data} />}
    </Page>
  );
}

function Books({ stats, rows, category }: { stats: OutcomeStats; rows: CategoryRow[]; category: string }) {
  const row = rows.find((each) => each.category === category);
  const isBytes = areBytes([category]);
  const own = stats.sums.filter((sum) => sum.category === category);
  return (
    <>
      <StackedChart
        label={`${categoryName(category)} by outcome`}
        layers={layers(stats.sums, category).map(({ outcome, ...layer }) => ({ id: outcome, ...layer }))}
        times={stats.times}
        write={isBytes ? byteSize : undefined}
      />
      <p className={styles.balance}>{balance(row, isBytes ? byteSize : exactNumber)}</p>
      <section aria-labelledby="reasons" className={settings.part}>
        <h2 className={styles.title} id="reasons">
          {categoryName(category)} by reason
        </h2>
        <Reasons category={category} received={row?.received ?? 0} sums={own} />
      </section>
      <section aria-labelledby="kinds" className={settings.part}>
        <h2 className={styles.title} id="kinds">
          All kinds of data
        </h2>
        <Kinds category={category} rows={rows} />
      </section>
    </>
  );
}

/** The equation that the page stands for. */
function balance(row: CategoryRow | undefined, write: (count: number) => string): string {
  const { received, byOutcome } = row ?? { received: 0, byOutcome: {} as Record<string, number> };
  const parts = OUTCOMES.filter(({ id }) => id !== "client_discard" && byOutcome[id]).map(
    ({ id, name }) => `${write(byOutcome[id] ?? 0)} ${name.toLowerCase()}`,
  );
  const kept = byOutcome.client_discard ?? 0;
  const unsent = kept > 0 ? ` SDKs report ${write(kept)} more that they did not send.` : "";
  return `${write(received)} received = ${parts.join(" + ") || "nothing"}.${unsent}`;
}

function Reasons({ category, sums, received }: { category: string; sums: OutcomeSum[]; received: number }) {
  const isBytes = areBytes([category]);
  if (sums.length === 0) return <p className={settings.about}>Nothing of this kind in this time.</p>;
  const order = (outcome: string) => OUTCOMES.findIndex(({ id }) => id === outcome);
  const sorted = [...sums].sort((a, b) => order(a.outcome) - order(b.outcome) || b.total - a.total);
  return (
    <Table
      columns={[
        { name: "Outcome" },
        { name: "Reason" },
        { name: isBytes ? "Size" : "Units", number: true },
        { name: "Share", number: true },
      ]}
      label="Outcomes by reason"
    >
      {sorted.map(({ outcome, reason, total }) => {
        const known = OUTCOMES.find(({ id }) => id === outcome);
        return (
          <tr key={`${outcome} ${reason}`}>
            <td>
              <Chip tone={TONES[outcome]}>{known?.name ?? outcome}</Chip>
            </td>
            <td className={styles.reason}>
              {reason && <code>{reason}</code>} <span>{reasonMeaning(outcome, reason)}</span>{" "}
              <Remedy outcome={outcome} reason={reason} />
            </td>
            <Cell number>{amount(total, [category])}</Cell>
            <Cell number>{outcome === "client_discard" ? "" : percent(total, received)}</Cell>
          </tr>
        );
      })}
    </Table>
  );
}

/** The way to where it is decided, or where what was refused is kept. */
function Remedy({ outcome, reason }: { outcome: string; reason: string }) {
  const { org } = route.useParams();
  const { project } = route.useSearch();
  if (outcome === "rate_limited")
    return project === undefined || reason === "org_quota" ? (
      <Link params={{ org }} to="/settings/$org/quotas/">
        Quotas
      </Link>
    ) : (
      <Link params={{ org, project }} to="/settings/$org/projects/$project/quotas/">
        Quotas
      </Link>
    );
  if (outcome === "filtered" && project !== undefined && isInboundFilter(reason))
    return (
      <Link params={{ org, project }} to="/settings/$org/projects/$project/filters/">
        Filters
      </Link>
    );
  if (outcome === "invalid" && makesLetters(reason))
    return (
      <Link params={{ org }} search={{ project, reason }} to="/settings/$org/dead-letters/">
        Dead letters
      </Link>
    );
  return null;
}

function Kinds({ rows, category }: { rows: CategoryRow[]; category: string }) {
  const { org } = route.useParams();
  const search = route.useSearch();
  return (
    <Table
      cards
      columns={[
        { name: "Kind" },
        { name: "Received", number: true },
        ...OUTCOMES.map(({ name, meaning }) => ({ name, number: true, tip: meaning })),
      ]}
      label="Kinds of data by outcome"
    >
      {rows.map((row) => (
        <tr aria-current={row.category === category ? "true" : undefined} key={row.category}>
          <th scope="row">
            <Link params={{ org }} search={{ ...search, category: row.category }} to="/organizations/$org/stats/">
              {categoryName(row.category)}
            </Link>
          </th>
          <Cell name="Received" number>
            {amount(row.received, [row.category])}
          </Cell>
          {OUTCOMES.map(({ id, name }) => (
            <Cell key={id} name={name} number>
              {amount(row.byOutcome[id] ?? 0, [row.category])}
            </Cell>
          ))}
        </tr>
      ))}
    </Table>
  );
}
