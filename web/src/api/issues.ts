import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { ask, GET, PUT, pageCursors } from "./client";
import type { Issue, IssueRequest } from "./models";

/** Rows of one page of the issue list. */
export const ISSUES_PER_PAGE = 50;

/** What the list is asked for; every member stands in the page's address. */
export interface IssueSearch {
  query: string;
  sort: string;
  statsPeriod: string;
  groupStatsPeriod: string;
  project: string[];
  cursor?: string;
}

export interface IssuePage {
  issues: Issue[];
  previous: string | null;
  next: string | null;
}

async function fetchIssues(org: string, search: IssueSearch, limit: number, signal: AbortSignal): Promise<IssuePage> {
  const params = { path: { org }, query: { ...search, limit } };
  const { data, headers } = await ask(GET("/api/0/organizations/{org}/issues/", { params, signal }));
  return { issues: data, ...pageCursors(headers) };
}

/** One page, as it was when it was asked for: rows don't move under the reader (see `freshIssues`). */
export const issueList = (org: string, search: IssueSearch) =>
  queryOptions({
    queryKey: ["issues", org, "list", search],
    queryFn: ({ signal }) => fetchIssues(org, search, ISSUES_PER_PAGE, signal),
    placeholderData: keepPreviousData,
    staleTime: 5_000,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
  });

/** The same page asked again and again while it is looked at, to say what is new. */
export const freshIssues = (org: string, search: IssueSearch) =>
  queryOptions({
    queryKey: ["issues", org, "fresh", search],
    queryFn: ({ signal }) => fetchIssues(org, search, ISSUES_PER_PAGE, signal),
    refetchInterval: 5_000,
    retry: false,
  });

/** How many issues each search finds, in the order of the searches. */
export const issueCounts = (org: string, queries: string[], { project, statsPeriod }: IssueSearch) =>
  queryOptions({
    queryKey: ["issues", org, "counts", queries, project, statsPeriod],
    queryFn: async ({ signal }) => {
      const params = { path: { org }, query: { query: queries, project, statsPeriod } };
      const { data } = await ask(GET("/api/0/organizations/{org}/issues-count/", { params, signal }));
      return queries.map((query) => data[query] ?? null);
    },
    placeholderData: keepPreviousData,
    refetchInterval: 15_000,
    retry: false,
  });

/** An issue of a project, looked for until there is one. */
export const firstIssue = (org: string, projectId: string) =>
  queryOptions({
    queryKey: ["issues", org, "first", projectId],
    queryFn: async ({ signal }) => {
      const search = { query: "", sort: "date", statsPeriod: "90d", groupStatsPeriod: "", project: [projectId] };
      return (await fetchIssues(org, search, 1, signal)).issues[0] ?? null;
    },
    refetchInterval: ({ state }) => (state.data ? false : 1_500),
  });

export const issueDetail = (org: string, issue: string) =>
  queryOptions({
    queryKey: ["issue", org, issue],
    queryFn: async ({ signal }) =>
      (await ask(GET("/api/0/organizations/{org}/issues/{issue}/", { params: { path: { org, issue } }, signal }))).data,
    staleTime: 5_000,
    refetchInterval: 15_000,
  });

export const issueTags = (org: string, issue: string) =>
  queryOptions({
    queryKey: ["issue", org, issue, "tags"],
    queryFn: async ({ signal }) => {
      const params = { path: { org, issue }, query: { limit: 5 } };
      return (await ask(GET("/api/0/organizations/{org}/issues/{issue}/tags/", { params, signal }))).data;
    },
    staleTime: 15_000,
  });

export async function updateIssues(org: string, ids: string[], change: IssueRequest): Promise<void> {
  await ask(PUT("/api/0/organizations/{org}/issues/", { params: { path: { org }, query: { id: ids } }, body: change }));
}
