import { expect, it } from "vitest";
import { ARCHIVES, conditions, untilEvents, untilUsers } from "./archive";

it("offers the ways to archive in words", () => {
  expect(ARCHIVES.map(({ label }) => label)).toEqual([
    "Until it escalates",
    "For ever",
    "For an hour",
    "For a day",
    "For a week",
    "For 30 days",
  ]);
  expect(untilEvents(10, 0)).toMatchObject({ done: "archived until 10 more events", details: { ignoreCount: 10 } });
  expect(untilEvents(1, 60).details).toEqual({ ignoreCount: 1, ignoreWindow: 60 });
  expect(untilUsers(2, 1_440)).toMatchObject({
    label: "Until 2 more users within a day",
    details: { ignoreUserCount: 2, ignoreUserWindow: 1_440 },
  });
});

it("says what ends an archiving", () => {
  expect(conditions({})).toBe("");
  expect(conditions({ ignoreUntil: "2026-05-15T09:41:00Z", ignoreCount: 1 })).toBe("2026-05-15 09:41 or 1 more event");
});
