import { describe, expect, it } from "vitest";
import { byteSize, compactNumber, count, percent, readWhole } from "./number";

describe("compactNumber", () => {
  it.each([
    [0, "0"],
    [9_999, "9,999"],
    [10_000, "10k"],
    [12_345, "12.3k"],
    [174_400, "174k"],
    [999_950, "1m"],
    [4_050_000, "4.05m"],
    [2e9, "2b"],
  ])("%d is %s", (value, text) => expect(compactNumber(value)).toBe(text));
});

describe("percent", () => {
  it("never says all or none when it is not so", () => {
    expect(percent(1, 10_000)).toBe("<1%");
    expect(percent(9_999, 10_000)).toBe("99%");
    expect(percent(5, 5)).toBe("100%");
    expect(percent(0, 5)).toBe("0%");
    expect(percent(1, 0)).toBe("0%");
  });
});

it("gives sizes and counts their units", () => {
  expect(byteSize(999)).toBe("999 B");
  expect(byteSize(18_342)).toBe("18.3 kB");
  expect(byteSize(2_000_000)).toBe("2 MB");
  expect(byteSize(412_316_860_416)).toBe("412 GB");
  expect(byteSize(5e15)).toBe("5,000 TB");
  expect(count(1, "event")).toBe("1 event");
  expect(count(0, "event")).toBe("0 events");
});

describe("readWhole", () => {
  it.each([
    ["1", 1],
    [" 500 ", 500],
    ["", "Expected a number"],
    ["many", "Expected a number"],
    ["0", "Expected 1 or more"],
    ["-5", "Expected 1 or more"],
    ["1.5", "Expected a whole number"],
    ["9007199254740993", "This number is too large"],
    ["1e999", "Expected a number"],
  ])("reads %j as %j", (text, expected) => expect(readWhole(text, 1)).toBe(expected));

  it("counts in units", () =>
    expect([readWhole("1.5", 1, 1_000), readWhole("0.0001", 1, 1_000)]).toEqual([1_500, "Expected a whole number"]));
});
