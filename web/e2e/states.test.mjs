// The states of the pages that a real server shows only with luck: empty, failing, slow, hostile; and the keyboard. Run on
// the built pages (`npm run build`) with `npm run test:states`.
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import AxeBuilder from "@axe-core/playwright";
import { launch } from "./chromium.mjs";
import { NOW } from "./mock/fixtures.mjs";
import { startMock } from "./mock/server.mjs";

const ISSUES = "/organizations/acme/issues/";
const PRIVACY = "/settings/acme/projects/shop-api/security-and-privacy/";
const ORGANIZATION_PRIVACY = "/settings/acme/security-and-privacy/";
const FILTERS = "/settings/acme/projects/shop-api/filters/";
const PROJECT = "/settings/acme/projects/shop-api/";
const QUOTAS = "/settings/acme/quotas/";
const PROJECT_QUOTAS = "/settings/acme/projects/shop-api/quotas/";
const STATS = "/organizations/acme/stats/";
const RELEASES = "/organizations/acme/releases/";
const LETTERS = "/settings/acme/dead-letters/";
const LETTER = "/settings/acme/projects/shop-api/dead-letters/";
const WAIT_MS = 10_000;
/** Compressed script that the first page may need. */
const SCRIPT_BYTES_MAX = 150_000;

let mock;
let browser;
let context;
let page;
let faults;

before(async () => {
  mock = await startMock();
  browser = await launch();
});

after(async () => {
  await browser?.close();
  mock?.stop();
});

beforeEach(async () => {
  await context?.close();
  context = await browser.newContext({ viewport: { width: 1280, height: 900 }, reducedMotion: "reduce" });
  page = await context.newPage();
  page.setDefaultTimeout(WAIT_MS);
  await page.clock.setFixedTime(NOW);
  faults = [];
  page.on("pageerror", (error) => faults.push(error.message));
  page.on("request", (request) => {
    if (!request.url().startsWith(mock.url)) faults.push(`asked elsewhere: ${request.url()}`);
  });
});

async function open(path, scenario = "full") {
  await page.request.post(`${mock.url}/mock/`, { data: { scenario } });
  await page.goto(mock.url + path);
}

const heading = (name) => page.getByRole("heading", { name }).waitFor();
const rows = () => page.getByRole("grid", { name: "Issues" }).getByRole("row");
/** Waits until the list has so many rows, its head included. */
async function rowsToBe(count) {
  await rows()
    .nth(count - 1)
    .waitFor();
  await rows().nth(count).waitFor({ state: "detached" });
}
const path = () => new URL(page.url()).pathname;

describe("the issue list", () => {
  it("says why it is empty and what to do about it", async () => {
    await open(ISSUES, "bare");
    await heading("No project yet");
    await open(ISSUES, "silent");
    await page.getByRole("link", { name: "Set up Shop API" }).waitFor();
    await open(ISSUES, "done");
    await heading("No open issues");
    await open(`${ISSUES}?query=is:unresolved+browser.name:Safari+checkout`);
    await heading("Nothing matches");
    await page.getByRole("button", { name: "Remove browser.name:Safari" }).click();
    await page.getByRole("row", { name: /PaymentDeclined/ }).waitFor();
  });

  it("names the failure and the request, and tries again", async () => {
    await open(ISSUES, "failing");
    await page.getByText("The event store is starting").waitFor();
    await page.getByText("01JZ3F8W2K").waitFor();
    await page.request.post(`${mock.url}/mock/`, { data: { scenario: "full" } });
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByRole("row", { name: /PaymentDeclined/ }).waitFor();
  });

  it("shows the server's word on a search it does not understand", async () => {
    await open(`${ISSUES}?query=a+OR+b`);
    await page.getByRole("alert").getByText("OR is not supported").waitFor();
  });

  it("is worked by keys alone: move, select, resolve, undo, open", async () => {
    await open(ISSUES);
    await rows().nth(1).waitFor();
    const before = await rows().count();
    for (const key of ["j", "x", "j", "x"]) await page.keyboard.press(key);
    assert.equal(await page.getByRole("row", { selected: true }).count(), 2);
    await page.keyboard.press("e");
    await page.getByText("2 issues resolved").waitFor();
    await rowsToBe(before - 2);
    await page.keyboard.press("z");
    await page.getByRole("row", { name: /PaymentDeclined/ }).waitFor();
    await rowsToBe(before);
    await page.keyboard.press("k");
    await page.keyboard.press("k");
    await page.keyboard.press("Enter");
    await page.waitForURL("**/issues/1001/");
  });

  it("keeps typing out of the shortcuts and the search in the address", async () => {
    await open(ISSUES);
    await rows().nth(1).waitFor();
    await page.keyboard.press("/");
    await page.keyboard.press("Control+A");
    await page.keyboard.type("xetjk timeout");
    await page.keyboard.press("Enter");
    await heading("Nothing matches");
    assert.equal(new URL(page.url()).searchParams.get("query"), "xetjk timeout");
    await page.goBack();
    await page.getByRole("row", { name: /PaymentDeclined/ }).waitFor();
  });

  it("is narrowed to a type or category through its menu and back", async () => {
    await open(ISSUES);
    await rows().nth(1).waitFor();
    const before = await rows().count();
    await page.getByRole("button", { name: "Type", exact: true }).click();
    await page.getByRole("menuitemradio", { name: "Disk full" }).click();
    await rowsToBe(2);
    assert.match(await rows().nth(1).textContent(), /Disk full/);
    assert.equal(new URL(page.url()).searchParams.get("query"), "is:unresolved issue.type:disk_full");
    await page.getByRole("button", { name: "Type", exact: true }).click();
    await page.getByRole("menuitemradio", { name: "All types" }).click();
    await rowsToBe(before);
  });

  it("tells of new issues without moving the rows", async () => {
    await page.route("**/api/0/organizations/acme/issues/?*", async (route) => {
      const response = await route.fetch();
      const issues = await response.json();
      calls += 1;
      if (calls === 1) issues.shift();
      await route.fulfill({ response, json: issues });
    });
    let calls = 0;
    await open(ISSUES);
    await page.getByRole("button", { name: "1 new" }).waitFor();
    assert.match(await rows().nth(1).textContent(), /TypeError/);
    await page.getByRole("button", { name: "1 new" }).click();
    await page.getByRole("row", { name: /PaymentDeclined/ }).waitFor();
  });
});

describe("the issue page", () => {
  it("shows the raised exception first, its cause below, and unfolds library frames in place", async () => {
    await open(`${ISSUES}1001/`);
    const chain = page.getByRole("region", { name: "Stack trace" });
    await chain.getByText("caused by").waitFor();
    const titles = await chain.getByRole("heading", { level: 3 }).allInnerTexts();
    assert.deepEqual(titles, ["PaymentDeclined", "HTTPStatusError"]);
    await chain.getByText("(the failing line)").first().waitFor();
    await chain.getByRole("button", { name: "3 library frames" }).click();
    await chain.getByText("_get_response").waitFor();
  });

  it("lets a long message be scrolled by keys, and keeps a short one out of the way", async () => {
    await page.route("**/events/recommended/", async (route) => {
      const answer = await route.fetch();
      const event = await answer.json();
      const { values } = event.entries.find(({ type }) => type === "exception").data;
      values[0].value = "a long word ".repeat(2_000);
      await route.fulfill({ json: event });
    });
    await open(`${ISSUES}1001/`);
    const message = page.getByRole("region", { name: /^Message of/ });
    await message.waitFor();
    assert.equal(await message.count(), 1);
    await message.focus();
    assert.match(await page.evaluate(() => document.activeElement.textContent), /^a long word/);
  });

  it("leads to the releases it was first and last seen in, and marks only the list of events as all events", async () => {
    await open(`${ISSUES}1001/events/a94be07c51d34b8e9f6217c3d80e4b12/`);
    const all = page.getByRole("link", { name: "All events" });
    await all.waitFor();
    assert.equal(await all.getAttribute("aria-current"), null);
    const release = page
      .getByRole("complementary")
      .getByRole("link", { name: /^\S+@|^[\w.-]+@/ })
      .first();
    assert.match(await release.getAttribute("href"), /\/organizations\/acme\/releases\/.+\/\?project=/);
  });

  it("lists what else happened in the trace, and says when nothing of it is stored or it cannot be loaded", async () => {
    const trace = page.getByRole("region", { name: /^Trace/ });
    await open(`${ISSUES}1001/`);
    await trace.getByText("24 spans, the first 3").waitFor();
    await trace.getByText("POST /checkout/").waitFor();
    await trace.getByText("812 ms").waitFor();
    await trace.getByText("payment <b>declined</b>").waitFor();
    await trace.getByText("3 events").waitFor();
    await trace.getByText("this event").waitFor();
    await trace.getByRole("link", { name: "TypeError: <i>price</i> of undefined" }).click();
    await page.waitForURL(/issues\/1002\/events\/0c2e4a6b/);
    await page.goBack();
    await trace.getByText("payment <b>declined</b>").waitFor();
    await page.route("**/trace-meta/**", (route) => route.fulfill({ json: { spansCount: 0, logsCount: 0 } }));
    await page.route("**/organizations/acme/events/?**", (route) => route.fulfill({ json: { data: [], meta: {} } }));
    await page.reload();
    await trace.getByText("No spans or log lines of trace").waitFor();
    await page.route("**/trace-meta/**", (route) => route.fulfill({ status: 400, json: { detail: "no" } }));
    await page.reload();
    await trace.getByText("The trace could not be loaded").waitFor();
    await trace.getByRole("button", { name: "Try again" }).waitFor();
  });

  it("remembers that stacks are read raw", async () => {
    await open(`${ISSUES}1001/`);
    await page.getByRole("button", { name: "Raw", exact: true }).click();
    await page.reload();
    await page.getByText("Traceback (most recent call last)").first().waitFor();
  });

  it("follows a short id, and names an issue that is not there", async () => {
    await open(`${ISSUES}SHOP-API-1/`);
    await page.waitForURL("**/issues/1001/");
    await open(`${ISSUES}4711/`);
    await heading("There is no issue 4711");
  });

  it("goes from event to event by keys and by address", async () => {
    await open(`${ISSUES}1001/`);
    await page.getByRole("heading", { name: "Breadcrumbs" }).waitFor();
    await page.keyboard.press("[");
    await page.waitForURL("**/events/a94be07c51d34b8e9f6217c3d80e4b12/");
    await page.keyboard.press("{");
    await page.waitForURL("**/events/oldest/");
    await page.getByRole("button", { name: "Older event", disabled: true }).waitFor();
  });

  it("takes a refused change back and says so", async () => {
    await open(`${ISSUES}1001/`);
    await page.route("**/api/0/organizations/acme/issues/?id=*", (route) =>
      route.fulfill({ status: 403, json: { detail: "You may not change this issue." } }),
    );
    await page.getByRole("button", { name: "Resolve", exact: true }).click();
    await page.getByText("You may not change this issue.").waitFor();
    await page.getByRole("button", { name: "Resolve", exact: true }).waitFor();
  });

  it("shows the evidence of a detector in place of a stack trace, as its type wants it", async () => {
    await open(`${ISSUES}1015/`);
    const evidence = page.getByRole("region", { name: "Evidence", exact: true });
    await evidence.getByText("Volume", { exact: true }).waitFor();
    const names = await evidence.getByRole("term").allInnerTexts();
    assert.deepEqual(names, ["Volume", "Used", "Check took", "Command", "Measured", "runbook", "Host", "Resource"]);
    const values = await evidence.getByRole("definition").allInnerTexts();
    assert.equal(values[2], "2.31 s");
    await evidence.getByRole("link", { name: "https://wiki.example.com/runbooks/disk" }).waitFor();
    assert.equal(await page.getByRole("heading", { name: "Stack trace" }).count(), 0);
    await page.getByRole("button", { name: "Evidence data" }).click();
    await page.getByText("inodes").waitFor();
  });

  it("shows what a browser reported, its policy folded, and links none of its addresses", async () => {
    await open(`${ISSUES}1016/`);
    const report = page.getByRole("region", { name: "Content security policy" });
    await report.getByText("https://shop.example.com/assets/index.f3a9c1.js:118:24").waitFor();
    assert.equal(await report.getByRole("link").count(), 0);
    const policy = report.getByRole("region", { name: "policy" });
    assert.equal(await policy.isVisible(), false);
    await report.getByText("Policy", { exact: true }).click();
    await policy.getByText("img-src 'self' data:;").waitFor();
  });

  it("never runs or follows what an event holds", async () => {
    const nasty = '<img src=x onerror="window.broken=1"><script>window.broken=1</script>';
    await page.route("**/events/recommended/", (route) =>
      route.fulfill({
        json: {
          eventID: "f".repeat(32),
          title: nasty,
          platform: nasty,
          tags: [{ key: nasty, value: "javascript:window.broken=1" }],
          userReport: { name: nasty, email: "javascript:window.broken=1", comments: nasty, dateCreated: nasty },
          user: { email: nasty, link: "javascript:window.broken=1", [nasty]: { deep: Array(500).fill(nasty) } },
          occurrence: {
            type: 100_000,
            subtitle: nasty,
            resourceId: nasty,
            evidenceData: {
              runbook: "javascript:window.broken=1",
              command: nasty,
              measuredAt: nasty,
              usedBytes: nasty,
            },
            evidenceDisplay: [{ name: nasty, value: nasty, important: true }],
          },
          contexts: {
            nel: { phase: nasty, [nasty]: [nasty] },
            [nasty]: { a: "javascript:window.broken=1" },
            constructor: { b: 1 },
          },
          context: JSON.parse('{"__proto__": {"polluted": true}}'),
          entries: [
            {
              type: "exception",
              data: {
                values: [
                  {
                    type: nasty,
                    value: "x".repeat(100_000),
                    stacktrace: {
                      frames: [
                        { function: nasty, inApp: true, lineNo: 1, context: [[1, nasty]], vars: { [nasty]: nasty } },
                      ],
                    },
                  },
                ],
              },
            },
            {
              type: "csp",
              data: {
                blocked_uri: "javascript:window.broken=1",
                original_policy: nasty,
                source_file: nasty,
                [nasty]: nasty,
              },
            },
            { type: "request", data: { method: nasty, url: "javascript:window.broken=1", headers: [[nasty, nasty]] } },
            { type: "breadcrumbs", data: { values: [{ message: nasty, timestamp: nasty, data: { [nasty]: nasty } }] } },
          ],
        },
      }),
    );
    await open(`${ISSUES}1001/`);
    await page.getByRole("heading", { name: "Breadcrumbs" }).waitFor();
    assert.equal(await page.evaluate(() => window.broken), undefined);
    assert.equal(await page.evaluate(() => Object.prototype.polluted), undefined);
    assert.equal(await page.locator('a[href^="javascript"], img').count(), 0);
    assert.deepEqual(faults, []);
  });
});

describe("the attachments of an event", () => {
  const FILES = "**/events/*/attachments/";
  const section = () => page.getByRole("region", { name: /^Attachments/ });

  it("are listed, and shown only when they cannot hold a script", async () => {
    await open(`${ISSUES}1001/`);
    const files = section().getByRole("listitem");
    await files.nth(3).waitFor();
    assert.match(await files.nth(3).innerText(), /crash\.dmp\s+Minidump\s+74\.2 kB/);
    assert.equal(
      await section()
        .getByRole("button", { name: /^Preview of/ })
        .count(),
      2,
    );
    await section().getByRole("button", { name: "Preview of screenshot.png" }).click();
    const picture = section().getByRole("img", { name: "screenshot.png" });
    await picture.waitFor();
    assert.equal(await picture.evaluate((image) => image.decode().then(() => image.naturalWidth)), 1);
    await section().getByRole("button", { name: "Preview of settings.json" }).click();
    await section().getByText('{"theme":"<script>window.broken=1</script>"}').waitFor();
    assert.equal(await page.evaluate(() => window.broken), undefined);
    assert.deepEqual((await new AxeBuilder({ page }).analyze()).violations, []);
  });

  it("are saved under their names", async () => {
    await open(`${ISSUES}1001/`);
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      section().getByRole("link", { name: "Download page.html" }).click(),
    ]);
    assert.equal(download.suggestedFilename(), "page.html");
    assert.equal(path(), `${ISSUES}1001/`);
  });

  it("say that there are none, that they are coming, and that they cannot be had", async () => {
    await open(`${ISSUES}1001/events/oldest/`);
    await section().getByText("No files came with this event.").waitFor();

    await page.route(FILES, (route) => route.fulfill({ status: 503, json: { detail: "temporarily unavailable" } }));
    await open(`${ISSUES}1001/`);
    await section().getByRole("heading", { name: "The attachments could not be loaded" }).waitFor();
    await page.unroute(FILES);
    let release;
    const held = new Promise((resolve) => {
      release = resolve;
    });
    await page.route(FILES, (route) => held.then(() => route.continue()));
    await section().getByRole("button", { name: "Try again" }).click();
    release();
    await section().getByRole("listitem").first().waitFor();

    await page.unroute(FILES);
    await page.route(FILES, () => {});
    await open(`${ISSUES}1002/`);
    await section().getByRole("status", { name: "Loading the attachments" }).waitFor();
  });

  it("come with what the user said", async () => {
    const report = { name: "Ada", email: "ada@example.org", comments: "It broke <b>twice</b>", dateCreated: null };
    await page.route("**/events/recommended/", async (route) => {
      const answer = await route.fetch();
      await route.fulfill({ json: { ...(await answer.json()), userReport: report } });
    });
    await open(`${ISSUES}1001/`);
    const said = page.getByRole("region", { name: "User report" });
    await said.getByText("Ada, ada@example.org").waitFor();
    await said.getByText("It broke <b>twice</b>").waitFor();
  });
});

describe("the stats", () => {
  it("say that what was received is what became of it, and why", async () => {
    await open(STATS);
    const equation = await page.getByText(/received = /).innerText();
    const [received, ...parts] = equation
      .split(".")[0]
      .match(/[\d,]+/g)
      .map((text) => Number(text.replaceAll(",", "")));
    assert.equal(
      received,
      parts.reduce((sum, part) => sum + part, 0),
      equation,
    );
    await page.getByRole("cell", { name: /duplicate An event with this id was counted before/ }).waitFor();
    await page.getByRole("link", { name: "Sessions" }).click();
    await page.getByRole("heading", { name: "Sessions by reason" }).waitFor();
    assert.equal(new URL(page.url()).searchParams.get("category"), "session");
    await page.getByLabel("Project").selectOption("Storefront");
    await page.getByText("Nothing of this kind in this time.").waitFor();
  });

  it("tell each interval to who works by keys", async () => {
    await open(STATS);
    const slider = page.getByRole("slider");
    await slider.focus();
    await page.keyboard.press("Home");
    const text = await slider.getAttribute("aria-valuetext");
    await page.getByRole("figure").getByText(text).waitFor();
    await page.keyboard.press("ArrowRight");
    assert.notEqual(await slider.getAttribute("aria-valuetext"), text);
  });

  it("write bytes as bytes, say which days are meant, and lead to where one can do something", async () => {
    await open(`${STATS}?statsPeriod=30d&category=attachment`);
    const chart = page.getByRole("figure");
    await chart.getByText(/^peak [\d.]+ [kM]B$/).waitFor();
    await chart.getByText(/ UTC$/).first().waitFor();
    await page.getByRole("columnheader", { name: "Size" }).waitFor();
    await open(`${STATS}?category=error&project=shop-api`);
    const reasons = page.getByRole("region", { name: "Outcomes by reason" });
    const lead = (row, link) =>
      reasons.getByRole("row").filter({ hasText: row }).getByRole("link", { name: link }).getAttribute("href");
    assert.equal(await lead("key_quota", "Quotas"), "/settings/acme/projects/shop-api/quotas/");
    assert.equal(await lead("browser-extensions", "Filters"), "/settings/acme/projects/shop-api/filters/");
    assert.match(await lead("invalid_json", "Dead letters"), /reason=invalid_json/);
  });

  it("say when there is nothing, and when they cannot be had", async () => {
    await open(STATS, "silent");
    await heading("Nothing was received");
    await open(STATS, "failing");
    await heading("The stats could not be loaded");
    await page.request.post(`${mock.url}/mock/`, { data: { scenario: "full" } });
    await page.getByRole("button", { name: "Try again" }).click();
    await heading("Errors by reason");
  });
});

describe("the releases", () => {
  it("show how each fares, and lead to its page and its issues", async () => {
    await open(RELEASES);
    const row = page.getByRole("row").filter({ hasText: "2.4.0 (117)" });
    await row.getByText("96.20%").first().waitFor();
    await row.getByText("22%").waitFor();
    await page.getByRole("row").filter({ hasText: "2.4.1" }).getByText("99.98%").first().waitFor();
    await page
      .getByRole("row")
      .filter({ hasText: "1.9.0" })
      .getByText(/No sessions/)
      .waitFor();
    assert.deepEqual(faults, []);
    await page.getByLabel("Project").selectOption("Shop API");
    await row.waitFor({ state: "detached" });
    assert.equal(new URL(page.url()).searchParams.get("project"), "shop-api");
    await page.getByLabel("Project").selectOption("All projects");
    await row.getByRole("link", { name: "2.4.0 (117)" }).click();
    await page.getByRole("heading", { name: "2.4.0 (117)" }).waitFor();
    await page.getByRole("figure", { name: "Sessions by how they ended" }).waitFor();
    await page.getByText("1 first seen in this release").click();
    assert.equal(new URL(page.url()).searchParams.get("query"), "first-release:storefront@2.4.0+117");
  });

  it("say what is missing", async () => {
    await open(RELEASES, "silent");
    await heading("No release yet");
    await open(`${RELEASES}?query=nothing`);
    await heading("No release matches");
    await page.getByRole("button", { name: "Show all releases" }).click();
    await page.getByRole("link", { name: "2.4.0 (117)" }).waitFor();
    await open(`${RELEASES}shop-api@1.9.0/`);
    await heading("No sessions of this release");
    await open(`${RELEASES}unknown/`);
    await heading("There is no such release");
  });

  it("say when they cannot be had, and try again", async () => {
    await open(RELEASES, "failing");
    await heading("The releases could not be loaded");
    await page.request.post(`${mock.url}/mock/`, { data: { scenario: "full" } });
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByRole("link", { name: "2.4.0 (117)" }).waitFor();
  });
});

describe("the dead letters", () => {
  const links = () => page.getByRole("main").getByRole("listitem").getByRole("link");

  it("are listed with reason, place and age, and say when there are none or no answer", async () => {
    await open(LETTERS);
    await page.getByRole("listitem").filter({ hasText: "expected value" }).getByText("line 1 column 1").waitFor();
    assert.match(await page.getByRole("listitem").filter({ hasText: "expected value" }).innerText(), /\bEvent\b/);
    assert.equal(await links().count(), 5);
    await page.getByLabel("Reason").selectOption("too_deep");
    await links().nth(1).waitFor({ state: "detached" });
    assert.equal(new URL(page.url()).searchParams.get("reason"), "too_deep");
    await page.getByLabel("Project").selectOption("storefront");
    await heading("No dead letters");
    // The first project has none: the page opens on the one that has.
    await page.route("**/projects/acme/*/dead-letters/**", (route) => {
      const to = (from, name) =>
        route.continue({ url: route.request().url().replace(`/acme/${from}/`, `/acme/${name}/`) });
      return route.request().url().includes("/acme/shop-api/")
        ? to("shop-api", "storefront")
        : to("storefront", "shop-api");
    });
    await open(LETTERS);
    await links().first().waitFor();
    assert.equal(await page.getByLabel("Project").inputValue(), "storefront");
    await page.unroute("**/projects/acme/*/dead-letters/**");
    await open(LETTERS, "bare");
    await heading("No project yet");
    await open(LETTERS, "failing");
    await page.getByText("The metadata is busy").waitFor();
    await page.request.post(`${mock.url}/mock/`, { data: { scenario: "full" } });
    await page.getByRole("button", { name: "Try again" }).click();
    await links().first().waitFor();
  });

  it("are mended and replayed by keys alone", async () => {
    await open(LETTERS);
    await links().first().waitFor();
    for (const key of ["j", "j", "k", "j", "Enter"]) await page.keyboard.press(key);
    await page.getByRole("button", { name: "Edit payload" }).waitFor();
    await page.keyboard.press("e");
    await page.getByText("This is not valid JSON").waitFor();
    await page.keyboard.press("Control+A");
    await page.keyboard.type('{"message": "mended, e"}');
    await page.getByText("This is valid JSON").waitFor();
    const asked = page.waitForRequest("**/dead-letters/4/replay/");
    for (const key of ["Tab", "Tab", "Tab", "Enter"]) await page.keyboard.press(key);
    assert.deepEqual((await asked).postDataJSON(), { payload: '{"message": "mended, e"}' });
    await page.getByText("Replay of letter 4 asked for").waitFor();
    await page.getByRole("listitem").filter({ hasText: "Waiting for its replay" }).waitFor();
  });

  it("are not edited in vain: who leaves is asked", async () => {
    await open(`${LETTER}4/`);
    await page.getByRole("button", { name: "Edit payload" }).click();
    await page.getByRole("textbox", { name: "Payload" }).fill('{"message": "mended"}');
    await page.getByRole("link", { name: "Dead letters of shop-api" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Stay" }).click();
    assert.equal(await page.getByRole("textbox", { name: "Payload" }).inputValue(), '{"message": "mended"}');
    await page.getByRole("link", { name: "Dead letters of shop-api" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Leave without saving" }).click();
    await links().first().waitFor();
  });

  it("are discarded only after asking, one or all of a reason", async () => {
    await open(`${LETTER}3/`);
    await page.getByRole("button", { name: "Discard" }).click();
    await page.getByRole("button", { name: "Keep" }).click();
    await page.getByRole("button", { name: "Discard" }).click();
    await page
      .getByRole("dialog", { name: "Discard letter 3?" })
      .getByRole("button", { name: "Discard letter" })
      .click();
    await page.waitForURL("**/dead-letters/?project=shop-api");
    await links().nth(3).waitFor();
    await links().nth(4).waitFor({ state: "detached" });
    await page.getByLabel("Reason").selectOption("invalid_json");
    await page.getByRole("button", { name: "Discard all" }).click();
    const dialog = page.getByRole("dialog", { name: "Discard 2 letters of Shop API, invalid_json?" });
    await dialog.getByRole("button", { name: "Discard all" }).click();
    await page.getByText("2 letters discarded").waitFor();
    await links().nth(1).waitFor();
    await links().nth(2).waitFor({ state: "detached" });
  });

  it("show hostile payloads as text, and say why one can't be edited", async () => {
    await open(`${LETTER}5/`);
    await page.getByRole("region", { name: "payload" }).getByText("<script>window.broken=1").waitFor();
    assert.equal(await page.evaluate(() => window.broken), undefined);
    assert.equal(await page.getByRole("main").locator("img, script").count(), 0);
    await open(`${LETTER}2/`);
    await page.getByText("The payload is no text").waitFor();
    assert.ok(await page.getByRole("button", { name: "Edit payload" }).isDisabled());
    await open(`${LETTER}1/`);
    await page.getByText("Nothing is left of this record").waitFor();
    assert.ok(await page.getByRole("button", { name: "Replay" }).isDisabled());
    await open(`${LETTER}99/`);
    await heading("There is no dead letter 99");
    await page.getByRole("link", { name: "Show all dead letters of shop-api" }).waitFor();
    assert.deepEqual(faults, []);
  });
});

describe("issue types", () => {
  const TYPES = "/settings/acme/issue-types/";

  it("are listed, own ones first, and searched", async () => {
    await open(TYPES);
    await page.getByRole("link", { name: "Disk full" }).waitFor();
    const names = await page.getByRole("main").getByRole("listitem").getByRole("link").allInnerTexts();
    assert.deepEqual(names, ["Disk full", "Slow DB Query", "Error", "Feedback"]);
    await page.getByRole("searchbox", { name: "Search issue types" }).fill("nothing of the kind");
    await heading("No type matches");
    await open(TYPES, "failing");
    await page.getByRole("button", { name: "Try again" }).waitFor();
  });

  it("are changed in a form that marks what the server refuses", async () => {
    await open(`${TYPES}disk_full/`);
    await page.getByLabel("Name", { exact: true }).fill("");
    await page.getByLabel("Wait until it was seen often").check();
    await page.getByLabel("The issue is made by sighting number").fill("0");
    await page.getByRole("button", { name: "Save rules" }).click();
    await page.getByText("must have 1 to 100 characters").waitFor();
    await page.getByText("must be 1 to 1000000").waitFor();
    assert.equal(await page.getByLabel("Name", { exact: true }).getAttribute("aria-invalid"), "true");
    await page.getByLabel("Name", { exact: true }).fill("Disk nearly full");
    await page.getByLabel("The issue is made by sighting number").fill("2");
    await page.getByRole("button", { name: "Add evidence" }).click();
    await page.getByLabel("Key 6").fill("host");
    await page.getByLabel("Key 6").press("Enter");
    await page.getByText("Rules of Disk nearly full saved").waitFor();
    await page.reload();
    await heading("Disk nearly full");
    assert.equal(await page.getByLabel("Key 6").inputValue(), "host");
  });

  it("can't be changed by who may not, and say why", async () => {
    await open(`/settings/acme/issue-types/error/`, "member");
    await page.getByText("Only an owner of the organization (scope org:write)").waitFor();
    assert.equal(await page.getByLabel("Name", { exact: true }).isDisabled(), true);
    assert.equal(await page.getByRole("button", { name: "Save rules" }).isDisabled(), true);
    await page.getByText("any number of them").waitFor();
  });

  it("can be created, reset, and not removed while there are issues", async () => {
    await open(TYPES);
    await page.getByRole("button", { name: "Create type" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Name").fill("Backup missing");
    await dialog.getByLabel("Category").fill("outage");
    await dialog.getByLabel("Slug").fill("disk_full");
    await dialog.getByRole("button", { name: "Create type" }).click();
    await dialog.getByText("already taken").waitFor();
    await dialog.getByLabel("Slug").fill("backup_missing");
    await dialog.getByRole("button", { name: "Create type" }).click();
    await heading("Backup missing");

    await page.goto(`${mock.url}${TYPES}performance_slow_db_query/`);
    await page.getByRole("button", { name: "Reset rules" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Reset rules" }).click();
    await page.getByText("Slow DB Query has its own rules again").waitFor();
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Reset rules" }).waitFor({ state: "detached" });

    await page.goto(`${mock.url}${TYPES}disk_full/`);
    await page.getByRole("button", { name: "Remove type" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Remove type" }).click();
    await page.getByText("the issue type is in use").waitFor();
    await page.goto(`${mock.url}${TYPES}nothing/`);
    await heading("There is no issue type nothing");
  });
});

describe("archiving an issue", () => {
  const archive = async (way) => {
    await page.getByRole("button", { name: "Archive until" }).click();
    await page.getByRole("menuitem", { name: way }).click();
  };

  it("offers the ways to archive, says which was taken, and goes back", async () => {
    await open(`${ISSUES}1001/`);
    await archive("For a day");
    await page.getByText("SHOP-API-1 archived for a day").waitFor();
    await page.getByRole("button", { name: "Unarchive" }).waitFor();
    const undone = page.waitForRequest((request) => request.method() === "PUT");
    await page.getByRole("button", { name: "Undo" }).click();
    assert.deepEqual((await undone).postDataJSON(), { status: "unresolved" });
    // Which of the open states it comes back to is the server's word; that it can be archived again is what stays.
    await page.getByRole("button", { name: "Unarchive" }).waitFor({ state: "detached" });
    await archive("Until it escalates");
    await page.getByText("Escalates above 60 events an hour").waitFor();
    await archive("For ever");
    await page.getByText("Archived", { exact: true }).waitFor();
  });

  it("asks how many events or users it waits for", async () => {
    await open(`${ISSUES}1001/`);
    await archive("Until it occurs again…");
    await page.getByLabel("More events").fill("25");
    await page.getByLabel("Within").selectOption("a day");
    await page.keyboard.press("Enter");
    await page.getByText("Archived until 25 more events within a day", { exact: true }).waitFor();
    await archive("Until it affects users…");
    await page.getByLabel("More users").fill("3");
    await page.getByRole("dialog").getByRole("button", { name: "Archive" }).click();
    await page.getByText("Archived until 3 more users", { exact: true }).waitFor();
  });

  it("says what caused each entry of its history", async () => {
    await open(`${ISSUES}1001/`);
    const list = page.getByRole("region", { name: "Activity" });
    await list.getByText("Escalating: more than 60 events in an hour").waitFor();
    await list.getByText("Marked ongoing by a job, after 7 days").waitFor();
    await list.getByText("Resolved by a detector").waitFor();
    await list.getByText("assigned it to Mira Okafor").waitFor();
  });
});

describe("teams", () => {
  it("are assigned issues by name", async () => {
    await open(`${ISSUES}1001/`);
    await page.getByRole("button", { name: "Assign", exact: true }).click();
    await page.getByRole("menuitemradio", { name: "#checkout" }).click();
    await page.getByText("SHOP-API-1 assigned to Checkout").waitFor();
    await page.getByRole("button", { name: "Assign", exact: true }).getByText("Checkout").waitFor();
  });

  it("are made, given members and projects, renamed and removed", async () => {
    await open("/settings/acme/teams/");
    await page.getByText("#checkout").waitFor();
    await page.getByRole("button", { name: "Create team" }).click();
    await page.getByLabel("Name").fill("Search");
    await page.getByRole("dialog").getByRole("button", { name: "Create team" }).click();
    await heading("Search");
    await page.getByRole("checkbox", { name: "Jonas Lindqvist" }).click();
    await page.getByRole("checkbox", { name: "Jonas Lindqvist", checked: true }).waitFor();
    await page.getByRole("checkbox", { name: "Storefront" }).click();
    await page.getByRole("checkbox", { name: "Storefront", checked: true }).waitFor();
    await page.getByRole("button", { name: "Remove team" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Remove team" }).click();
    await page.getByText("Team Search removed").waitFor();
    assert.equal(path(), "/settings/acme/teams/");
    await open("/settings/acme/teams/nothing/");
    await heading("There is no team nothing");
  });

  it("are not removed by who may not", async () => {
    await open("/settings/acme/teams/checkout/", "member");
    await page.getByText("Only an owner of the organization can remove a team.").waitFor();
    assert.equal(await page.getByRole("button", { name: "Remove team" }).isDisabled(), true);
  });
});

describe("project tokens", () => {
  it("show their secret once and are revoked after asking", async () => {
    await open("/settings/acme/projects/shop-api/");
    await page.getByText("backup hosts").waitFor();
    await page.getByRole("button", { name: "Create project token" }).click();
    await page.getByRole("dialog").getByLabel("Name").fill("queue watch");
    await page.keyboard.press("Enter");
    await page.getByText("Copy the token now").waitFor();
    await page.getByText(/nutp_5e1f/).waitFor();
    await page.getByRole("button", { name: "Revoke queue watch" }).click();
    await page.getByRole("button", { name: "Revoke token" }).click();
    await page.getByText("Token queue watch revoked").waitFor();
    await page.getByText(/nutp_5e1f/).waitFor({ state: "detached" });
  });
});

describe("signing in", () => {
  it("leads through the sign-in page and back to where one wanted to go", async () => {
    await open(`${ISSUES}1002/`, "signed-out");
    await page.getByLabel("Email").fill("mira@example.com");
    await page.getByLabel("Password").fill("wrong");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("The email or the password is wrong.").waitFor();
    await page.getByLabel("Password").fill("correct horse");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.waitForURL("**/issues/1002/");
  });

  it("is asked for again when the session ends, without losing the place", async () => {
    await open(`${ISSUES}?sort=freq`);
    await rows().nth(1).waitFor();
    await page.request.post(`${mock.url}/mock/`, { data: { scenario: "signed-out" } });
    await page.getByRole("heading", { name: "Sign in again" }).waitFor();
    await page.getByLabel("Email").fill("mira@example.com");
    await page.getByLabel("Password").fill("correct horse");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await page.waitForURL("**/issues/?sort=freq");
    await page.getByRole("button", { name: "Account" }).click();
    await page.getByRole("menuitem", { name: /Sign out/ }).click();
    await page.getByRole("heading", { name: "Sign in to Nuthatch" }).waitFor();
  });

  it("is asked for over what is being typed, which can be saved afterwards", async () => {
    await open(PRIVACY);
    const words = page.getByLabel("Sensitive words, one a line");
    await words.fill("zebra");
    await page.request.post(`${mock.url}/mock/`, { data: { scenario: "signed-out" } });
    await page.getByRole("button", { name: "Save settings" }).click();
    const dialog = page.getByRole("dialog", { name: "Sign in again" });
    await dialog.getByLabel("Email").fill("mira@example.com");
    await dialog.getByLabel("Password").fill("correct horse");
    await dialog.getByRole("button", { name: "Sign in" }).click();
    await dialog.waitFor({ state: "detached" });
    assert.equal(await words.inputValue(), "zebra");
    await page.getByRole("button", { name: "Save settings" }).click();
    await page.getByText("Settings saved").waitFor();
  });

  it("leads nowhere else, whatever the link says", async () => {
    await open("/auth/login/?next=https://elsewhere.example/", "signed-out");
    await page.getByLabel("Email").fill("mira@example.com");
    await page.getByLabel("Password").fill("correct horse");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.waitForURL(`${mock.url}${ISSUES}`);
  });

  it("creates the first account and goes on to set up the project", async () => {
    await open("/auth/setup/one-time/", "signed-out");
    await page.getByLabel("Name").fill("Mira");
    await page.getByLabel("Email").fill("mira@example.com");
    await page.getByLabel("Password").fill("correct horse");
    await page.getByRole("button", { name: "Create account" }).click();
    await page.getByRole("heading", { name: "Waiting for the first event…" }).waitFor();
    assert.equal(path(), "/organizations/acme/projects/shop-api/getting-started/");
    await page.request.post(`${mock.url}/mock/`, { data: { scenario: "full" } });
    await page.getByRole("link", { name: "Open it" }).waitFor();
  });
});

describe("what becomes of events", () => {
  it("shows what rules would take out, names a fault at its place, and saves", async () => {
    await open(PRIVACY);
    await page.getByLabel("Sensitive words, one a line").fill("zebra");
    await page.getByLabel("Advanced rules").fill('{"applications": {"$foo": ["@ip"]}}');
    await page.getByRole("button", { name: "Show what they take out" }).click();
    await page.getByText("Advanced rules: Line 1, applications › $foo: expected a type").waitFor();
    await page.getByLabel("Advanced rules").fill("");
    await page.getByRole("button", { name: "Show what they take out" }).click();
    await page.getByRole("cell", { name: "extra.password" }).waitFor();
    await page.getByLabel("Safe fields, one a line").fill("extra.author");
    await page.getByText("were changed since they were tried").waitFor();
    assert.equal(await page.getByRole("cell", { name: "extra.password" }).count(), 0);
    await page.getByLabel("Safe fields, one a line").fill("");
    await page.getByRole("cell", { name: "extra.password" }).waitFor();
    const sent = page.waitForRequest((request) => request.method() === "PUT");
    await page.getByRole("button", { name: "Save settings" }).click();
    await page.getByText("Settings saved").waitFor();
    assert.deepEqual((await sent).postDataJSON(), { sensitiveFields: ["zebra"] });
    await page.reload();
    assert.equal(await page.getByLabel("Sensitive words, one a line").inputValue(), "zebra");
  });

  it("shows a project what its organization requires, which owners change", async () => {
    await open(PRIVACY);
    await page.getByRole("link", { name: "organization's settings" }).click();
    await page.getByLabel("Take out IP addresses").check();
    await page.getByLabel("Sensitive words, one a line").fill("zebra");
    await page.getByRole("button", { name: "Save settings" }).click();
    await page.getByText("Settings saved").waitFor();
    await page.goto(mock.url + PRIVACY);
    await page.getByRole("heading", { name: "Required by the organization" }).waitFor();
    await page.getByText("Sensitive words: zebra").waitFor();
    assert.equal(await page.getByLabel("Take out IP addresses").isChecked(), false, "the project's own switch");
    await open(ORGANIZATION_PRIVACY, "member");
    await page.getByText("Only an owner of the organization").waitFor();
    assert.equal(await page.getByLabel("Take out IP addresses").isDisabled(), true);
    assert.equal(await page.getByRole("button", { name: "Save settings" }).count(), 0);
  });

  it("switches filters at once and saves lists", async () => {
    await open(FILTERS);
    const crawlers = page.getByRole("checkbox", { name: /web crawlers/i });
    await crawlers.click();
    await page.getByText("Web crawlers: filtered").waitFor();
    await page.reload();
    await crawlers.waitFor();
    assert.equal(await crawlers.isChecked(), true);
    await page.getByLabel("Releases, one a line").fill("1.*");
    await page.getByLabel("Sources of content policy reports, one a line").fill("https://*.example.com");
    await page.getByRole("checkbox", { name: /usual sources/i }).uncheck();
    await page.getByRole("button", { name: "Save lists" }).click();
    await page.getByText("Lists saved").waitFor();
    await page.reload();
    const sources = page.getByLabel("Sources of content policy reports, one a line");
    await sources.waitFor();
    assert.equal(await sources.inputValue(), "https://*.example.com");
    assert.equal(await page.getByRole("checkbox", { name: /usual sources/i }).isChecked(), false);
  });

  it("filters the old browsers that are chosen, and those again after a pause", async () => {
    await open(FILTERS);
    await page.getByText("Which browsers: Internet Explorer 9").click();
    await page.getByRole("checkbox", { name: "Safari up to 15" }).click();
    await page.getByText("Which browsers: Internet Explorer 9, Safari up to 15").waitFor();
    const legacy = page.getByRole("checkbox", { name: /^Legacy browsers/ });
    await legacy.click();
    await page.getByText("Which browsers: none").waitFor();
    await legacy.click();
    await page.getByText("Which browsers: Internet Explorer 9, Safari up to 15").waitFor();
  });

  it("says each fault of a list by its line, until it is edited, and sends only what was changed", async () => {
    await open(FILTERS);
    const addresses = page.getByLabel("IP addresses, one a line");
    await addresses.fill("10.0.0.1\n\nhere\nthere");
    const sent = page.waitForRequest((request) => request.method() === "PUT");
    await page.getByRole("button", { name: "Save lists" }).click();
    await page.getByText("Line 3: expected an address or a network").waitFor();
    await page.getByText("Line 4: expected an address or a network").waitFor();
    assert.deepEqual(Object.keys((await sent).postDataJSON().options), ["filters:blacklisted_ips"]);
    assert.equal(await addresses.evaluate((field) => document.activeElement === field), true);
    await addresses.fill("10.0.0.1");
    await page.getByText("Line 3: expected").waitFor({ state: "detached" });
    await page.getByRole("link", { name: "shop-api" }).click();
    await page.getByRole("dialog", { name: "Leave without saving?" }).getByRole("button", { name: "Stay" }).click();
    await page.getByRole("button", { name: "Save lists" }).click();
    await page.getByText("Lists saved").waitFor();
    await page.getByRole("link", { name: "shop-api" }).click();
    await heading("Shop API");
  });
});

describe("limits", () => {
  it("are listed with what is used now, added, changed and removed", async () => {
    await open(QUOTAS);
    await page.getByText("Errors, Transactions: 100,000 a day").waitFor();
    await page.getByText(/41,230 used now, 41%/).waitFor();
    await page.getByText(/50 MB used now, 100%/).waitFor();
    await page.getByText("Project Storefront").waitFor();
    await page.getByRole("button", { name: "Add quota" }).click();
    const dialog = page.getByRole("dialog", { name: "Add quota" });
    const most = dialog.getByRole("spinbutton", { name: "At most" });
    for (const [typed, said] of [
      ["", "Expected a number"],
      ["-5", "Expected 1 or more"],
      ["99999999999999999999", "This number is too large"],
    ]) {
      await most.fill(typed);
      await dialog.getByRole("button", { name: "Add quota" }).click();
      await dialog.getByText(said).waitFor();
    }
    await most.fill("500");
    await dialog.getByLabel("Attachments, in bytes").check();
    await most.fill("500");
    await dialog.getByRole("button", { name: "Add quota" }).click();
    await dialog.getByText("items, bytes and times cannot be counted together").waitFor();
    await dialog.getByLabel("Attachments, in bytes").uncheck();
    await most.fill("500");
    await dialog.getByLabel("Window").selectOption("Each minute");
    await dialog.getByLabel("Applies to").selectOption("Each key on its own");
    await dialog.getByRole("button", { name: "Add quota" }).click();
    await page.getByText("Errors: 500 a minute").waitFor();
    await page.getByText("Each key", { exact: true }).waitFor();

    await page.getByRole("button", { name: "Change Errors", exact: true }).click();
    const change = page.getByRole("dialog", { name: "Change quota" });
    assert.equal(await change.getByRole("spinbutton", { name: "At most" }).inputValue(), "500");
    await change.getByLabel("Accept").selectOption("None at all");
    await change.getByRole("button", { name: "Save quota" }).click();
    await page.getByText("Errors: none").waitFor();
    await page.getByRole("button", { name: "Remove Errors", exact: true }).click();
    await page.getByRole("button", { name: "Remove quota" }).click();
    await page.getByText("Errors: none").waitFor({ state: "detached" });
  });

  it("of bytes are written in the unit that is chosen", async () => {
    await open(QUOTAS);
    await page.getByRole("button", { name: "Add quota" }).click();
    const dialog = page.getByRole("dialog", { name: "Add quota" });
    await dialog.getByLabel("Errors").uncheck();
    await dialog.getByLabel("Logs, in bytes").check();
    await dialog.getByRole("spinbutton", { name: "At most" }).fill("2.5");
    await dialog.getByLabel("Unit").selectOption("GB");
    await dialog.getByRole("button", { name: "Add quota" }).click();
    await page.getByText("Logs, in bytes: 2.5 GB an hour").waitFor();
  });

  it("are not lost when a press that began in a field ends beside the window", async () => {
    await open(QUOTAS);
    await page.getByRole("button", { name: "Add quota" }).click();
    const dialog = page.getByRole("dialog", { name: "Add quota" });
    const field = await dialog.getByRole("spinbutton", { name: "At most" }).boundingBox();
    await page.mouse.move(field.x + 5, field.y + 5);
    await page.mouse.down();
    await page.mouse.move(10, 300);
    await page.mouse.up();
    assert.equal(await dialog.isVisible(), true);
    await page.mouse.click(10, 300);
    await dialog.waitFor({ state: "detached" });
  });

  it("say why there are none and what that means", async () => {
    await open(PROJECT_QUOTAS, "silent");
    await heading("No quota yet");
    await page.getByText("Everything that SDKs send is taken.").waitFor();
    await open(QUOTAS, "failing");
    await page.getByRole("alert").getByText("The quotas could not be loaded").waitFor();
    await page.request.post(`${mock.url}/mock/`, { data: { scenario: "full" } });
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByText("Errors, Transactions: 100,000 a day").waitFor();
  });

  it("are shown to members, who cannot change those of the organization", async () => {
    await open(QUOTAS, "member");
    await page.getByText("Only an owner of the organization").waitFor();
    await page.getByText("Errors, Transactions: 100,000 a day").waitFor();
    assert.equal(await page.getByRole("button", { name: /quota|^Change|^Remove/ }).count(), 0);
  });

  it("of a key are set, a key is switched off and deleted", async () => {
    await open(PROJECT);
    await page.getByRole("button", { name: "Create key" }).click();
    await page.getByRole("button", { name: "Change Key 2" }).click();
    const dialog = page.getByRole("dialog", { name: "Change Key 2" });
    await dialog.getByLabel("Name").fill("Mobile");
    await dialog.getByLabel(/^Enabled/).uncheck();
    await dialog.getByLabel(/^Limit the errors/).check();
    await dialog.getByLabel("In each window of, in seconds").fill("0");
    await dialog.getByRole("button", { name: "Save key" }).click();
    await dialog.getByText("Expected 1 or more").waitFor();
    await dialog.getByLabel("At most").fill("");
    await dialog.getByRole("button", { name: "Save key" }).click();
    await dialog.getByText("Expected a number").waitFor();
    await dialog.getByLabel("At most").fill("1000");
    await dialog.getByLabel("In each window of, in seconds").fill("60");
    await dialog.getByRole("button", { name: "Save key" }).click();
    await page.getByText("errors: 1,000 a minute").waitFor();
    await page.getByText("Disabled").waitFor();
    await page.getByRole("button", { name: "Delete Mobile" }).click();
    await page.getByRole("button", { name: "Delete key" }).click();
    await page.getByText("errors: 1,000 a minute").waitFor({ state: "detached" });
    await page.locator("h2:focus", { hasText: "Client keys" }).waitFor();
  });

  it("of a key are not deleted by who may not", async () => {
    await open(PROJECT, "member");
    await page.getByText("Only an owner of the organization (scope project:admin)").waitFor();
    assert.equal(await page.getByRole("button", { name: "Delete Default" }).isDisabled(), true);
  });

  it("on web pages are written one a line, and a fault is named with its line", async () => {
    await open(PROJECT);
    const field = page.getByLabel("Web pages that may send here, one a line");
    await field.fill("example.com\nexa mple.org");
    await page.getByRole("button", { name: "Save domains" }).click();
    await page.getByText("Line 2: a host has no spaces").waitFor();
    await field.fill("example.com");
    await page.getByRole("button", { name: "Save domains" }).click();
    await page.getByText("Allowed domains saved").waitFor();
    await page.reload();
    assert.equal(await field.inputValue(), "example.com");
  });
});

describe("every page", () => {
  const PAGES = [
    ["/auth/login/", "signed-out"],
    ["/auth/setup/one-time/", "signed-out"],
    [ISSUES, "full"],
    [ISSUES, "bare"],
    [`${ISSUES}1001/`, "full"],
    [`${ISSUES}1002/`, "full"],
    [`${ISSUES}1015/`, "full"],
    [`${ISSUES}1016/`, "full"],
    [`${ISSUES}1001/events/`, "full"],
    ["/organizations/acme/projects/", "full"],
    ["/organizations/acme/projects/shop-api/getting-started/", "silent"],
    ["/settings/acme/projects/shop-api/", "full"],
    [PRIVACY, "full"],
    [ORGANIZATION_PRIVACY, "full"],
    [FILTERS, "full"],
    [QUOTAS, "full"],
    [QUOTAS, "member"],
    [QUOTAS, "silent"],
    [PROJECT_QUOTAS, "full"],
    [STATS, "full"],
    [STATS, "silent"],
    [RELEASES, "full"],
    [RELEASES, "silent"],
    [`${RELEASES}storefront@2.4.0+117/`, "full"],
    [`${RELEASES}shop-api@1.9.0/`, "full"],
    [LETTERS, "full"],
    [LETTERS, "done"],
    [`${LETTER}3/`, "full"],
    ["/settings/acme/issue-types/", "full"],
    ["/settings/acme/issue-types/disk_full/", "full"],
    ["/settings/acme/issue-types/performance_slow_db_query/", "full"],
    ["/settings/acme/issue-types/error/", "member"],
    ["/settings/acme/teams/", "full"],
    ["/settings/acme/teams/checkout/", "full"],
    ["/settings/account/api/auth-tokens/", "full"],
  ];

  for (const colorScheme of ["light", "dark"]) {
    it(`passes the accessibility rules in the ${colorScheme} theme`, async () => {
      await context.close();
      context = await browser.newContext({ colorScheme, reducedMotion: "reduce", bypassCSP: true });
      page = await context.newPage();
      await page.clock.setFixedTime(NOW);
      for (const [address, scenario] of PAGES) {
        await open(address, scenario);
        await page.getByRole("heading").first().waitFor();
        await page.waitForLoadState("networkidle");
        const { violations } = await new AxeBuilder({ page }).analyze();
        const found = violations.flatMap(({ id, nodes }) =>
          nodes.map(({ html }) => `${address}: ${id}: ${html.slice(0, 160)}`),
        );
        assert.deepEqual(found, []);
      }
    });
  }

  it("is asked for even when the browser believes that there is no network", async () => {
    await open(ISSUES);
    await rows().nth(1).waitFor();
    await page.evaluate(() => window.dispatchEvent(new Event("offline")));
    await page.getByRole("link", { name: "Stats" }).click();
    await heading("Errors by reason");
  });

  it("has the frame around it, also at an address that nobody knows", async () => {
    await open("/organizations/acme/nothing/here/");
    await heading("There is no page at this address");
    await page.getByRole("main").getByRole("link", { name: "Go to the issues" }).waitFor();
    await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Stats" }).click();
    await heading("Errors by reason");
  });

  it("has a menu on a phone that Escape and leaving it by Tab fold", async () => {
    await page.setViewportSize({ width: 390, height: 740 });
    await open(ISSUES);
    await page.getByRole("button", { name: "Open menu" }).click();
    await page.keyboard.press("Escape");
    const button = page.getByRole("button", { name: "Open menu" });
    await button.waitFor();
    assert.equal(await button.evaluate((element) => document.activeElement === element), true);
    await button.click();
    await page.getByRole("button", { name: "Account" }).focus();
    await page.keyboard.press("Tab");
    await button.waitFor();
  });

  it("fits a phone without scrolling sideways", async () => {
    await page.setViewportSize({ width: 360, height: 740 });
    for (const [address, scenario] of PAGES) {
      await open(address, scenario);
      await page.getByRole("heading").first().waitFor();
      await page.waitForLoadState("networkidle");
      const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      assert.ok(over <= 0, `${address} is ${over} px too wide`);
    }
  });

  it("loads little before the list is there", async () => {
    const scripts = [];
    page.on("response", (response) => {
      if (response.request().resourceType() === "script") scripts.push(response.body());
    });
    await open(ISSUES);
    await rows().nth(1).waitFor();
    const bytes = (await Promise.all(scripts)).reduce((sum, body) => sum + gzipSync(body).length, 0);
    assert.ok(bytes <= SCRIPT_BYTES_MAX, `${bytes} bytes of compressed script`);
  });

  it("works under a policy that allows only its own origin", async () => {
    for (const [address, scenario] of PAGES) await open(address, scenario);
    assert.deepEqual(faults, []);
  });
});
