import { asNumber, asObject, asText, type JsonObject } from "./json";

/** What a browser reported by itself: a policy that stopped something, a certificate, a request that failed. */
export interface Report {
  title: string;
  /** What people look for, in reading order, then the rest. All of it is text from strangers. */
  facts: [string, string][];
  /** Long texts, to be unfolded. */
  texts: { name: string; text: string }[];
}

/** Reads a member and the ones beside it; `null` when it tells nothing. */
type Fact = [name: string, read: (report: JsonObject) => string | null];

interface Kind {
  title: string;
  facts: Fact[];
  texts: Fact[];
  /** Members that facts and texts are made of. */
  told: string[];
}

const member =
  (key: string) =>
  (report: JsonObject): string | null =>
    asText(report[key]);

const list =
  (key: string) =>
  (report: JsonObject): string | null => {
    const value = report[key];
    if (!Array.isArray(value)) return asText(value);
    const lines = value.map((each) => asText(each) ?? JSON.stringify(each));
    return lines.length === 0 ? null : lines.join("\n");
  };

const CSP: Kind = {
  title: "Content security policy",
  facts: [
    ["Directive", member("effective_directive")],
    ["Violated", violated],
    ["Blocked", member("blocked_uri")],
    ["Document", member("document_uri")],
    ["Source", source],
    ["Referrer", member("referrer")],
    ["Effect", disposition],
    ["Status of the document", member("status_code")],
  ],
  texts: [
    ["Sample", member("script_sample")],
    ["Policy", policy],
  ],
  told: [
    "effective_directive",
    "violated_directive",
    "blocked_uri",
    "document_uri",
    "source_file",
    "line_number",
    "column_number",
    "referrer",
    "disposition",
    "status_code",
    "script_sample",
    "original_policy",
  ],
};

const CERTIFICATE_FACTS: Fact[] = [
  ["Host", host],
  ["Noted host", member("noted_hostname")],
  ["Happened", member("date_time")],
  ["Expires", member("effective_expiration_date")],
  ["With subdomains", member("include_subdomains")],
  ["Response", member("response_status")],
  ["Certificate", member("cert_status")],
];
const CERTIFICATE_TEXTS: Fact[] = [
  ["Known pins", list("known_pins")],
  ["Served certificates", list("served_certificate_chain")],
  ["Validated certificates", list("validated_certificate_chain")],
  ["Timestamps of certificates", list("scts")],
  ["Stapled answer", list("ocsp_response")],
];
const CERTIFICATE_TOLD = [
  "hostname",
  "port",
  "noted_hostname",
  "date_time",
  "effective_expiration_date",
  "include_subdomains",
  "response_status",
  "cert_status",
  "known_pins",
  "served_certificate_chain",
  "validated_certificate_chain",
  "scts",
  "ocsp_response",
];

function certificate(title: string): Kind {
  return { title, facts: CERTIFICATE_FACTS, texts: CERTIFICATE_TEXTS, told: CERTIFICATE_TOLD };
}

/** By the type of the event's entry. */
const ENTRIES: Record<string, Kind> = {
  csp: CSP,
  expectct: certificate("Certificate transparency"),
  expectstaple: certificate("Stapled certificate status"),
  hpkp: certificate("Pinned keys"),
};

const NETWORK: Kind = {
  title: "Network error",
  facts: [
    ["Error", member("error_type")],
    ["Phase", member("phase")],
    ["Method", member("method")],
    ["Status", member("status_code")],
    ["Protocol", member("protocol")],
    ["Server", member("server_ip")],
    ["Referrer", member("referrer")],
    ["After", elapsed],
    ["Sampled", sampled],
  ],
  texts: [],
  told: [
    "type",
    "error_type",
    "phase",
    "method",
    "status_code",
    "protocol",
    "server_ip",
    "referrer",
    "elapsed_time",
    "sampling_fraction",
  ],
};

/** The report of an event: one of its entries, or the context of a network error. */
export function readReport(entries: ReadonlyMap<string, JsonObject>, network: JsonObject | null): Report | null {
  for (const [type, kind] of Object.entries(ENTRIES)) {
    const report = entries.get(type);
    if (report !== undefined) return read(kind, report);
  }
  return network === null ? null : read(NETWORK, network);
}

function read({ title, facts, texts, told }: Kind, report: JsonObject): Report {
  const tellingOf = (all: Fact[]) =>
    all.flatMap(([name, of]): [string, string][] => {
      const text = of(report);
      return text === null ? [] : [[name, text]];
    });
  const rest = Object.entries(report).flatMap(([key, value]): [string, string][] =>
    told.includes(key) || value === null || value === "" ? [] : [[key, asText(value) ?? JSON.stringify(value)]],
  );
  return {
    title,
    facts: [...tellingOf(facts), ...rest],
    texts: tellingOf(texts).map(([name, text]) => ({ name, text })),
  };
}

/** The directive as the policy has it, when it says more than its name. */
function violated(report: JsonObject): string | null {
  const text = asText(report.violated_directive);
  return text === asText(report.effective_directive) ? null : text;
}

/** `file:line:column`, as far as it is known. */
function source(report: JsonObject): string | null {
  const file = asText(report.source_file);
  const [line, column] = [asNumber(report.line_number), asNumber(report.column_number)];
  if (file === null) return line === null ? null : `line ${line}`;
  if (line === null) return file;
  return column === null ? `${file}:${line}` : `${file}:${line}:${column}`;
}

function disposition(report: JsonObject): string | null {
  const word = asText(report.disposition);
  if (word === "enforce") return "Blocked";
  return word === "report" ? "Reported only, not blocked" : word;
}

/** One directive a line. */
function policy(report: JsonObject): string | null {
  const directives = (asText(report.original_policy) ?? "").split(";").map((directive) => directive.trim());
  const said = directives.filter((directive) => directive !== "");
  return said.length === 0 ? null : said.join(";\n");
}

function host(report: JsonObject): string | null {
  const [name, port] = [asText(report.hostname), asText(report.port)];
  return name === null || port === null ? name : `${name}:${port}`;
}

function elapsed(report: JsonObject): string | null {
  const ms = asNumber(report.elapsed_time);
  return ms === null ? asText(report.elapsed_time) : `${ms.toLocaleString("en-US")} ms`;
}

function sampled(report: JsonObject): string | null {
  const part = asNumber(report.sampling_fraction);
  return part === null ? null : `${Number((part * 100).toPrecision(3))} % of such requests`;
}

/** The context in which an event of a network error keeps its report. */
export function networkReport(contexts: unknown): JsonObject | null {
  return asObject(asObject(contexts)?.nel);
}
