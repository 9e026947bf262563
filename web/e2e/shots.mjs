// Pictures of every page and state, in both themes, wide and narrow, into test-results/shots, to be looked at.
//
//   npm run build && node e2e/shots.mjs [part of a name]
import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { launch } from "./chromium.mjs";
import { NOW } from "./mock/fixtures.mjs";
import { startMock } from "./mock/server.mjs";

const OUT = fileURLToPath(new URL("../test-results/shots/", import.meta.url));
const VIEWS = [
  { name: "wide", width: 1440, height: 900 },
  { name: "narrow", width: 360, height: 780 },
];
const org = "/organizations/acme";

const PAGES = [
  { name: "login", path: "/auth/login/", scenario: "signed-out" },
  { name: "login-wrong", path: "/auth/login/", scenario: "signed-out", act: signInWrongly },
  { name: "setup", path: "/auth/setup/abc/", scenario: "signed-out" },
  { name: "issues", path: `${org}/issues/` },
  { name: "issues-selected", path: `${org}/issues/`, act: (page) => keys(page, "j", "x", "j", "x", "j") },
  { name: "issues-none", path: `${org}/issues/?query=is:unresolved+browser.name:Safari+checkout` },
  { name: "issues-invalid", path: `${org}/issues/?query=a+OR+b` },
  { name: "issues-done", path: `${org}/issues/`, scenario: "done" },
  { name: "issues-silent", path: `${org}/issues/`, scenario: "silent" },
  { name: "issues-bare", path: `${org}/issues/`, scenario: "bare" },
  { name: "issues-failing", path: `${org}/issues/`, scenario: "failing" },
  { name: "issues-slow", path: `${org}/issues/`, scenario: "slow" },
  { name: "issues-undo", path: `${org}/issues/`, act: (page) => keys(page, "j", "e") },
  { name: "issues-menu", path: `${org}/issues/`, act: (page) => page.getByRole("button", { name: "Sort by" }).click() },
  { name: "issue", path: `${org}/issues/1001/`, full: true },
  { name: "issue-fold", path: `${org}/issues/1001/` },
  {
    name: "issue-raw",
    path: `${org}/issues/1001/`,
    act: (page) => page.getByRole("button", { name: "Raw", exact: true }).click(),
  },
  { name: "issue-browser", path: `${org}/issues/1002/`, full: true },
  { name: "issue-message", path: `${org}/issues/1005/`, full: true },
  { name: "issue-report", path: `${org}/issues/1016/`, full: true },
  { name: "issue-evidence", path: `${org}/issues/1015/`, full: true },
  { name: "issue-missing", path: `${org}/issues/9999/` },
  { name: "events", path: `${org}/issues/1001/events/` },
  { name: "getting-started", path: `${org}/projects/shop-api/getting-started/`, scenario: "silent", full: true },
  { name: "getting-started-received", path: `${org}/projects/storefront/getting-started/` },
  { name: "projects", path: `${org}/projects/` },
  { name: "project", path: "/settings/acme/projects/shop-api/", full: true },
  { name: "privacy", path: "/settings/acme/projects/shop-api/security-and-privacy/", full: true },
  { name: "organization-privacy", path: "/settings/acme/security-and-privacy/", full: true },
  { name: "filters", path: "/settings/acme/projects/shop-api/filters/", full: true },
  {
    name: "filters-refused",
    path: "/settings/acme/projects/shop-api/filters/",
    full: true,
    act: async (page) => {
      await page.getByText(/^Which browsers/).click();
      await page.getByLabel("IP addresses, one a line").fill("10.0.0.1\n\nhere\nthere");
      await page.getByRole("button", { name: "Save lists" }).click();
      await page.getByText("Line 3").waitFor();
    },
  },
  {
    name: "privacy-tried",
    path: "/settings/acme/projects/shop-api/security-and-privacy/",
    full: true,
    act: async (page) => {
      await page.getByRole("button", { name: "Show what they take out" }).click();
      await page.getByRole("cell", { name: "extra.password" }).waitFor();
    },
  },
  { name: "privacy-member", path: "/settings/acme/security-and-privacy/", scenario: "member" },
  {
    name: "session-ended",
    path: "/settings/acme/projects/shop-api/security-and-privacy/",
    act: async (page) => {
      await page.getByLabel("Safe fields, one a line").fill("extra.author");
      await page.context().request.post(`${mock.url}/mock/`, { data: { scenario: "signed-out" } });
      await page.getByRole("button", { name: "Save settings" }).click();
      await page.getByRole("dialog").waitFor();
    },
  },
  { name: "quotas", path: "/settings/acme/quotas/" },
  { name: "quotas-none", path: "/settings/acme/quotas/", scenario: "silent" },
  { name: "quotas-slow", path: "/settings/acme/quotas/", scenario: "slow" },
  { name: "quotas-failing", path: "/settings/acme/quotas/", scenario: "failing" },
  {
    name: "quotas-add",
    path: "/settings/acme/projects/shop-api/quotas/",
    act: async (page) => {
      await page.getByRole("button", { name: "Add quota" }).click();
      await page.getByLabel("Errors").uncheck();
      await page.getByLabel("Logs, in bytes").check();
      await page.getByLabel("At most").fill("");
      await page.getByRole("dialog").getByRole("button", { name: "Add quota" }).click();
    },
  },
  {
    name: "project-key",
    path: "/settings/acme/projects/shop-api/",
    act: (page) => page.getByRole("button", { name: "Change Default" }).click(),
  },
  { name: "teams", path: "/settings/acme/teams/" },
  { name: "stats", path: `${org}/stats/`, full: true },
  { name: "releases", path: `${org}/releases/`, full: true },
  { name: "release", path: `${org}/releases/storefront@2.4.0+117/`, full: true },
  { name: "releases-none", path: `${org}/releases/`, scenario: "silent" },
  { name: "releases-slow", path: `${org}/releases/`, scenario: "slow" },
  { name: "releases-failing", path: `${org}/releases/`, scenario: "failing" },
  { name: "release-missing", path: `${org}/releases/nothing@1/` },
  { name: "stats-session", path: `${org}/stats/?statsPeriod=1h&category=session` },
  { name: "stats-bytes", path: `${org}/stats/?statsPeriod=30d&category=attachment&project=shop-api` },
  { name: "stats-none", path: `${org}/stats/`, scenario: "silent" },
  { name: "stats-slow", path: `${org}/stats/`, scenario: "slow" },
  { name: "stats-failing", path: `${org}/stats/`, scenario: "failing" },
  { name: "letters", path: "/settings/acme/dead-letters/" },
  { name: "letters-none", path: "/settings/acme/dead-letters/?project=storefront" },
  { name: "letters-slow", path: "/settings/acme/dead-letters/", scenario: "slow" },
  { name: "letters-failing", path: "/settings/acme/dead-letters/", scenario: "failing" },
  {
    name: "letters-discard",
    path: "/settings/acme/dead-letters/",
    act: (page) => page.getByRole("button", { name: "Discard all" }).click(),
  },
  { name: "letter", path: "/settings/acme/projects/shop-api/dead-letters/3/", full: true },
  {
    name: "letter-edit",
    path: "/settings/acme/projects/shop-api/dead-letters/4/",
    full: true,
    act: (page) => keys(page, "e"),
  },
  { name: "letter-binary", path: "/settings/acme/projects/shop-api/dead-letters/2/" },
  { name: "issue-types", path: "/settings/acme/issue-types/" },
  { name: "issue-types-slow", path: "/settings/acme/issue-types/", scenario: "slow" },
  { name: "issue-type", path: "/settings/acme/issue-types/disk_full/", full: true },
  {
    name: "issue-type-new",
    path: "/settings/acme/issue-types/",
    act: (page) => page.getByRole("button", { name: "Create type" }).click(),
  },
  { name: "tokens", path: "/settings/account/api/auth-tokens/" },
  {
    name: "token-new",
    path: "/settings/account/api/auth-tokens/",
    act: (page) => page.getByRole("button", { name: "Create token" }).click(),
  },
  { name: "shortcuts", path: `${org}/issues/1001/`, act: (page) => keys(page, "?") },
  { name: "not-found", path: `${org}/nowhere/at/all/` },
];

async function signInWrongly(page) {
  await page.getByLabel("Email").fill("mira@example.com");
  await page.getByLabel("Password").fill("wrong");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("alert").waitFor();
}

async function keys(page, ...names) {
  await page.getByRole("heading", { level: 1 }).waitFor();
  for (const name of names) await page.keyboard.press(name);
}

const wanted = process.argv[2] ?? "";
const mock = await startMock();
const browser = await launch();
await mkdir(OUT, { recursive: true });
for (const colorScheme of ["light", "dark"]) {
  for (const { name: size, ...viewport } of VIEWS) {
    const context = await browser.newContext({
      viewport,
      colorScheme,
      reducedMotion: "reduce",
      hasTouch: size === "narrow",
    });
    const page = await context.newPage();
    page.setDefaultTimeout(4_000);
    page.on(
      "console",
      (message) => ["error", "warning"].includes(message.type()) && console.log(`  console: ${message.text()}`),
    );
    page.on("pageerror", (error) => console.log(`  page error: ${error.message}`));
    await page.clock.setFixedTime(NOW);
    for (const { name, path, scenario = "full", act, full = false } of PAGES.filter((each) =>
      each.name.includes(wanted),
    )) {
      await page.request.post(`${mock.url}/mock/`, { data: { scenario } });
      await page.evaluate(() => localStorage.clear()).catch(() => undefined);
      await page.goto("about:blank");
      await page.goto(mock.url + path);
      await page.getByRole("heading").first().waitFor();
      await page.waitForTimeout(350);
      await act?.(page).catch((error) => console.log(`  ${name}: ${error.message}`));
      await page.waitForTimeout(150);
      await page.screenshot({ path: `${OUT}${name}-${size}-${colorScheme}.png`, fullPage: full });
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      if (overflow > 0) console.log(`  ${name} ${size}: ${overflow} px wider than the window`);
    }
    await context.close();
  }
}
await browser.close();
mock.stop();
