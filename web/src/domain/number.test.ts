import { describe, expect, it } from "vitest";
import { byteSize, compactNumber, count, percent } from "./number";

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
