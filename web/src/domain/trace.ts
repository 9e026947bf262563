import type { Event } from "./event";
import { asNumber, asObject, asText, type JsonObject } from "./json";

/** How much there is of a trace. */
export interface TraceSize {
  /** Errors, and what detectors found. */
  events: number;
  spans: number;
  logs: number;
}

/** Something that went wrong in a trace, as far as a list shows it. */
export interface TraceEvent {
  id: string;
  level: string | null;
  title: string;
  /** The issue that shows it: its id and its name for people. */
  issue: { id: string; shortId: string } | null;
  project: string | null;
  time: string | null;
}

/** A span of a trace, as far as a list shows it. */
export interface TraceSpan {
  id: string;
  op: string | null;
  name: string;
  /** Milliseconds. */
  duration: number | null;
  project: string | null;
}

/** A log line of a trace, as far as a list shows it. */
export interface TraceLog {
  id: string;
  severity: string | null;
  message: string;
  time: string | null;
}

/** The trace that an event is part of. */
export function traceOf(event: Event): string | null {
  const trace = event.contexts.find(([name]) => name === "trace")?.[1];
  const id = asText(trace?.trace_id)?.replaceAll("-", "").toLowerCase() ?? "";
  return /^[0-9a-f]{32}$/.test(id) && !/^0*$/.test(id) ? id : null;
}

export function readTraceSize(meta: unknown): TraceSize {
  const counts = asObject(meta);
  const count = (key: string) => asNumber(counts?.[key]) ?? 0;
  return {
    events: count("errorsCount") + count("performanceIssuesCount"),
    spans: count("spansCount"),
    logs: count("logsCount"),
  };
}

export function readTraceEvent(row: JsonObject): TraceEvent {
  const [id, shortId] = [asText(row["issue.id"]), asText(row.issue)];
  return {
    id: asText(row.id) ?? "",
    level: asText(row.level),
    title: asText(row.title) ?? "Untitled event",
    issue: id === null || shortId === null ? null : { id, shortId },
    project: asText(row["project.name"]),
    time: asText(row.timestamp),
  };
}

export function readSpan(row: JsonObject): TraceSpan {
  return {
    id: asText(row.id) ?? "",
    op: asText(row["span.op"]),
    name: asText(row["span.description"]) ?? "unnamed",
    duration: asNumber(row["span.duration"]),
    project: asText(row["project.name"]),
  };
}

export function readLog(row: JsonObject): TraceLog {
  return {
    id: asText(row.id) ?? "",
    severity: asText(row.severity),
    message: asText(row.message) ?? "",
    time: asText(row.timestamp),
  };
}

/** Milliseconds as people read them: `0.4 ms`, `120 ms`, `2.31 s`. */
export function milliseconds(ms: number): string {
  if (ms >= 1000) return `${(ms / 1000).toFixed(2)} s`;
  return ms >= 10 ? `${Math.round(ms)} ms` : `${Number(ms.toFixed(1))} ms`;
}
