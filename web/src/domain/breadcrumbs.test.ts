import { expect, it } from "vitest";
import { filterBreadcrumbs, kindOf, summary } from "./breadcrumbs";
import type { Breadcrumb } from "./event";

function crumb(fields: Partial<Breadcrumb>): Breadcrumb {
  return { type: "default", level: "info", category: null, message: null, timestamp: null, data: null, ...fields };
}

it("knows what a breadcrumb is about by its type, its category or its level", () => {
  expect(kindOf(crumb({ type: "http" }))).toBe("http");
  expect(kindOf(crumb({ category: "xhr" }))).toBe("http");
  expect(kindOf(crumb({ category: "ui.click" }))).toBe("user");
  expect(kindOf(crumb({ category: "query" }))).toBe("query");
  expect(kindOf(crumb({ category: "console", level: "error" }))).toBe("error");
  expect(kindOf(crumb({ category: "my.logger" }))).toBe("log");
});

it("says what happened when there is no message", () => {
  expect(summary(crumb({ category: "fetch", data: { method: "GET", url: "/a", status_code: 500 } }))).toBe(
    "GET /a [500]",
  );
  expect(summary(crumb({ type: "navigation", data: { from: "/a", to: "/b" } }))).toBe("/a → /b");
  expect(summary(crumb({ message: "m", data: { url: "/a" } }))).toBe("m");
});

it("filters by kind and by text, also inside data", () => {
  const crumbs = [crumb({ message: "one", data: { deep: "Needle" } }), crumb({ type: "http", message: "two" })];
  expect(filterBreadcrumbs(crumbs, new Set(), "needle").map(summary)).toEqual(["one"]);
  expect(filterBreadcrumbs(crumbs, new Set(["http"]), "").map(summary)).toEqual(["two"]);
  expect(filterBreadcrumbs(crumbs, new Set(), "")).toHaveLength(2);
});
