// Unmodified SDKs, from their registries, send to the real server; what they sent is read back through the API.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { chromium } from "./browser.mjs";
import { run, Server } from "./server.mjs";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const PYTHON = process.env.TEST_PYTHON;
const RUST_APP = process.env.TEST_RUST_APP;

let server;
before(async () => { server = await Server.start(); });
after(() => server.remove());

const issueTitled = (title) => server.issues((issues) => issues.some((i) => i.title === title)).then((issues) => issues.find((i) => i.title === title));
const latest = (issue) => server.until(`/organizations/${server.organization}/issues/${issue.id}/events/latest/`, () => true);
const entry = (event, type) => event.entries.find((e) => e.type === type)?.data;
const tag = (event, key) => event.tags.find((t) => t.key === key)?.value;

test("Python: a chain, a message, locals and source arrive and read back right", async () => {
  const sent = await run(PYTHON, [here("python/app.py")], { SENTRY_DSN: server.dsn });
  assert.match(sent.err, /PaymentError: cannot charge 100 EUR/, "the application dies of its exception");

  const issue = await issueTitled("PaymentError: cannot charge 100 EUR");
  assert.equal(issue.count, "1");
  assert.equal(issue.userCount, 1);
  assert.equal(issue.level, "error");
  assert.equal(issue.isUnhandled, true);
  assert.equal(issue.status, "unresolved");
  assert.equal(issue.substatus, "new");
  assert.equal(issue.platform, "python");

  const event = await latest(issue);
  const { values } = entry(event, "exception");
  assert.deepEqual(values.map((v) => v.type), ["ZeroDivisionError", "PaymentError"], "root cause first");
  const frame = values[1].stacktrace.frames.at(-1);
  assert.equal(frame.function, "charge");
  assert.equal(frame.inApp, true);
  assert.equal(frame.vars.currency, "'EUR'");
  const line = frame.context.find(([number]) => number === frame.lineNo);
  assert.match(line[1], /raise PaymentError/);
  assert.equal(event.user.id, "42");
  assert.equal(event.user.email, "jane@example.com");
  assert.equal(event.contexts.runtime.name, "CPython");
  assert.equal(tag(event, "region"), "eu-central");
  assert.equal(tag(event, "environment"), "production");
  assert.equal(tag(event, "release"), "shop@4.12.0");
  assert.equal(tag(event, "server_name"), "web-1");
  assert.ok(entry(event, "breadcrumbs").values.some((b) => b.message === "basket closed"));

  const [id] = sent.lines;
  const { event: message } = await server.event(id);
  assert.equal(message.title, "login rejected");
  assert.equal(tag(message, "level"), "warning");
});

test("Node: a captured error with its cause, then an unhandled one", async () => {
  const sent = await run("node", [here("node/app.mjs")], { SENTRY_DSN: server.dsn });
  assert.notEqual(sent.status, 0, "the application dies of its exception");

  const captured = await latest(await issueTitled("RangeError: page 0 does not exist"));
  assert.equal(captured.id, sent.lines[0]);
  const { values } = entry(captured, "exception");
  assert.deepEqual(values.map((v) => v.type).sort(), ["Error", "RangeError"]);
  const raised = values.find((v) => v.type === "RangeError");
  const frame = raised.stacktrace.frames.at(-1);
  assert.equal(frame.function, "runQuery");
  assert.ok(frame.context.some(([, text]) => text.includes("throw new RangeError")));
  assert.equal(captured.user.username, "sam");

  const unhandled = await issueTitled("TypeError: Cannot read properties of null (reading 'length')");
  assert.equal(unhandled.isUnhandled, true);
  assert.match(unhandled.culprit, /deferred/);
});

test("Rust: an error and a panic", async () => {
  const sent = await run(RUST_APP, [], { SENTRY_DSN: server.dsn });
  assert.equal(sent.status, 0, sent.err);
  const [error, panic] = sent.lines;
  const { event: captured } = await server.event(error);
  assert.match(captured.title, /ParseIntError: invalid digit found in string/);
  const { event: panicked } = await server.event(panic);
  assert.match(panicked.title, /panic: index out of bounds: the len is 3/);
  const frames = entry(panicked, "exception").values[0].stacktrace.frames;
  assert.ok(frames.some((f) => f.function.includes("scale") && f.inApp), "the application's frame is in-app");
  assert.ok(frames.every((f) => !(f.function.startsWith("std::") && f.inApp)), "the standard library is not");
  assert.equal(tag(panicked, "release"), "thumbnailer@1.2.3");
});

test("Browser: an exception in a click handler of a page of another origin", async () => {
  const bundle = await build({ entryPoints: [here("browser/app.js")], bundle: true, write: false, format: "iife" });
  const page = `<!doctype html><button>Add</button><script>window.SENTRY_DSN=${JSON.stringify(server.dsn)}</script><script src="/app.js"></script>`;
  const site = createServer((request, response) => {
    const script = request.url === "/app.js";
    response.setHeader("content-type", script ? "text/javascript" : "text/html");
    response.end(script ? bundle.outputFiles[0].text : page);
  });
  await new Promise((resolve) => site.listen(0, "127.0.0.1", resolve));
  const browser = await chromium();
  try {
    const tab = await browser.newPage();
    await tab.goto(`http://127.0.0.1:${site.address().port}/`);
    await tab.click("button");
    const issue = await issueTitled("TypeError: Cannot read properties of undefined (reading 'price')");
    const event = await latest(issue);
    assert.equal(event.platform, "javascript");
    const frame = entry(event, "exception").values[0].stacktrace.frames.at(-1);
    assert.equal(frame.function, "addToBasket");
    assert.ok(frame.colNo > 0);
    assert.ok(entry(event, "breadcrumbs").values.some((b) => b.category === "ui.click"));
    assert.ok(entry(event, "request").headers.some(([name]) => name === "User-Agent"));
  } finally {
    await browser.close();
    site.close();
  }
});

test("The same error again is the same issue; resolved and seen again it is regressed", async () => {
  const send = (times) => run(PYTHON, [here("python/app.py"), "--repeat", String(times)], { SENTRY_DSN: server.dsn });
  const path = `/organizations/${server.organization}/issues/?query=${encodeURIComponent("cannot charge")}`;
  const [before_] = await server.until(path, (issues) => issues.length === 1);
  await send(3);
  const seen = Number(before_.count) + 3;
  const [issue] = await server.until(path, (issues) => issues.length === 1 && issues[0].count === String(seen));

  const resolved = await server.api(`/organizations/${server.organization}/issues/${issue.id}/`, { method: "PUT", body: { status: "resolved" } });
  assert.equal(resolved.status, "resolved");
  assert.equal(resolved.substatus, null);
  // An occurrence at most five seconds newer than the last regression or creation does not regress an issue
  // (that is the rule of the field), so what comes back is an event of a later moment.
  const event = await latest(issue);
  const later = { event_id: "c0ffee00c0ffee00c0ffee00c0ffee00", timestamp: Date.now() / 1000 + 30, platform: "python", exception: { values: entry(event, "exception").values.map((v) => ({ type: v.type, value: v.value, module: v.module, stacktrace: { frames: v.stacktrace.frames.map((f) => ({ function: f.function, module: f.module, filename: f.filename, abs_path: f.absPath, lineno: f.lineNo, in_app: f.inApp, context_line: f.context.find(([n]) => n === f.lineNo)?.[1] })) } })) } };
  const dsn = new URL(server.dsn);
  const answer = await fetch(`${dsn.origin}/api${dsn.pathname}/store/?sentry_key=${dsn.username}`, { method: "POST", body: JSON.stringify(later) });
  assert.deepEqual([answer.status, await answer.json()], [200, { id: later.event_id }]);
  const regressed = await server.until(`/organizations/${server.organization}/issues/${issue.id}/`, (i) => i.status === "unresolved");
  assert.equal(regressed.substatus, "regressed");
  assert.equal(regressed.count, String(seen + 1));
  assert.ok(regressed.activity.some((a) => a.type === "set_regression"));
});

test("Stopped or killed and started again, everything is as it was", async () => {
  const list = () => server.issues((issues) => issues.length > 0);
  const shown = (issues) => issues.map((i) => [i.id, i.shortId, i.title, i.count, i.status]);
  const before_ = shown(await list());
  for (const signal of ["SIGTERM", "SIGKILL"]) {
    await server.stop(signal);
    await server.run();
    assert.deepEqual(shown(await list()), before_);
    assert.equal(server.setup, null, "no second set-up link");
  }
});
