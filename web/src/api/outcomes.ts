import { queryOptions } from "@tanstack/react-query";
import type { OutcomeSum } from "@/domain/outcomes";
import { ask, GET } from "./client";

/** Which outcomes: of all projects or one, over a period up to now. */
export interface OutcomeSearch {
  project?: string;
  statsPeriod: string;
}

export interface OutcomeStats {
  /** When each interval begins, in unix seconds. */
  times: number[];
  sums: OutcomeSum[];
}

const FIELD = "sum(quantity)";

/** The length of the intervals of each period: enough bars to see a shape, few enough to tell them apart. */
const INTERVALS: Record<string, string> = { "1h": "1m", "24h": "1h", "7d": "6h", "30d": "1d", "90d": "1d" };

/** What became of what was received, by category, outcome and reason. */
export const outcomeStats = (org: string, { project, statsPeriod }: OutcomeSearch) =>
  queryOptions({
    queryKey: ["outcomes", org, project, statsPeriod],
    queryFn: async ({ signal }): Promise<OutcomeStats> => {
      const query = {
        statsPeriod,
        interval: INTERVALS[statsPeriod],
        project: project === undefined ? [] : [project],
        groupBy: ["category", "outcome", "reason"],
      };
      const call = GET("/api/0/organizations/{org}/stats_v2/", { params: { path: { org }, query }, signal });
      const { intervals, groups } = (await ask(call)).data;
      return {
        times: intervals.map((time) => Date.parse(time) / 1_000),
        sums: groups.map(({ by, totals, series }) => ({
          category: String(by.category),
          outcome: String(by.outcome),
          reason: String(by.reason),
          total: totals[FIELD] ?? 0,
          series: series[FIELD] ?? [],
        })),
      };
    },
    refetchInterval: 15_000,
  });
