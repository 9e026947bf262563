// What there is of the trace of the Python event.
const SPANS = [
  ["3b4f7a1c9e0d2f58", "http.server", "POST /checkout/", 812.4],
  ["5c0e8d2b1a7f4e93", "db", "SELECT * FROM cart WHERE id = %s", 3.2],
  ["6d1f9e3c2b8a5f04", "http.client", "POST https://payments.example/charge", 640],
].map(([id, op, name, duration]) => ({
  id,
  "span.op": op,
  "span.description": name,
  "span.duration": duration,
  "project.name": "shop-api",
}));
const LOGS = [
  { id: "a".repeat(32), severity: "warn", message: "payment <b>declined</b>", timestamp: "2026-03-04T10:15:30.250Z" },
];

/** Spans and log lines; without any on a server that keeps none. */
export function traceAnswer(scenario, what, url) {
  const isEmpty = scenario === "silent" || scenario === "bare";
  const [spans, logs] = isEmpty ? [[], []] : [SPANS, LOGS];
  if (what === "trace-meta") return { spansCount: spans.length === 0 ? 0 : 24, logsCount: logs.length };
  return { data: url.searchParams.get("dataset") === "spans" ? spans : logs, meta: {} };
}
