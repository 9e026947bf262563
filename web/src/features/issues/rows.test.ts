import { describe, expect, it } from "vitest";
import type { Issue } from "@/api/models";
import { newCount, stillInView, withFreshNumbers } from "./rows";

function issue(id: string, minute: number, fields: Partial<Issue> = {}): Issue {
  const lastSeen = new Date(Date.UTC(2026, 0, 1, 12, minute)).toISOString();
  return { id, lastSeen, count: "1", userCount: 1, status: "unresolved", stats: null, ...fields } as Issue;
}

describe("withFreshNumbers", () => {
  it("takes newer numbers, but neither order nor status nor other rows", () => {
    const shown = [issue("1", 5), issue("2", 4, { status: "resolved" })];
    const fresh = [issue("3", 9), issue("2", 8, { count: "7" }), issue("1", 5)];
    expect(withFreshNumbers(shown, fresh)).toMatchObject([
      { id: "1", count: "1" },
      { id: "2", count: "7", status: "resolved" },
    ]);
  });
});

describe("newCount", () => {
  it("counts what was seen later than any row, not what moved up from the next page", () => {
    const shown = [issue("1", 5), issue("2", 4)];
    expect(newCount(shown, [issue("9", 6), issue("1", 5), issue("3", 1)])).toBe(1);
    expect(newCount(shown, [issue("1", 8), issue("2", 4)])).toBe(0);
    expect(newCount([], [issue("1", 1)])).toBe(1);
  });
});

describe("stillInView", () => {
  it("lets a row go as soon as it has another status", () => {
    const rows = [issue("1", 1), issue("2", 2, { status: "resolved" }), issue("3", 3, { status: "ignored" })];
    const ids = (view: Parameters<typeof stillInView>[1]) => stillInView(rows, view).map(({ id }) => id);
    expect(ids("unresolved")).toEqual(["1"]);
    expect(ids("review")).toEqual(["1"]);
    expect(ids("archived")).toEqual(["3"]);
    expect(ids("all")).toEqual(["1", "2", "3"]);
    expect(ids(null)).toEqual(["1", "2", "3"]);
  });
});
