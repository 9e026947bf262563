import { asArray, asBoolean, asNumber, asObject, asPairs, asText, type JsonObject } from "./json";
import { type Occurrence, readOccurrence } from "./occurrence";
import { networkReport, type Report, readReport } from "./report";

/** The event body (reference/web-api.md §3.9) as the pages use it: every member present, absent ones `null` or empty. */
export interface Event {
  id: string;
  title: string;
  type: string;
  message: string | null;
  culprit: string | null;
  platform: string | null;
  level: string | null;
  dateCreated: string | null;
  dateReceived: string | null;
  size: number | null;
  release: string | null;
  dist: string | null;
  sdk: { name: string; version: string | null } | null;
  tags: { key: string; value: string }[];
  user: JsonObject | null;
  contexts: [string, JsonObject][];
  extra: JsonObject | null;
  packages: [string, string][];
  problems: { type: string; message: string | null; data: JsonObject | null }[];
  fingerprints: string[];
  exceptions: Exception[];
  threads: Thread[];
  stacktrace: Frame[] | null;
  request: Request | null;
  breadcrumbs: Breadcrumb[];
  /** What a detector reported, for events that are not errors. */
  occurrence: Occurrence | null;
  /** What a browser reported by itself. */
  report: Report | null;
  /** What the user said about it. */
  userReport: UserReport | null;
  olderId: string | null;
  newerId: string | null;
}

export interface UserReport {
  name: string | null;
  email: string | null;
  comments: string | null;
  dateCreated: string | null;
}

/** One link of the chain, in the order sent: the root cause first, what was raised last. */
export interface Exception {
  type: string | null;
  value: string | null;
  module: string | null;
  mechanism: Mechanism | null;
  frames: Frame[] | null;
}

export interface Mechanism {
  type: string | null;
  handled: boolean | null;
  source: string | null;
  exceptionId: number | null;
  parentId: number | null;
  isGroup: boolean;
}

export interface Thread {
  id: string | null;
  name: string | null;
  state: string | null;
  crashed: boolean;
  current: boolean;
  main: boolean;
  frames: Frame[] | null;
}

/** One call. Frames stand oldest call first, as sent. */
export interface Frame {
  function: string | null;
  filename: string | null;
  absPath: string | null;
  module: string | null;
  package: string | null;
  platform: string | null;
  line: number | null;
  column: number | null;
  inApp: boolean;
  context: [number, string][];
  vars: JsonObject | null;
}

export interface Request {
  method: string | null;
  url: string | null;
  query: [string, string][];
  fragment: string | null;
  headers: [string, string][];
  cookies: [string, string][];
  body: unknown;
  env: JsonObject | null;
}

export interface Breadcrumb {
  type: string;
  level: string;
  category: string | null;
  message: string | null;
  timestamp: string | null;
  data: JsonObject | null;
}

export function readEvent(body: unknown): Event {
  const event = asObject(body) ?? {};
  const entries = new Map(
    asArray(event.entries).flatMap((entry) => {
      const type = asText(asObject(entry)?.type);
      return type === null ? [] : [[type, asObject(asObject(entry)?.data) ?? {}] as const];
    }),
  );
  const tags = asArray(event.tags).flatMap((tag) => {
    const key = asText(asObject(tag)?.key);
    return key === null ? [] : [{ key, value: asText(asObject(tag)?.value) ?? "" }];
  });
  const sdk = asObject(event.sdk);
  const sdkName = asText(sdk?.name);
  const message = entries.get("message");
  return {
    id: asText(event.eventID) ?? asText(event.id) ?? "",
    title: asText(event.title) ?? "Untitled event",
    type: asText(event.type) ?? "default",
    message: asText(message?.formatted) ?? asText(message?.message) ?? asText(event.message),
    culprit: asText(event.culprit),
    platform: asText(event.platform),
    level: asText(event.level) ?? tags.find((tag) => tag.key === "level")?.value ?? null,
    dateCreated: asText(event.dateCreated),
    dateReceived: asText(event.dateReceived),
    size: asNumber(event.size),
    release: asText(asObject(event.release)?.version) ?? asText(event.release),
    dist: asText(event.dist),
    sdk: sdkName === null ? null : { name: sdkName, version: asText(sdk?.version) },
    tags,
    user: asObject(event.user),
    contexts: Object.entries(asObject(event.contexts) ?? {}).flatMap(([name, value]) => {
      const context = asObject(value);
      // A network error's is its report.
      return context === null || name === "nel" ? [] : [[name, context] as [string, JsonObject]];
    }),
    extra: asObject(event.context),
    packages: asPairs(event.packages),
    problems: asArray(event.errors).flatMap((problem) => {
      const type = asText(asObject(problem)?.type);
      if (type === null) return [];
      return [{ type, message: asText(asObject(problem)?.message), data: asObject(asObject(problem)?.data) }];
    }),
    fingerprints: asArray(event.fingerprints).flatMap((hash) => asText(hash) ?? []),
    exceptions: asArray(entries.get("exception")?.values).map(readException),
    threads: asArray(entries.get("threads")?.values).map(readThread),
    stacktrace: readFrames(entries.get("stacktrace")),
    request: readRequest(entries.get("request")),
    breadcrumbs: asArray(entries.get("breadcrumbs")?.values).map(readBreadcrumb),
    occurrence: readOccurrence(event.occurrence),
    report: readReport(entries, networkReport(event.contexts)),
    userReport: readUserReport(event.userReport),
    olderId: asText(event.previousEventID),
    newerId: asText(event.nextEventID),
  };
}

function readUserReport(value: unknown): UserReport | null {
  const report = asObject(value);
  if (report === null) return null;
  return {
    name: asText(report.name),
    email: asText(report.email),
    comments: asText(report.comments),
    dateCreated: asText(report.dateCreated),
  };
}

function readException(value: unknown): Exception {
  const exception = asObject(value) ?? {};
  const mechanism = asObject(exception.mechanism);
  return {
    type: asText(exception.type),
    value: asText(exception.value),
    module: asText(exception.module),
    frames: readFrames(exception.stacktrace),
    mechanism: mechanism && {
      type: asText(mechanism.type),
      handled: asBoolean(mechanism.handled),
      source: asText(mechanism.source),
      exceptionId: asNumber(mechanism.exception_id),
      parentId: asNumber(mechanism.parent_id),
      isGroup: mechanism.is_exception_group === true,
    },
  };
}

function readThread(value: unknown): Thread {
  const thread = asObject(value) ?? {};
  return {
    id: asText(thread.id),
    name: asText(thread.name),
    state: asText(thread.state),
    crashed: thread.crashed === true,
    current: thread.current === true,
    main: thread.main === true,
    frames: readFrames(thread.stacktrace),
  };
}

function readFrames(stacktrace: unknown): Frame[] | null {
  const frames = asArray(asObject(stacktrace)?.frames).map(readFrame);
  return frames.length === 0 ? null : frames;
}

function readFrame(value: unknown): Frame {
  const frame = asObject(value) ?? {};
  return {
    function: asText(frame.function) ?? asText(frame.rawFunction) ?? asText(frame.symbol),
    filename: asText(frame.filename),
    absPath: asText(frame.absPath),
    module: asText(frame.module),
    package: asText(frame.package),
    platform: asText(frame.platform),
    line: asNumber(frame.lineNo),
    column: asNumber(frame.colNo),
    inApp: frame.inApp === true,
    context: asArray(frame.context).flatMap((pair): [number, string][] => {
      const line = asNumber(asArray(pair)[0]);
      const text = asArray(pair)[1];
      return line === null ? [] : [[line, typeof text === "string" ? text : ""]];
    }),
    vars: asObject(frame.vars),
  };
}

function readRequest(data: JsonObject | undefined): Request | null {
  if (data === undefined) return null;
  return {
    method: asText(data.method),
    url: asText(data.url),
    query: typeof data.query === "string" ? [...new URLSearchParams(data.query)] : asPairs(data.query),
    fragment: asText(data.fragment),
    headers: asPairs(data.headers),
    cookies: asPairs(data.cookies),
    body: data.data ?? null,
    env: asObject(data.env),
  };
}

function readBreadcrumb(value: unknown): Breadcrumb {
  const crumb = asObject(value) ?? {};
  return {
    type: asText(crumb.type) ?? "default",
    level: asText(crumb.level) ?? "info",
    category: asText(crumb.category),
    message: asText(crumb.message),
    timestamp: asText(crumb.timestamp),
    data: asObject(crumb.data),
  };
}
