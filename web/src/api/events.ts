import { queryOptions } from "@tanstack/react-query";
import { readEvent } from "@/domain/event";
import { ask, GET, pageCursors } from "./client";

/** Names the server understands in place of an event's id. */
export const EVENT_NAMES = ["recommended", "oldest", "latest"] as const;

export const issueEvent = (org: string, issue: string, event: string) => {
  const named = (EVENT_NAMES as readonly string[]).includes(event);
  return queryOptions({
    queryKey: ["issue", org, issue, "event", event],
    queryFn: async ({ signal }) => {
      const params = { path: { org, issue, event_id: event } };
      const path = "/api/0/organizations/{org}/issues/{issue}/events/{event_id}/";
      return readEvent((await ask(GET(path, { params, signal }))).data);
    },
    // An event never changes once stored; which one is the latest does, and the neighbours of the latest do.
    staleTime: named ? 15_000 : 60_000,
  });
};

export const issueEvents = (org: string, issue: string, cursor: string | undefined) =>
  queryOptions({
    queryKey: ["issue", org, issue, "events", cursor],
    queryFn: async ({ signal }) => {
      const params = { path: { org, issue }, query: { per_page: 50, cursor } };
      const { data, headers } = await ask(GET("/api/0/organizations/{org}/issues/{issue}/events/", { params, signal }));
      return { events: data, ...pageCursors(headers) };
    },
    staleTime: 15_000,
  });

/** The stored JSON itself, for the browser to open. */
export function eventJsonPath(org: string, project: string, event: string): string {
  const [o, p, e] = [org, project, event].map(encodeURIComponent);
  return `/api/0/projects/${o}/${p}/events/${e}/json/`;
}
