// Unmodified SDKs send one of everything that they know; each of it is read back through the API.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { chromium } from "./browser.mjs";
import { run, Server } from "./server.mjs";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

let server;
before(async () => { server = await Server.start(); });
after(async () => {
  const books = await verify();
  await server.remove();
  assert.equal(books.balanced, true, JSON.stringify(books));
});

async function verify() {
  await server.stop();
  const { stdout } = spawnSync(process.env.TEST_SERVER, ["verify", "--json", "--data", server.data], { encoding: "utf8" });
  return JSON.parse(stdout);
}

const organization = (path) => `/organizations/${server.organization}${path}`;
const rows = (dataset, query, fields) =>
  server.until(
    organization(`/events/?dataset=${dataset}&query=${encodeURIComponent(query)}&${fields.map((f) => `field=${f}`).join("&")}`),
    ({ data }) => data.length > 0,
  ).then(({ data }) => data);

/** The root span of an SDK's transaction and its child. */
async function transaction(name, { child = "SELECT * FROM users WHERE id = 42", environment = "production" } = {}) {
  const [root] = await rows("spans", `is_transaction:true transaction:${name}`, ["id", "trace", "transaction", "span.op", "environment", "release"]);
  assert.equal(root["span.op"], "task");
  assert.equal(root.environment, environment);
  assert.equal(root.release, `items-${name.split(".")[0]}@1.0.0`);
  const spans = await rows("spans", `trace:${root.trace}`, ["id", "span.op", "span.description", "span.duration"]);
  // The old Go SDK names no description.
  const found = spans.find((span) => (child ? span["span.description"] === child : span["span.op"] === "db"));
  assert.ok(found, JSON.stringify(spans));
  assert.ok(found["span.duration"] >= 0);
}

async function log(name) {
  const [line] = await rows("ourlogs", `message:"${name} counted 3 orders"`, ["message", "severity", "trace"]);
  assert.equal(line.message, `${name} counted 3 orders`);
  assert.equal(line.severity, "info");
  assert.match(line.trace, /^[0-9a-f]{32}$/);
}

async function sessions(name, count, status = "healthy") {
  const query = encodeURIComponent(`release:items-${name}@1.0.0`);
  const fields = "field=sum(session)&groupBy=release&groupBy=session.status&statsPeriod=24h&interval=1h";
  const { groups } = await server.until(organization(`/sessions/?${fields}&query=${query}`), ({ groups }) =>
    groups.some((g) => g.by["session.status"] === status && g.totals["sum(session)"] === count));
  assert.ok(groups.every((g) => g.by["session.status"] === status || g.totals["sum(session)"] === 0), JSON.stringify(groups));
}

async function monitor(name) {
  const path = organization(`/monitors/${name}-nightly/`);
  const [found] = await server.until(organization("/monitors/"), (monitors) => monitors.some((m) => m.slug === `${name}-nightly` && m.environments[0].status === "ok"))
    .then((monitors) => monitors.filter((m) => m.slug === `${name}-nightly`));
  assert.deepEqual([found.config.schedule_type, found.config.schedule, found.config.checkin_margin], ["crontab", "0 3 * * *", 5]);
  const checkIns = await server.api(`${path}checkins/`);
  assert.deepEqual(checkIns.map((c) => [c.status, c.duration, c.environment]), [["ok", 2500, "production"]]);
}

async function attachment(id) {
  const { projectSlug } = await server.event(id);
  const path = `/projects/${server.organization}/${projectSlug}/events/${id}/attachments/`;
  const [file] = await server.until(path, (files) => files.length === 1);
  assert.deepEqual([file.name, file.size], ["basket.txt", 15]);
  const response = await fetch(`${server.url}/api/0${path}${file.id}/?download=1`, { headers: { authorization: `Bearer ${server.token}` } });
  assert.equal(await response.text(), "three lanterns\n");
}

async function feedback(name) {
  const query = "issue.category:feedback";
  const issues = await server.issues((all) => all.some((i) => i.metadata.message === `${name} feedback: the basket is empty`), query);
  const issue = issues.find((i) => i.metadata.message === `${name} feedback: the basket is empty`);
  assert.deepEqual([issue.metadata.contact_email, issue.metadata.name, issue.issueCategory], ["sam@example.com", "Sam", "feedback"]);
}

/** An error or message, found by its id, with what every SDK of these sends. */
async function event(id, { title, name, tag }) {
  const { event } = await server.event(id);
  assert.equal(event.title, title);
  const value = (key) => event.tags.find((t) => t.key === key)?.value;
  assert.equal(value("release"), `items-${name}@1.0.0`);
  if (tag) assert.equal(value("region"), tag);
  return event;
}

test("Python: transaction, log, session, check-ins, attachment", async () => {
  const sent = await run(process.env.TEST_PYTHON, [here("python/items.py")], { SENTRY_DSN: server.dsn });
  assert.equal(sent.status, 0, sent.err);
  await event(sent.lines[0], { title: "python message with a file", name: "python" });
  await transaction("python.nightly");
  await log("python");
  await sessions("python", 1);
  await monitor("python");
  await attachment(sent.lines[0]);
});

for (const [version, name] of [["@sentry/node-10", "node10"], ["@sentry/node", "node11"]]) {
  test(`Node, ${version}: transaction, log, session, check-ins, attachment, feedback`, async () => {
    const sent = await run("node", [here("node/items.mjs")], { SENTRY_DSN: server.dsn, SENTRY_NODE: version, SENTRY_NAME: name });
    assert.equal(sent.status, 0, sent.err);
    await event(sent.lines[0], { title: `${name} message with a file`, name });
    await transaction(`${name}.nightly`);
    await log(name);
    // The SDK begins one of its own, which this application's takes the place of.
    await sessions(name, 2);
    await monitor(name);
    await attachment(sent.lines[0]);
    await feedback(name);
  });
}

test("Rust: transaction, log, session, check-ins, attachment", async () => {
  const sent = await run(process.env.TEST_RUST_ITEMS, [], { SENTRY_DSN: server.dsn });
  assert.equal(sent.status, 0, sent.err);
  await event(sent.lines[0], { title: "rust message with a file", name: "rust" });
  await transaction("rust.nightly");
  await log("rust");
  await sessions("rust", 1);
  await monitor("rust");
  await attachment(sent.lines[0]);
});

test("Go, the old one of Debian: error, message, transaction", async () => {
  const sent = await run(process.env.TEST_GO_ITEMS, [], { SENTRY_DSN: server.dsn });
  assert.equal(sent.status, 0, sent.err);
  const [error, message] = sent.lines;
  const captured = await event(error, { title: "*fmt.wrapError: cannot charge 100 EUR: card expired", name: "go", tag: "eu-central" });
  const values = captured.entries.find((e) => e.type === "exception").data.values;
  assert.deepEqual(values.map((v) => v.type), ["*errors.errorString", "*fmt.wrapError"]);
  await event(message, { title: "go message", name: "go", tag: "eu-central" });
  await transaction("go.nightly", { child: null });
});

test("Ruby, the old one of Debian: error, message, transaction, sessions", async () => {
  const sent = await run("ruby", [here("ruby/items.rb")], { SENTRY_DSN: server.dsn });
  assert.equal(sent.status, 0, sent.err);
  const [error, message] = sent.lines;
  const captured = await event(error, { title: "ArgumentError: cannot charge 100 EUR", name: "ruby", tag: "eu-central" });
  const frame = captured.entries.find((e) => e.type === "exception").data.values[0].stacktrace.frames.at(-1);
  assert.equal(frame.function, "charge");
  await event(message, { title: "ruby message", name: "ruby", tag: "eu-central" });
  await transaction("ruby.nightly");
  await sessions("ruby", 1, "errored");
});

test("Browser: transaction, log, session, attachment, feedback", async () => {
  const bundle = await build({ entryPoints: [here("browser/items.js")], bundle: true, write: false, format: "iife" });
  const page = `<!doctype html><body><script>window.SENTRY_DSN=${JSON.stringify(server.dsn)}</script><script src="/items.js"></script>`;
  const site = createServer((request, response) => {
    const script = request.url === "/items.js";
    response.setHeader("content-type", script ? "text/javascript" : "text/html");
    response.end(script ? bundle.outputFiles[0].text : page);
  });
  await new Promise((resolve) => site.listen(0, "127.0.0.1", resolve));
  const browser = await chromium();
  try {
    const tab = await browser.newPage();
    await tab.goto(`http://127.0.0.1:${site.address().port}/`);
    await tab.getByText("sent").waitFor();
    const id = await tab.title();
    await event(id, { title: "browser message with a file", name: "browser" });
    await transaction("browser.nightly", { child: "fetch basket" });
    await log("browser");
    // The SDK takes the message, which it sends with a stack trace, for an error of the session.
    await sessions("browser", 1, "errored");
    await attachment(id);
    await feedback("browser");
  } finally {
    await browser.close();
    site.close();
  }
});
