/** What became of units of one kind and reason, over the intervals. */
export interface OutcomeSum {
  category: string;
  outcome: string;
  reason: string;
  total: number;
  series: number[];
}

/** The outcomes in the order they are shown, and what each means. */
export const OUTCOMES: { id: string; name: string; meaning: string }[] = [
  { id: "accepted", name: "Accepted", meaning: "It is stored, or had the effect it was sent for." },
  { id: "filtered", name: "Filtered", meaning: "A rule says that it shall have no effect." },
  { id: "rate_limited", name: "Rate limited", meaning: "There was more of it than is taken." },
  { id: "invalid", name: "Invalid", meaning: "It could not be handled." },
  {
    id: "client_discard",
    name: "Not sent",

    meaning: "The SDK threw it away and reported so; it never came here.",
  },
];

const CATEGORIES: Record<string, string> = {
  error: "Errors",
  transaction: "Transactions",
  security: "Security reports",
  attachment: "Attachments, in bytes",
  attachment_item: "Attachments",
  session: "Sessions",
  profile: "Profiles",
  profile_ui: "Profiles of user interfaces",
  profile_backend: "Profiles of servers",
  profile_chunk: "Profile chunks",
  profile_chunk_ui: "Profile chunks of user interfaces",
  replay: "Replays",
  monitor: "Check-ins",
  span: "Spans",
  feedback: "User feedback",
  metric_bucket: "Old metrics",
  log_item: "Logs",
  log_byte: "Logs, in bytes",
  trace_metric: "Metrics",
  occurrence: "Occurrences",
  status_change: "Status changes",
  default: "Anything",
  unknown: "Unreadable or unknown",
};

/** What a reason means, in plain words. The words of dead letters and of the issue platform are the server's. */
const REASONS: Record<string, string> = {
  duplicate: "An event with this id was counted before.",
  invalid_json: "The payload is not JSON.",
  not_an_object: "The payload is JSON, but no object.",
  too_deep: "The payload is nested deeper than is read.",
  too_many_entries: "Something in the payload has more entries than are read.",
  invalid_transaction: "The transaction lacks the times or ids that make it one.",
  invalid_span: "The span lacks the times or ids that make it one.",
  invalid_log: "The log line lacks its time, trace or body.",
  invalid_trace_metric: "The metric lacks its time, trace, name or value.",
  internal_error: "The server failed to handle it; replay it with a later release.",
  unreadable_payload: "Its bytes could not be read from the disk.",
  invalid_session: "The session names no valid release, or something in it is of the wrong kind.",
  timestamp: "Its time is too long ago, or in the future.",
  invalid_record: "The record could not be read.",
  damaged_record: "The disk gave the record back damaged.",
  missing_record: "The record was lost with the end of the log.",
  invalid_envelope: "The request is not an envelope, or breaks off.",
  empty_envelope: "The request holds nothing.",
  dsn_mismatch: "The envelope names another project or key than the request.",
  invalid_compression: "The body could not be decompressed.",
  cors: "The project does not take events from the page that sent it.",
  security_report_type: "The browser's report is of a kind that this server does not know.",
  security_report: "Something in the browser's report makes no sense.",
  empty_feedback: "The feedback says nothing.",
  no_monitor: "The check-in names no monitor.",
  unknown_monitor: "There is no such monitor, and the check-in does not say what to expect of it.",
  check_in_of_other_monitor: "The run belongs to another monitor or environment.",
  monitor_environment: "The monitor had more runs in this minute than are taken.",
  content_encoding: "The body is compressed in a way that is not supported.",
  invalid_entry: "The entry could not be read; others of its request could.",
  too_large: "The request is larger than is taken.",
  duplicate_item: "The envelope holds more than one event, so all of it was refused.",
  body_broken: "The connection broke off within the body.",
  body_timeout: "The body did not arrive in time.",
  unknown_item_type: "This server does not know this type of item.",
  unsupported_item_type: "This server does not store items of this type.",
  unsupported_trace_attachment: "This server does not store attachments of traces.",
  invalid_trace_attachment: "The attachment does not say to which trace it belongs, or where its file begins.",
  missing_upload: "The attachment refers to an upload that is not there, or that another attachment has taken.",
  withdrawn_item_type: "Items of this type were withdrawn from the protocol.",
  missing_payload: "The file was not in the blob store any more.",
  invalid_replay: "The replay's event lacks its id or segment, or names ids that are none.",
  invalid_replay_recording: "The replay's recording is not in its form.",
  invalid_replay_video: "The replay's video is empty or not in its form.",
  profiling_invalid_json: "The profile is not in its form.",
  profiling_platform_not_supported: "This server does not know this form of profiles.",
  profiling_no_transaction_associated: "The profile names no transaction, or came without it.",
  profiling_not_enough_samples: "The profile has too few samples to say how long anything took.",
  profiling_malformed_samples: "A sample of the profile names a stack that is not there.",
  profiling_malformed_stacks: "A stack of the profile names a frame that is not there.",
  profiling_duration_is_too_long: "The profile is longer than is taken.",
  invalid_payload: "Something in the message is missing or of the wrong kind.",
  event_schema_invalid: "The event in the message is not shaped like an event.",
  event_not_found: "The event that the message names was never stored.",
  unknown_project: "The project does not exist.",
  status_unsupported: "No message may set this status.",
  unknown_payload_type: "Nobody knows what kind of message this is.",
  feature_disabled: "This issue type is not switched on for the organization.",
  rate_limited: "Too many occurrences of one fingerprint came in a short time.",
  creation_quota: "The project got enough new issues of this type for now.",
  noise: "Not seen often enough to become an issue.",
  type_mismatch: "The fingerprint belongs to an issue of another type.",
  group_not_found: "No issue has this fingerprint.",
  status_unchanged: "The issue has this status already.",
  status_missing_substatus: "The status needs a substatus.",
  status_unexpected_substatus: "The status must not have a substatus.",
  status_invalid_substatus: "The substatus does not fit the status.",
  status_not_applicable: "Only an archived issue can escalate.",
  superseded: "The next status change of the same issue made it pointless.",
  before_send: "A before-send hook of the application dropped it.",
  event_processor: "An event processor of the application dropped it.",
  sample_rate: "It was left out by the sample rate of the SDK.",
  sampled: "It was left out by sampling.",
  ignored: "The SDK is set to ignore it.",
  queue_overflow: "The SDK's queue was full.",
  cache_overflow: "The SDK's cache was full.",
  buffer_overflow: "The SDK's buffer was full.",
  ratelimit_backoff: "The SDK was waiting for a rate limit to end.",
  network_error: "The SDK could not reach the server.",
  send_error: "The server refused it when the SDK sent it.",
  internal_sdk_error: "Something went wrong inside the SDK.",
  insufficient_data: "There was too little data to send.",
  backpressure: "The application was too busy.",
  no_parent_span: "A span without a parent is not sent.",
  invalid: "The SDK found that it is not valid.",
  key_quota: "The key's limit was reached.",
  org_quota: "The organization's limit was reached.",
  project_quota: "The project's limit was reached.",
  "browser-extensions": "A browser extension caused it.",
  "legacy-browsers": "It came from an old browser.",
  localhost: "It came from the developer's own machine.",
  "web-crawlers": "A web crawler caused it.",
  "filtered-transaction": "It was a health check.",
  "react-hydration-errors": "It was an error of React's hydration.",
  "chunk-load-error": "A part of the page could not be loaded.",
  "ip-address": "Its address is filtered.",
  "release-version": "Its release is filtered.",
  "error-message": "Its message is filtered.",
  "invalid-csp": "The report is about something that cannot be helped.",
  other: "The SDK gave a reason that this server does not know.",
};

/** Reasons for which what was refused is kept as a dead letter. */
const OF_LETTERS = new Set([
  "invalid_json",
  "not_an_object",
  "too_deep",
  "too_many_entries",
  "invalid_transaction",
  "invalid_span",
  "invalid_log",
  "invalid_trace_metric",
  "invalid_session",
  "invalid_replay",
  "invalid_replay_recording",
  "invalid_replay_video",
  "missing_payload",
  "security_report",
  "security_report_type",
  "empty_feedback",
  "no_monitor",
  "timestamp",
  "invalid_record",
  "damaged_record",
  "internal_error",
  "unreadable_payload",
]);

/** Whether what was refused for a reason may be among the dead letters. */
export function makesLetters(reason: string): boolean {
  return OF_LETTERS.has(reason) || reason.startsWith("profiling_");
}

/** Reasons of outcomes that are filtered elsewhere than by a project's inbound filters: issue types, settled changes. */
const OF_OTHER_RULES = new Set([
  "feature_disabled",
  "creation_quota",
  "noise",
  "type_mismatch",
  "group_not_found",
  "superseded",
  "rate_limited",
]);

/** Whether a project's inbound filters drop for this reason. */
export function isInboundFilter(reason: string): boolean {
  return reason !== "" && !OF_OTHER_RULES.has(reason) && !reason.startsWith("status_");
}

export function categoryName(category: string): string {
  return CATEGORIES[category] ?? category.replaceAll("_", " ");
}

/** What a reason means; the outcome's meaning where there is no reason, nothing where nobody knows. */
export function reasonMeaning(outcome: string, reason: string): string {
  if (reason === "") return OUTCOMES.find(({ id }) => id === outcome)?.meaning ?? "";
  const [, item] = /^too_large:(.*)$/.exec(reason) ?? [];
  if (item !== undefined)
    return `An item (${item.replaceAll("_", " ")}) is larger than is taken, so all of it was refused.`;
  return REASONS[reason] ?? "";
}

export interface CategoryRow {
  category: string;
  /** What came here: every outcome but what SDKs did not send. */
  received: number;
  byOutcome: Record<string, number>;
}

/** One row a category, errors first, then by what was received. */
export function categories(sums: OutcomeSum[]): CategoryRow[] {
  const rows = new Map<string, CategoryRow>();
  for (const { category, outcome, total } of sums) {
    const row = rows.get(category) ?? { category, received: 0, byOutcome: {} };
    row.byOutcome[outcome] = (row.byOutcome[outcome] ?? 0) + total;
    if (outcome !== "client_discard") row.received += total;
    rows.set(category, row);
  }
  const isError = ({ category }: CategoryRow) => Number(category === "error");
  return [...rows.values()].sort((a, b) => isError(b) - isError(a) || b.received - a.received);
}

/** The series of each outcome of a category, in the order of `OUTCOMES`; those without any are left out. */
export function layers(sums: OutcomeSum[], category: string): { outcome: string; name: string; counts: number[] }[] {
  return OUTCOMES.flatMap(({ id, name }) => {
    const own = sums.filter((sum) => sum.category === category && sum.outcome === id);
    if (own.length === 0) return [];
    const counts = (own[0]?.series ?? []).map((_, index) =>
      own.reduce((sum, { series }) => sum + (series[index] ?? 0), 0),
    );
    return [{ outcome: id, name, counts }];
  });
}
