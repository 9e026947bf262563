// Debian's Chromium, driven by Playwright.
import { chromium as playwright } from "playwright-core";

/** Starts a browser that talks to nobody but the page under test. */
export function chromium() {
  return playwright.launch({
    executablePath: process.env.TEST_CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync",
    ],
  });
}
