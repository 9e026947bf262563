/** Counts over time as the API sends them: `[unix seconds, count]`, oldest first. */
export type Series = number[][];

export interface Bar {
  time: number;
  count: number;
  x: number;
  y: number;
  width: number;
  height: number;
}

/** An hour or a day with one event must be seen next to one with a million. */
const HEIGHT_MIN = 2;

/** Bars across the whole width, scaled to the highest; an empty bucket has height 0. */
export function bars(series: Series, width: number, height: number, gap: number): Bar[] {
  const highest = peak(series);
  const step = width / Math.max(1, series.length);
  return series.map(([time = 0, count = 0], index) => {
    const size = count <= 0 || highest <= 0 ? 0 : Math.max(HEIGHT_MIN, (count / highest) * height);
    return { time, count, x: index * step, y: height - size, width: Math.max(1, step - gap), height: size };
  });
}

export function peak(series: Series): number {
  return series.reduce((highest, [, count = 0]) => Math.max(highest, count), 0);
}

export function total(series: Series): number {
  return series.reduce((sum, [, count = 0]) => sum + count, 0);
}

/** All bars as one path, so that a list of a hundred rows stays a hundred elements. */
export function barsPath(drawn: Bar[]): string {
  return drawn
    .filter((bar) => bar.height > 0)
    .map((bar) => `M${round(bar.x)} ${round(bar.y)}h${round(bar.width)}v${round(bar.height)}h${round(-bar.width)}z`)
    .join("");
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
