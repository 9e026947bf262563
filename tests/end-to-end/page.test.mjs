// The page in a real browser against the real server: from the set-up link to a resolved issue, with the keyboard, in
// both themes, wide and narrow. Pictures are left in tests/results.
import AxeBuilder from "@axe-core/playwright";
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { chromium } from "./browser.mjs";
import { ACCOUNT, BINARY, run, Server } from "./server.mjs";

const RESULTS = fileURLToPath(new URL("../results/", import.meta.url));
const PYTHON_APP = fileURLToPath(new URL("python/app.py", import.meta.url));
const TITLE = /PaymentError/;

let server;
let browser;
let page;
before(async () => {
  mkdirSync(RESULTS, { recursive: true });
  server = await Server.start({ account: false });
  browser = await chromium();
  page = await (await browser.newContext({ viewport: { width: 1440, height: 900 } })).newPage();
  page.on("pageerror", (error) => assert.fail(`the page threw: ${error}`));
});
after(async () => {
  await browser.close();
  await server.remove();
});

const row = () => page.getByRole("row").filter({ hasText: TITLE });

test("the one-time link makes the first account and shows how to connect an application", async () => {
  assert.ok(server.setup, "a fresh server prints a link");
  await page.goto(server.setup);
  await page.getByLabel("Name").fill("Jane");
  await page.getByLabel("Email").fill(ACCOUNT.email);
  await page.getByLabel("Password").fill(ACCOUNT.password);
  await page.getByRole("button", { name: "Create account" }).click();
  await page.getByText(server.dsn).first().waitFor();
  await page.getByText(/Waiting for the first event/).waitFor();

  const again = await browser.newPage();
  await again.goto(server.setup);
  await again.getByLabel("Name").fill("Mallory");
  await again.getByLabel("Email").fill("mallory@example.com");
  await again.getByLabel("Password").fill("another password");
  await again.getByRole("button", { name: "Create account" }).click();
  await again.getByRole("alert").waitFor();
  await again.close();
});

test("the first event shows up by itself and leads to its issue", async () => {
  await run(process.env.TEST_PYTHON, [PYTHON_APP], { SENTRY_DSN: server.dsn });
  await page.getByRole("link", { name: /open/i }).filter({ visible: true }).first().waitFor();
  await page.goto(`${server.url}/`);
  await row().waitFor();
});

test("a filled list and an issue read well in both themes, wide and narrow", async () => {
  const demo = spawnSync(BINARY, ["demo", "--dsn", server.dsn, "--events", "300"], { encoding: "utf8" });
  assert.equal(demo.status, 0, demo.stderr);
  await page.goto(`${server.url}/`);
  await page.getByRole("row").filter({ hasText: "PaymentGatewayError" }).waitFor();
  const list = page.url();
  await page.getByRole("row").filter({ hasText: "PaymentGatewayError" }).getByRole("link").first().click();
  await page.getByRole("heading", { level: 1 }).filter({ hasText: "PaymentGatewayError" }).waitFor();
  await page.getByText("raise PaymentGatewayError").first().waitFor();
  const issue = page.url();
  for (const theme of ["light", "dark"]) {
    for (const width of [1440, 390]) {
      await page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
      await page.setViewportSize({ width, height: 900 });
      for (const [name, url, ready] of [
        ["issues", list, () => page.getByRole("row").filter({ hasText: "PaymentGatewayError" })],
        ["issue", issue, () => page.getByText("raise PaymentGatewayError").first()],
      ]) {
        await page.goto(url);
        await ready().waitFor();
        await page.screenshot({ path: `${RESULTS}${name}-${theme}-${width}.png`, fullPage: name === "issue" });
        const sideways = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        assert.ok(sideways <= 0, `${name} at ${width}: the page scrolls sideways by ${sideways} px`);
        const { violations } = await new AxeBuilder({ page }).analyze();
        assert.deepEqual(violations.map((v) => `${v.id}: ${v.nodes[0].target}`), [], `${name}, ${theme}, ${width}`);
      }
    }
  }
  await page.setViewportSize({ width: 1440, height: 900 });
});

test("the keyboard is enough: help, down, open, resolve; and the issue is resolved for everybody", async () => {
  await page.goto(`${server.url}/`);
  await row().waitFor();
  await page.keyboard.press("?");
  await page.getByRole("dialog").waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "hidden" });
  await page.keyboard.press("/");
  await page.keyboard.type("cannot charge");
  await page.keyboard.press("Enter");
  await page.getByRole("row").filter({ hasText: "PaymentGatewayError" }).waitFor({ state: "hidden" });
  await row().waitFor();
  await page.getByRole("heading", { level: 1 }).click();
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1 }).filter({ hasText: TITLE }).waitFor();
  await page.getByText("raise PaymentError").first().waitFor();
  await page.keyboard.press("e");
  await page.getByText("Resolved", { exact: true }).first().waitFor();
  await page.reload();
  await page.getByText("Resolved", { exact: true }).first().waitFor();
});

test("what an event contains is shown as text, never run", async () => {
  const dsn = new URL(server.dsn);
  const hostile = `<img src=x onerror="document.title='owned'"><script>document.title='owned'</script>`;
  const body = { message: hostile, tags: { evil: hostile }, extra: { evil: hostile }, request: { url: "javascript:document.title='owned'" }, user: { id: hostile } };
  const answer = await fetch(`${dsn.origin}/api${dsn.pathname}/store/?sentry_key=${dsn.username}`, { method: "POST", body: JSON.stringify(body) });
  assert.equal(answer.status, 200);
  await page.goto(`${server.url}/`);
  await page.getByRole("row").filter({ hasText: "onerror" }).getByRole("link").first().click();
  await page.getByRole("heading", { level: 1 }).filter({ hasText: "onerror" }).waitFor();
  assert.notEqual(await page.title(), "owned");
  assert.equal(await page.locator('a[href^="javascript"]').count(), 0);
});

test("signed out, a deep link asks to sign in and then leads where it pointed", async () => {
  const deep = page.url();
  const context = await browser.newContext();
  const other = await context.newPage();
  await other.goto(deep);
  await other.getByLabel("Email").fill(ACCOUNT.email);
  await other.getByLabel("Password").fill("not the password");
  await other.getByRole("button", { name: "Sign in" }).click();
  await other.getByRole("alert").waitFor();
  await other.getByLabel("Password").fill(ACCOUNT.password);
  await other.getByRole("button", { name: "Sign in" }).click();
  await other.getByRole("heading", { level: 1 }).filter({ hasText: "onerror" }).waitFor();
  await context.close();
});
