import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import type { ReleaseRow, SessionSeries } from "@/domain/releases";
import { STATUSES } from "@/domain/releases";
import { ask, GET, pageCursors } from "./client";
import type { Release } from "./models";

/** Releases of one page of the list. */
const RELEASES_PER_PAGE = 50;

/** Which releases, and over which time their health is told. */
export interface ReleaseSearch {
  query?: string;
  project?: string;
  environment?: string;
  statsPeriod: string;
  sort: string;
  cursor?: string;
}

export interface ReleasePage {
  rows: ReleaseRow[];
  previous: string | null;
  next: string | null;
}

const list = (value: string | undefined) => (value === undefined ? [] : [value]);

/** A row for each project of each release: health is that of a project. */
function rowsOf(releases: Release[]): ReleaseRow[] {
  return releases.flatMap((release) =>
    release.projects.map(({ healthData, ...project }) => ({
      version: release.version,
      shortVersion: release.shortVersion,
      created: release.dateCreated,
      lastEvent: release.lastEvent,
      project: project.slug,
      projectName: project.name,
      newIssues: project.newGroups,
      hasHealth: project.hasHealthData,
      health: healthData && {
        ...healthData,
        hours: (healthData.stats["24h"] ?? []).map(([time = 0, sessions = 0]): [number, number] => [time, sessions]),
      },
    })),
  );
}

export const releaseList = (org: string, { project, environment, ...search }: ReleaseSearch) =>
  queryOptions({
    queryKey: ["releases", org, "list", project, environment, search],
    queryFn: async ({ signal }): Promise<ReleasePage> => {
      const query = {
        ...search,
        project: list(project),
        environment: list(environment),
        status: "open",
        health: "1",
        per_page: RELEASES_PER_PAGE,
      };
      const call = GET("/api/0/organizations/{org}/releases/", { params: { path: { org }, query }, signal });
      const { data, headers } = await ask(call);
      return { rows: rowsOf(data), ...pageCursors(headers) };
    },
    placeholderData: keepPreviousData,
    refetchInterval: 30_000,
  });

/** The rows of one release. */
export const releaseDetail = (org: string, version: string, { environment, statsPeriod }: Partial<ReleaseSearch>) =>
  queryOptions({
    queryKey: ["releases", org, "detail", version, environment, statsPeriod],
    queryFn: async ({ signal }): Promise<ReleaseRow[]> => {
      const params = { path: { org, version }, query: { environment: list(environment), statsPeriod, health: "1" } };
      const call = GET("/api/0/organizations/{org}/releases/{version}/", { params, signal });
      return rowsOf([(await ask(call)).data]);
    },
    placeholderData: keepPreviousData,
    refetchInterval: 30_000,
  });

const SESSIONS = "sum(session)";

/** How the sessions of a release of a project ended, over the intervals of a period. */
export const releaseSessions = (
  org: string,
  { version, project, environment, statsPeriod }: Partial<ReleaseSearch> & { version: string },
) =>
  queryOptions({
    queryKey: ["releases", org, "sessions", version, project, environment, statsPeriod],
    queryFn: async ({ signal }): Promise<SessionSeries> => {
      const query = {
        field: [SESSIONS],
        groupBy: ["session.status"],
        project: list(project),
        environment: list(environment),
        query: `release:"${version.replaceAll(/[\\"*]/g, "\\$&")}"`,
        statsPeriod,
      };
      const call = GET("/api/0/organizations/{org}/sessions/", { params: { path: { org }, query }, signal });
      const { intervals, groups } = (await ask(call)).data;
      const counts = (status: string) =>
        groups.find(({ by }) => by["session.status"] === status)?.series[SESSIONS]?.map((value) => value ?? 0) ?? [];
      return {
        times: intervals.map((time) => Date.parse(time) / 1_000),
        layers: STATUSES.map(({ id, name }) => ({ id, name, counts: counts(id) })),
      };
    },
    placeholderData: keepPreviousData,
    refetchInterval: 30_000,
  });

/** The environments that events named. */
export const environments = (org: string) =>
  queryOptions({
    queryKey: ["environments", org],
    staleTime: 60_000,
    queryFn: async ({ signal }) =>
      (await ask(GET("/api/0/organizations/{org}/environments/", { params: { path: { org } }, signal }))).data.map(
        ({ name }) => name,
      ),
  });
