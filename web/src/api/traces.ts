import { queryOptions } from "@tanstack/react-query";
import { readLog, readSpan, readTraceEvent, readTraceSize } from "@/domain/trace";
import { ask, GET } from "./client";

/** Rows of each kind that an event shows of its trace. */
const ROWS = 10;

/** How much there is of a trace, and the first of what went wrong in it, of its spans and of its log lines. */
export const traceOverview = (org: string, trace: string) =>
  queryOptions({
    queryKey: ["trace", org, trace],
    queryFn: async ({ signal }) => {
      const rows = async (dataset: string | undefined, field: string[]) => {
        const query = {
          dataset,
          field,
          query: `trace:${trace}`,
          sort: "timestamp",
          statsPeriod: "90d",
          per_page: ROWS,
        };
        return (await ask(GET("/api/0/organizations/{org}/events/", { params: { path: { org }, query }, signal }))).data
          .data;
      };
      const path = { org, trace_id: trace };
      const [size, events, spans, logs] = await Promise.all([
        ask(GET("/api/0/organizations/{org}/trace-meta/{trace_id}/", { params: { path }, signal })),
        rows(undefined, ["id", "title", "level", "issue", "issue.id", "timestamp", "project.name"]),
        rows("spans", ["id", "span.op", "span.description", "span.duration", "project.name"]),
        rows("ourlogs", ["id", "severity", "message", "timestamp"]),
      ]);
      return {
        size: readTraceSize(size.data),
        events: events.map(readTraceEvent),
        spans: spans.map(readSpan),
        logs: logs.map(readLog),
      };
    },
    staleTime: 15_000,
  });

/** All spans of a trace as JSON, for the browser to open. */
export function traceJsonPath(org: string, trace: string): string {
  return `/api/0/organizations/${encodeURIComponent(org)}/trace/${encodeURIComponent(trace)}/`;
}
