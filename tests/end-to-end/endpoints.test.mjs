// What reaches the server another way than in envelopes of SDKs: the crash-report dialog in a real browser, a crash
// dump, a check-in, browser reports, OpenTelemetry. Against the real server.
import AxeBuilder from "@axe-core/playwright";
import { build } from "esbuild";
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { chromium } from "./browser.mjs";
import { Server } from "./server.mjs";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

let server;
before(async () => { server = await Server.start(); });
after(() => server.remove());

/** Posts to an endpoint of the project; status and body. */
async function post(path, body, headers = {}) {
  const dsn = new URL(server.dsn);
  const url = `${dsn.origin}/api${dsn.pathname}${path}?sentry_key=${dsn.username}`;
  const answer = await fetch(url, { method: "POST", body, headers });
  return [answer.status, await answer.text()];
}

test("The browser SDK's dialog asks the visitor, says what is wrong, and takes the report", async () => {
  const bundle = await build({ entryPoints: [here("browser/dialog.js")], bundle: true, write: false, format: "iife" });
  const html = `<!doctype html><html lang="en"><title>Shop</title><main><h1>Shop</h1><button>Add</button></main><script>window.SENTRY_DSN=${JSON.stringify(server.dsn)}</script><script src="/app.js"></script></html>`;
  const site = createServer((request, response) => {
    const script = request.url === "/app.js";
    response.setHeader("content-type", script ? "text/javascript" : "text/html");
    response.end(script ? bundle.outputFiles[0].text : html);
  });
  await new Promise((resolve) => site.listen(0, "127.0.0.1", resolve));
  const browser = await chromium();
  try {
    const context = await browser.newContext();
    const page = await context.newPage();
    page.on("pageerror", (error) => assert.fail(`the page threw: ${error}`));
    await page.goto(`http://127.0.0.1:${site.address().port}/`);
    await page.getByRole("button", { name: "Add" }).click();
    const dialog = page.getByRole("dialog", { name: "Oh no <b>" });
    await dialog.waitFor();
    assert.equal(await dialog.getByLabel("Name").inputValue(), "Jane");
    const { violations } = await new AxeBuilder({ page }).include("dialog").analyze();
    assert.deepEqual(violations, []);

    await dialog.getByLabel("Email").fill("nobody");
    await dialog.getByRole("button", { name: "Send report" }).click();
    await dialog.getByText("Please enter an email address.").waitFor();
    await dialog.getByText("Please fill this in.").waitFor();
    await dialog.getByLabel("Email").fill("jane@example.com");
    await dialog.getByLabel("What were you doing?").fill("I bought a lantern.");
    await dialog.getByRole("button", { name: "Send report" }).click();
    await dialog.getByText("Your report has been sent.").waitFor();
    await dialog.getByRole("button", { name: "Close" }).click();
    await page.waitForFunction(() => document.title === "closed");
    await server.issues((issues) => issues.some((issue) => issue.title === "Error: basket is gone"));
  } finally {
    await browser.close();
    site.close();
  }
});

test("A minidump becomes an issue, with what the form says", async () => {
  const form = new FormData();
  form.append("upload_file_minidump", new Blob(["MDMP and so on"]), "crash.dmp");
  form.append("sentry", JSON.stringify({ release: "game@1.0", tags: { level: "9" } }));
  const [status, id] = await post("/minidump/", form);
  assert.equal(status, 200);
  assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/);
  const [issue] = await server.issues((issues) => issues.length === 1, "release:game@1.0");
  assert.equal(issue.level, "fatal");
  assert.equal(issue.platform, "native");
  assert.equal(issue.isUnhandled, true);
});

test("Check-ins, browser reports and OpenTelemetry are taken", async () => {
  const json = { "content-type": "application/json" };
  const csp = JSON.stringify({ "csp-report": { "document-uri": "https://shop.example/", "blocked-uri": "https://evil.example/", "effective-directive": "script-src" } });
  const spans = JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [{ traceId: "5b8efff798038103d269b633813fc60c", spanId: "eee19b7ec3c1b174", name: "job" }] }] }] });
  for (const [path, body, headers, wanted] of [
    ["/cron/nightly/", '{"status":"ok"}', json, [202, ""]],
    ["/security/", csp, { "content-type": "application/csp-report" }, [200, ""]],
    ["/nel/", "[]", { "content-type": "application/reports+json" }, [200, ""]],
    ["/integration/otlp/v1/traces", spans, json, [200, "{}"]],
    ["/integration/otlp/v1/logs", new Uint8Array(), { "content-type": "application/x-protobuf" }, [200, ""]],
  ]) {
    assert.deepEqual(await post(path, body, headers), wanted, path);
  }
});

test("A check-in that comes before the one that describes its monitor waits for it", async () => {
  const run = { check_in_id: "0".repeat(31) + "7" };
  const monitor_config = { schedule: { type: "interval", value: 1, unit: "hour" } };
  for (const checkIn of [{ ...run, status: "ok", duration: 2 }, { ...run, status: "in_progress", monitor_config }]) {
    const answer = await post("/cron/hourly/", JSON.stringify(checkIn), { "content-type": "application/json" });
    assert.deepEqual(answer, [202, ""]);
  }
  const path = `/organizations/${server.organization}/monitors/`;
  await server.until(path, (monitors) => monitors.some((monitor) => monitor.slug === "hourly"));
  const checkIns = await server.api(`${path}hourly/checkins/`);
  assert.deepEqual(checkIns.map(({ status, duration }) => [status, duration]), [["ok", 2000]]);
});
