import { describe, expect, it } from "vitest";
import { amount, inByteUnit, limitText, usedPercent, windowName } from "./quota";

describe("limitText", () => {
  it.each([
    [{ limit: 1000, window: 3600, categories: ["error"] }, "1,000 an hour"],
    [{ limit: 5, window: 60, categories: ["error"] }, "5 a minute"],
    [{ limit: 5, window: 2_592_000, categories: ["span"] }, "5 in 30 days"],
    [{ limit: 5_000_000, window: 90, categories: ["log_byte"] }, "5 MB in 90 seconds"],
    [{ limit: 0, window: null, categories: [] }, "none"],
    [{ limit: null, window: 60, categories: ["error"] }, "any number, counted"],
  ])("%j is %s", (quota, expected) => expect(limitText(quota)).toBe(expected));
});

it("names windows that nobody chooses by their seconds", () => {
  expect([windowName(86_400), windowName(7_200)]).toEqual(["day", "7,200 seconds"]);
});

it("measures bytes as bytes", () => {
  expect([amount(12_300, ["attachment"]), amount(12_300, ["error"])]).toEqual(["12.3 kB", "12,300"]);
});

it("finds the unit that a number of bytes was written in", () => {
  expect([5_000_000, 1_500, 999, 1_234_567, 2_000_000_000].map(inByteUnit)).toEqual([
    { value: 5, unit: 1e6 },
    { value: 1.5, unit: 1e3 },
    { value: 999, unit: 1 },
    { value: 1_234_567, unit: 1 },
    { value: 2, unit: 1e9 },
  ]);
});

it("never says all is used before it is, and nothing where there is no limit", () => {
  expect([usedPercent(999, 1000), usedPercent(1000, 1000), usedPercent(5, null), usedPercent(0, 0)]).toEqual([
    99,
    100,
    null,
    null,
  ]);
});
