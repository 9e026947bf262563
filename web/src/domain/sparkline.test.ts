import { expect, it } from "vitest";
import { bars, barsPath, peak, total } from "./sparkline";

const series = [
  [10, 0],
  [20, 1],
  [30, 1_000_000],
  [40, 500_000],
];

it("scales to the highest, keeps one event visible, and leaves empty buckets empty", () => {
  expect(bars(series, 40, 20, 2).map(({ x, y, width, height }) => [x, y, width, height])).toEqual([
    [0, 20, 8, 0],
    [10, 18, 8, 2],
    [20, 0, 8, 20],
    [30, 10, 8, 10],
  ]);
  expect(peak(series)).toBe(1_000_000);
  expect(total(series)).toBe(1_500_001);
});

it("draws nothing for nothing", () => {
  expect(barsPath(bars([], 40, 20, 2))).toBe("");
  expect(barsPath(bars([[1, 0]], 40, 20, 2))).toBe("");
});
