// Data as a small shop would produce it: one Python service, one browser front end. Times hang on a fixed moment, so that
// every run and every picture is the same; tests set the browser's clock to it.
export const NOW = Date.parse("2026-05-14T09:41:00Z");

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const ago = (ms) => new Date(NOW - ms).toISOString();

export const user = { id: "1", name: "Mira Okafor", username: "mira@example.com", email: "mira@example.com" };
const colleague = { id: "2", name: "Jonas Lindqvist", username: "jonas@example.com", email: "jonas@example.com" };

/** What an owner may; a member may not change the organization, nor remove teams and keys. */
const ACCESS = ["org:read", "org:write", "project:write", "project:admin", "team:write", "team:admin", "event:admin"];
export const organizations = [{ id: "1", slug: "acme", name: "Acme Supplies", access: ACCESS }];
export const asMember = organizations.map((each) => ({
  ...each,
  access: ACCESS.filter((scope) => !["org:write", "team:admin", "project:admin"].includes(scope)),
}));
export const members = [user, colleague].map((each) => ({
  id: each.id,
  email: each.email,
  name: each.name,
  user: each,
}));

export const projects = [
  project("1", "shop-api", "Shop API", "python-django", ago(41 * DAY)),
  project("2", "storefront", "Storefront", "javascript-react", ago(39 * DAY)),
];

export function project(id, slug, name, platform, firstEvent) {
  return { id, slug, name, platform, firstEvent, dateCreated: ago(42 * DAY) };
}

export const keys = [
  {
    id: "9f2c4b7e6d1a4c0f8e3b5a7d9c1e2f40",
    name: "Default",
    public: "9f2c4b7e6d1a4c0f8e3b5a7d9c1e2f40",
    isActive: true,
    rateLimit: null,
    dateCreated: ago(42 * DAY),
    dsn: { public: "http://9f2c4b7e6d1a4c0f8e3b5a7d9c1e2f40@127.0.0.1:8484/1" },
  },
];

export const quotas = {
  organization: [
    {
      id: "1",
      scope: "organization",
      scopeId: null,
      categories: ["error", "transaction"],
      limit: 100_000,
      window: 86_400,
      reasonCode: "org_quota",
      usage: { used: 41_230, resetsAt: ago(-9 * HOUR) },
    },
    {
      id: "2",
      scope: "project",
      scopeId: "2",
      categories: ["log_byte"],
      limit: 50_000_000,
      window: 3_600,
      reasonCode: "storefront-logs",
      usage: { used: 50_000_000, resetsAt: ago(-19 * MINUTE) },
    },
  ],
  project: [
    {
      id: "3",
      scope: "project",
      scopeId: null,
      categories: ["replay"],
      limit: 0,
      window: null,
      reasonCode: "project_quota",
      usage: null,
    },
  ],
};

export const tokens = [
  {
    id: "1",
    name: "build server",
    scopes: ["org:read", "project:read", "project:releases"],
    dateCreated: ago(30 * DAY),
    tokenLastCharacters: "a81c",
  },
  {
    id: "2",
    name: "notebook",
    scopes: ["event:read", "org:read", "project:read"],
    dateCreated: ago(9 * DAY),
    tokenLastCharacters: "07fe",
  },
];

/** A small generator with a seed: the same numbers every time. */
function random(seed) {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
}

function series(seed, buckets, width, level, shape) {
  const next = random(seed);
  const end = Math.floor(NOW / 1_000 / width) * width;
  return Array.from({ length: buckets }, (_, index) => {
    const at = index / (buckets - 1);
    return [end - (buckets - 1 - index) * width, Math.max(0, Math.round(level * shape(at) * (0.5 + next())))];
  });
}

const steady = () => 1;
const rising = (at) => at ** 4 * 3;
const burst = (at) => (at > 0.55 && at < 0.75 ? 4 : 0.15);
const recent = (at) => (at > 0.9 ? 5 : 0);
const wave = (at) => 1 + Math.sin(at * 18) * 0.9;

let counter = 0;
function issue(fields) {
  counter += 1;
  const { level = "error", shape = steady, rate = 4, lastSeen, firstSeen, project: of = projects[0], ...rest } = fields;
  const hourly = series(counter * 7, 24, 3_600, rate, shape);
  const daily = series(counter * 13, 30, 86_400, rate * 24, shape);
  const total = daily.slice(-14).reduce((sum, [, count]) => sum + count, 0);
  const { type, value } = rest.metadata;
  return {
    id: String(1_000 + counter),
    shortId: `${of.slug.toUpperCase()}-${"123456789ABCDEFGHJ"[counter - 1]}`,
    title: rest.metadata.title ?? (value ? `${type}: ${value}` : type),
    culprit: null,
    level,
    platform: of.platform.split("-")[0],
    permalink: "",
    status: "unresolved",
    substatus: "ongoing",
    statusDetails: {},
    isUnhandled: false,
    hasSeen: true,
    priority: "medium",
    isEditable: true,
    project: { id: of.id, slug: of.slug, name: of.name, platform: of.platform },
    type: type ? "error" : "default",
    issueType: "error",
    issueTypeName: "Error",
    issueCategory: "error",
    numComments: 0,
    unkeptCount: 0,
    userCount: Math.ceil(total / 7),
    count: String(Math.max(1, total)),
    firstSeen: ago(firstSeen),
    lastSeen: ago(lastSeen),
    assignedTo: null,
    stats: { "24h": hourly, "14d": daily.slice(-14), "30d": daily },
    ...rest,
  };
}

const [, storefront] = projects;
const assigned = (who) => ({ type: "user", id: who.id, name: who.name, email: who.email });

export const issues = [
  issue({
    metadata: { type: "PaymentDeclined", value: "card 4242 was declined by the bank: insufficient_funds" },
    culprit: "checkout.views.pay",
    substatus: "escalating",
    isUnhandled: true,
    hasSeen: false,
    shape: rising,
    rate: 31,
    lastSeen: 12_000,
    firstSeen: 6 * DAY,
    assignedTo: assigned(user),
  }),
  issue({
    metadata: { type: "TypeError", value: "Cannot read properties of undefined (reading 'price')" },
    culprit: "CartSummary(src/cart/CartSummary.tsx)",
    project: storefront,
    substatus: "regressed",
    isUnhandled: true,
    hasSeen: false,
    shape: burst,
    rate: 14,
    lastSeen: 2 * MINUTE,
    firstSeen: 21 * DAY,
  }),
  issue({
    metadata: {
      type: "OperationalError",
      value: "server closed the connection unexpectedly\n\tThis probably means the server terminated abnormally",
    },
    culprit: "inventory.tasks.sync_stock",
    level: "fatal",
    substatus: "new",
    isUnhandled: true,
    hasSeen: false,
    shape: recent,
    rate: 6,
    lastSeen: 4 * MINUTE,
    firstSeen: 2 * HOUR,
  }),
  issue({
    metadata: {
      type: "ChunkLoadError",
      value: "Loading chunk 481 failed.\n(error: https://shop.example.com/assets/481.f3a9c1.js)",
    },
    culprit: "src/routes/product",
    project: storefront,
    shape: wave,
    rate: 9,
    lastSeen: 11 * MINUTE,
    firstSeen: 33 * DAY,
    assignedTo: assigned(colleague),
  }),
  issue({
    metadata: { title: "Stock of SKU 88-1042 fell below zero" },
    culprit: "inventory.models.Stock.reserve",
    level: "warning",
    shape: wave,
    rate: 2,
    lastSeen: 26 * MINUTE,
    firstSeen: 12 * DAY,
  }),
  issue({
    metadata: { type: "Http404", value: "No Product matches the given query." },
    culprit: "catalog.views.product",
    level: "info",
    rate: 640,
    shape: wave,
    lastSeen: 31 * MINUTE,
    firstSeen: 40 * DAY,
  }),
  issue({
    metadata: { type: "TimeoutError", value: "POST https://api.shipping.example/v2/labels took longer than 10 s" },
    culprit: "shipping.client.create_label",
    shape: burst,
    rate: 5,
    lastSeen: 48 * MINUTE,
    firstSeen: 9 * DAY,
    assignedTo: assigned(colleague),
  }),
  issue({
    metadata: {
      type: "ValidationError",
      value:
        "{'postcode': ['Enter a valid postcode for the country selected, including the blank between its two halves where the country has one.']}",
    },
    culprit: "accounts.forms.AddressForm.clean",
    level: "warning",
    rate: 3,
    lastSeen: 1.2 * HOUR,
    firstSeen: 18 * DAY,
  }),
  issue({
    metadata: { type: "RangeError", value: "Invalid time value" },
    culprit: "formatDelivery(src/delivery/format.ts)",
    project: storefront,
    rate: 1,
    lastSeen: 3 * HOUR,
    firstSeen: 5 * DAY,
  }),
  issue({
    metadata: {
      type: "UnicodeDecodeError",
      value: "'utf-8' codec can't decode byte 0xe4 in position 17: invalid continuation byte",
    },
    culprit: "imports.csv_reader.rows",
    rate: 0.4,
    lastSeen: 7 * HOUR,
    firstSeen: 8 * HOUR,
    substatus: "new",
    hasSeen: false,
  }),
  issue({
    metadata: {
      type: "SecurityError",
      value: "Failed to read the 'localStorage' property from 'Window': Access is denied for this document.",
    },
    culprit: "src/cart/persist",
    project: storefront,
    rate: 0.3,
    lastSeen: 1.2 * DAY,
    firstSeen: 30 * DAY,
  }),
  issue({
    metadata: { title: "Slow report: monthly-vat took 84 s" },
    culprit: "reports.tasks.run",
    level: "debug",
    rate: 0.1,
    lastSeen: 2.4 * DAY,
    firstSeen: 36 * DAY,
  }),
  issue({
    metadata: { type: "KeyError", value: "'vat_id'" },
    culprit: "invoices.render.header",
    status: "resolved",
    substatus: null,
    rate: 2,
    lastSeen: 3 * DAY,
    firstSeen: 15 * DAY,
  }),
  issue({
    metadata: { type: "AbortError", value: "The user aborted a request." },
    culprit: "src/search/useSearch",
    project: storefront,
    status: "ignored",
    substatus: "archived_until_escalating",
    rate: 8,
    lastSeen: 20 * MINUTE,
    firstSeen: 38 * DAY,
  }),
  issue({
    metadata: { title: "Disk is nearly full", value: "/var on db-2 is at 97 %" },
    culprit: "db-2",
    level: "warning",
    substatus: "new",
    type: "generic",
    issueType: "disk_full",
    issueTypeName: "Disk full",
    issueCategory: "outage",
    rate: 0.2,
    lastSeen: 4 * DAY,
    firstSeen: 4 * DAY,
  }),
  issue({
    metadata: { title: "Blocked 'script' from 'cdn.tracker.example'" },
    culprit: "script-src-elem 'self' https://js.payments.example",
    project: storefront,
    status: "resolved",
    substatus: null,
    type: "csp",
    rate: 3,
    lastSeen: 2 * DAY,
    firstSeen: 9 * DAY,
  }),
];

/** Issue types with their rules: two built in, one of them changed, and one of the organization's own. */
export const issueTypes = [
  issueType(1, "error", "Error", "error", { hasDetector: true }),
  issueType(1_001, "performance_slow_db_query", "Slow DB Query", "db_query", {
    formerCategory: "performance",
    defaultPriority: "low",
    noise: { ignoreLimit: 20, expirySecs: 86_400 },
    isOverridden: true,
  }),
  issueType(6_001, "feedback", "Feedback", "feedback", { isListed: false, escalates: false }),
  issueType(100_000, "disk_full", "Disk full", "outage", {
    description: "A volume runs out of room. Remove old backups or grow the volume.",
    defaultPriority: "high",
    isBuiltIn: false,
    evidence: [
      { key: "used_bytes", label: "Used", format: "bytes" },
      { key: "check_ms", label: "Check took", format: "duration_ms" },
      { key: "command", label: "Command", format: "code" },
      { key: "measured_at", label: "Measured", format: "time" },
      { key: "runbook", label: null, format: "url" },
    ],
  }),
];

function issueType(type, slug, name, category, rules) {
  return {
    type,
    slug,
    name,
    description: "",
    category,
    formerCategory: null,
    defaultPriority: "medium",
    noise: null,
    limitsProducersOnly: slug === "error",
    creationQuota: { limit: 5, windowSecs: 3_600, granularitySecs: 60 },
    isReleased: true,
    isListed: true,
    autoResolves: true,
    escalates: true,
    isEditable: true,
    notifies: true,
    hasDetector: false,
    evidence: [],
    isBuiltIn: true,
    isOverridden: false,
    ...rules,
  };
}

const cause = (type, name = null) => ({ type, name, detectorId: null });
const activity = (id, type, data, why, dateCreated) => ({ id, type, user: null, data, cause: why, dateCreated });

export const teams = [
  {
    id: "1",
    slug: "checkout",
    name: "Checkout",
    isMember: true,
    memberCount: 1,
    projects: [{ id: "1", slug: "shop-api", name: "Shop API", platform: "python-django" }],
    memberIds: ["1"],
  },
];

export const projectTokens = [
  {
    id: "1",
    name: "backup hosts",
    scopes: ["occurrence:write"],
    dateCreated: ago(4 * DAY),
    tokenLastCharacters: "b7d2",
  },
];

export function detail(id) {
  const found = issues.find((each) => each.id === id || each.shortId === id);
  if (!found) return null;
  return {
    ...found,
    firstRelease: { version: "shop@2.13.4" },
    lastRelease: { version: "shop@2.14.0" },
    activity: [
      activity("5", "set_escalating", { forecast: 60 }, cause("rule", "forecast"), ago(2 * HOUR)),
      activity("4", "auto_set_ongoing", { after_days: 7 }, cause("job", "auto-transition-to-ongoing"), ago(DAY)),
      activity("3", "set_resolved", {}, cause("detector"), ago(2 * DAY)),
      { ...activity("2", "assigned", { assigneeName: user.name }, cause("user"), ago(3 * DAY)), user: colleague },
      activity("1", "first_seen", {}, cause("occurrence"), found.firstSeen),
    ],
    escalatesAbove: null,
  };
}

export const tags = [
  tag("environment", [
    ["production", 3_110],
    ["staging", 41],
  ]),
  tag("release", [
    ["shop@2.14.0", 2_204],
    ["shop@2.13.5", 690],
    ["shop@2.13.4", 257],
  ]),
  tag("browser", [
    ["Chrome 136", 1_630],
    ["Safari 18.4", 811],
    ["Firefox 138", 402],
    ["Edge 136", 308],
  ]),
  tag("os", [
    ["macOS", 1_402],
    ["Windows", 1_120],
    ["iOS", 629],
  ]),
  tag("url", [
    ["https://shop.example.com/checkout/pay", 3_018],
    ["https://shop.example.com/checkout/retry", 133],
  ]),
  tag("transaction", [["checkout.views.pay", 3_151]]),
  tag("server_name", [
    ["api-7c9f", 1_604],
    ["api-51be", 1_547],
  ]),
  tag("level", [["error", 3_151]]),
];

function tag(key, values) {
  const totalValues = values.reduce((sum, [, count]) => sum + count, 0);
  return {
    key,
    name: key,
    totalValues,
    uniqueValues: values.length,
    topValues: values.map(([value, count]) => ({
      key,
      name: value,
      value,
      count,
      firstSeen: ago(DAY),
      lastSeen: ago(MINUTE),
    })),
  };
}
