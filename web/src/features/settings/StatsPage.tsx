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
import { Skeleton } from "@/ui/Skeleton";
import { StackedChart } from "@/ui/StackedChart";
import { Failure, State } from "@/ui/State";
import { useTitle } from "@/ui/useTitle";
import { SettingsPage } from "./SettingsPage";
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
  const go = (to: Partial<typeof search>) => navigate({ search: { ...search, ...to } });
  return (
    <SettingsPage lead="What was received, and what became of it. Every unit has one outcome." title="Stats">
      <div className={styles.tools}>
        <label className={styles.choice}>
          Project
          <select
            className={settings.select}
            onChange={(event) => go({ project: event.target.value || undefined })}
            value={search.project ?? ""}
          >
            <option value="">All projects</option>
            {projects.map(({ slug, name }) => (
              <option key={slug} value={slug}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <label className={styles.choice}>
          Time range
          <select
            className={settings.select}
            onChange={({ target: { value } }) => go({ statsPeriod: value === DEFAULT_PERIOD ? undefined : value })}
            value={statsPeriod}
          >
            {PERIODS.map(({ value, name }) => (
              <option key={value} value={value}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <label className={styles.choice}>
          Kind of data
          <select
            className={settings.select}
            onChange={(event) => go({ category: event.target.value })}
            value={category}
          >
            {!rows.some((row) => row.category === category) && (
              <option value={category}>{categoryName(category)}</option>
            )}
            {rows.map((row) => (
              <option key={row.category} value={row.category}>
                {categoryName(row.category)}
              </option>
            ))}
          </select>
        </label>
      </div>
      {stats.isPending && <Skeleton height={240} />}
      {stats.isError && !stats.data && <Failure error={stats.error} retry={stats.refetch} what="The stats" />}
      {stats.data && rows.length === 0 && (
        <State icon="chart" title="Nothing was received">
          In this time nobody sent anything, and no SDK reported that it kept something back.
        </State>
      )}
      {stats.data && rows.length > 0 && <Books category={category} rows={rows} stats={stats.data} />}
    </SettingsPage>
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
    <table className={styles.table}>
      <thead>
        <tr>
          <th scope="col">Outcome</th>
          <th scope="col">Reason</th>
          <th className={styles.number} scope="col">
            Units
          </th>
          <th className={styles.number} scope="col">
            Share
          </th>
        </tr>
      </thead>
      <tbody>
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
              <td className={styles.number}>{exactNumber(total)}</td>
              <td className={styles.number}>{outcome === "client_discard" ? "" : percent(total, received)}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

function Kinds({ rows, category }: { rows: CategoryRow[]; category: string }) {
  const { org } = route.useParams();
  const search = route.useSearch();
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a narrow window scrolls it sideways, also by keys.
    <section aria-label="Kinds of data by outcome" className={styles.scroll} tabIndex={0}>
      <table className={styles.table}>
        <thead>
          <tr>
            <th scope="col">Kind</th>
            <th className={styles.number} scope="col">
              Received
            </th>
            {OUTCOMES.map(({ id, name, meaning }) => (
              <th className={styles.number} key={id} scope="col" title={meaning}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr aria-current={row.category === category ? "true" : undefined} key={row.category}>
              <th scope="row">
                <Link params={{ org }} search={{ ...search, category: row.category }} to="/organizations/$org/stats/">
                  {categoryName(row.category)}
                </Link>
              </th>
              <td className={styles.number}>{exactNumber(row.received)}</td>
              {OUTCOMES.map(({ id }) => (
                <td className={styles.number} key={id}>
                  {exactNumber(row.byOutcome[id] ?? 0)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
