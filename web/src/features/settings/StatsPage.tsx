import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { type OutcomeStats, outcomeStats } from "@/api/outcomes";
import { projects as projectsQuery } from "@/api/projects";
import { exactNumber, percent } from "@/domain/number";
import {
  type CategoryRow,
  categories,
  categoryName,
  layers,
  OUTCOMES,
  type OutcomeSum,
  reasonMeaning,
} from "@/domain/outcomes";
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
  const own = stats.sums.filter((sum) => sum.category === category);
  return (
    <>
      <StackedChart
        label={`${categoryName(category)} by outcome`}
        layers={layers(stats.sums, category).map(({ outcome, ...layer }) => ({ id: outcome, ...layer }))}
        times={stats.times}
      />
      <p className={styles.balance}>{balance(row)}</p>
      <section aria-labelledby="reasons" className={settings.part}>
        <h2 className={styles.title} id="reasons">
          {categoryName(category)} by reason
        </h2>
        <Reasons received={row?.received ?? 0} sums={own} />
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
function balance(row: CategoryRow | undefined): string {
  const { received, byOutcome } = row ?? { received: 0, byOutcome: {} as Record<string, number> };
  const parts = OUTCOMES.filter(({ id }) => id !== "client_discard" && byOutcome[id]).map(
    ({ id, name }) => `${exactNumber(byOutcome[id] ?? 0)} ${name.toLowerCase()}`,
  );
  const kept = byOutcome.client_discard ?? 0;
  const unsent = kept > 0 ? ` SDKs report ${exactNumber(kept)} more that they did not send.` : "";
  return `${exactNumber(received)} received = ${parts.join(" + ") || "nothing"}.${unsent}`;
}

function Reasons({ sums, received }: { sums: OutcomeSum[]; received: number }) {
  if (sums.length === 0) return <p className={settings.about}>Nothing of this kind in this time.</p>;
  const order = (outcome: string) => OUTCOMES.findIndex(({ id }) => id === outcome);
  const sorted = [...sums].sort((a, b) => order(a.outcome) - order(b.outcome) || b.total - a.total);
  return (
    <Table
      columns={[
        { name: "Outcome" },
        { name: "Reason" },
        { name: "Units", number: true },
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
              {reason && <code>{reason}</code>} <span>{reasonMeaning(outcome, reason)}</span>
            </td>
            <Cell number>{exactNumber(total)}</Cell>
            <Cell number>{outcome === "client_discard" ? "" : percent(total, received)}</Cell>
          </tr>
        );
      })}
    </Table>
  );
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
            {exactNumber(row.received)}
          </Cell>
          {OUTCOMES.map(({ id, name }) => (
            <Cell key={id} name={name} number>
              {exactNumber(row.byOutcome[id] ?? 0)}
            </Cell>
          ))}
        </tr>
      ))}
    </Table>
  );
}
