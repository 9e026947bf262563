import { describe, expect, it } from "vitest";
import { absoluteTime, bucketLabel, clockTime, duration, offsetFrom, relativeTime } from "./time";

const NOW = Date.parse("2026-05-14T12:00:00Z");
const ago = (seconds: number) => relativeTime(new Date(NOW - seconds * 1_000).toISOString(), NOW);

describe("relativeTime", () => {
  it.each([
    [0, "just now"],
    [-30, "just now"],
    [-7_200, "in 2h"],
    [5, "5s ago"],
    [59.9, "59s ago"],
    [60, "1min ago"],
    [3_599, "59min ago"],
    [3_600, "1h ago"],
    [86_400, "1d ago"],
    [59 * 86_400, "59d ago"],
    [60 * 86_400, "2mo ago"],
    [364 * 86_400, "12mo ago"],
    [366 * 86_400, "1y ago"],
  ])("%d seconds are %s", (seconds, text) => expect(ago(seconds)).toBe(text));

  it("says so when the moment can't be read", () => expect(relativeTime("soon", NOW)).toBe("unknown"));
});

describe("absolute times", () => {
  it("have date, seconds and zone", () => {
    expect(absoluteTime("2026-05-14T09:08:07Z", "UTC")).toBe("14 May 2026, 09:08:07 UTC");
    expect(clockTime("2026-05-14T09:08:07.06Z", "UTC")).toBe("09:08:07.060");
    expect(absoluteTime("soon")).toBe("soon");
  });

  it("name the day of a daily bucket in UTC, whatever the reader's zone", () => {
    const midnight = Date.parse("2026-05-14T00:00:00Z") / 1_000;
    expect(bucketLabel(midnight, 86_400, "America/New_York")).toBe("Thu 14 May UTC");
    expect(bucketLabel(midnight, 3_600, "America/New_York")).toBe("13 May, 20:00");
  });
});

describe("offsetFrom", () => {
  it.each([
    ["2026-05-14T12:00:00Z", "0 ms"],
    ["2026-05-14T11:59:59.660Z", "−340 ms"],
    ["2026-05-14T11:59:57.700Z", "−2.3 s"],
    ["2026-05-14T11:55:50Z", "−4 min 10 s"],
    ["2026-05-14T09:55:00Z", "−2 h 5 min"],
    ["2026-05-14T12:00:01Z", "+1.0 s"],
  ])("%s is %s", (iso, text) => expect(offsetFrom(iso, "2026-05-14T12:00:00Z")).toBe(text));
});

describe("duration", () => {
  it.each([
    [0, "0 ms"],
    [0.1234, "0.123 ms"],
    [340, "340 ms"],
    [2_314, "2.31 s"],
    [64_000, "1 min 4 s"],
    [7_500_000, "2 h 5 min"],
    [-340, "\u2212340 ms"],
  ])("writes %d", (ms, text) => expect(duration(ms)).toBe(text));
});
