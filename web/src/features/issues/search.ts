import type { IssueSearch } from "@/api/issues";
import { DEFAULT_QUERY } from "@/domain/issueQuery";

/** The page's address. Absent members have their defaults, so that the plain address stays plain. */
export interface IssuesSearch {
  query?: string;
  sort?: string;
  statsPeriod?: string;
  project?: string | string[];
  cursor?: string;
}

export const SORTS = [
  { value: "date", name: "Last seen" },
  { value: "new", name: "First seen" },
  { value: "freq", name: "Events" },
  { value: "user", name: "Users" },
] as const;

export const PERIODS = [
  { value: "24h", name: "Last 24 hours" },
  { value: "14d", name: "Last 14 days" },
  { value: "30d", name: "Last 30 days" },
  { value: "90d", name: "Last 90 days" },
] as const;

export const DEFAULT_SORT = "date";
export const DEFAULT_PERIOD = "14d";

export function readSearch(search: Record<string, unknown>): IssuesSearch {
  const text = (value: unknown) => (typeof value === "string" ? value : undefined);
  const project = [search.project].flat().filter((value) => typeof value === "string");
  return {
    query: text(search.query),
    sort: text(search.sort),
    statsPeriod: text(search.statsPeriod),
    project: project.length === 0 ? undefined : project,
    cursor: text(search.cursor),
  };
}

/** What the server is asked for. */
export function toRequest(search: IssuesSearch): IssueSearch {
  const statsPeriod = search.statsPeriod ?? DEFAULT_PERIOD;
  return {
    query: search.query ?? DEFAULT_QUERY,
    sort: search.sort ?? DEFAULT_SORT,
    statsPeriod,
    groupStatsPeriod: statsPeriod === "24h" ? "24h" : "14d",
    project: [search.project ?? []].flat(),
    cursor: search.cursor,
  };
}
