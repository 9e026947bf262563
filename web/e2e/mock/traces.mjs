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

/** Three in the trace: the event itself, one of the front end, one of a detector. */
const EVENTS = [
  [
    "0c2e4a6b8d0f1a3c5e7092b4d6f8a1c3",
    "error",
    "TypeError: <i>price</i> of undefined",
    "STOREFRONT-2",
    1002,
    "storefront",
  ],
  [
    "e3d27f60b8c94a1fa05d9b74c6f1283e",
    "error",
    "PaymentDeclined: card 4242 was declined by the bank",
    "SHOP-API-1",
    1001,
    "shop-api",
  ],
  ["5d3f7b9a1c2e4f60718293a4b5c6d7e8", "warning", "Disk is nearly full", "SHOP-API-F", 1015, "shop-api"],
].map(([id, level, title, issue, issueId, project], index) => ({
  id,
  level,
  title,
  issue,
  "issue.id": issueId,
  "project.name": project,
  timestamp: `2026-05-14T09:40:${46 + index}.250Z`,
}));

/** Events, spans and log lines; without any on a server that keeps none. */
export function traceAnswer(scenario, what, url) {
  const isEmpty = scenario === "silent" || scenario === "bare";
  if (isEmpty) return what === "trace-meta" ? {} : { data: [], meta: {} };
  if (what === "trace-meta")
    return { errorsCount: 2, performanceIssuesCount: 1, spansCount: 24, logsCount: LOGS.length };
  const rows = { spans: SPANS, ourlogs: LOGS }[url.searchParams.get("dataset")] ?? EVENTS;
  return { data: rows, meta: {} };
}
