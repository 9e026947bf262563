const STEPS: [number, string][] = [
  [1e9, "b"],
  [1e6, "m"],
  [1e3, "k"],
];

/** Exact up to 9,999, then three significant digits with a unit: `12.3k`, `4.05m`. */
export function compactNumber(value: number): string {
  if (value < 10_000) return exactNumber(value);
  for (const [index, [size, unit]] of STEPS.entries()) {
    if (value < size) continue;
    const scaled = Number((value / size).toPrecision(3));
    // 999,950 rounds up to a thousand thousands: that is the next unit's one.
    const larger = STEPS[index - 1];
    return scaled >= 1_000 && larger ? `1${larger[1]}` : `${scaled}${unit}`;
  }
  return exactNumber(value);
}

export function exactNumber(value: number): string {
  return value.toLocaleString("en-US");
}

export function percent(part: number, whole: number): string {
  if (whole <= 0) return "0%";
  const share = (part / whole) * 100;
  if (share > 0 && share < 1) return "<1%";
  // Not all of them: never say 100.
  return `${share < 100 ? Math.min(99, Math.round(share)) : 100}%`;
}

export function byteSize(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  if (bytes < 1_000_000) return `${Number((bytes / 1_000).toPrecision(3))} kB`;
  if (bytes < 1_000_000_000) return `${Number((bytes / 1_000_000).toPrecision(3))} MB`;
  if (bytes < 1_000_000_000_000) return `${Number((bytes / 1_000_000_000).toPrecision(3))} GB`;
  return `${exactNumber(Number((bytes / 1_000_000_000_000).toPrecision(3)))} TB`;
}

/** What somebody typed as a whole number of units, times what a unit counts for; else what is wrong with it, in words.
 * Halves are taken where a unit is made of smaller ones: 1.5 kB are 1,500. */
export function readWhole(text: string, least: number, unit = 1): number | string {
  const value = text.trim() === "" ? Number.NaN : Number(text) * unit;
  if (!Number.isFinite(value)) return "Expected a number";
  const whole = Math.round(value);
  if (Math.abs(value - whole) > 1e-6) return "Expected a whole number";
  if (whole < least) return `Expected ${exactNumber(least)} or more`;
  if (whole > Number.MAX_SAFE_INTEGER) return "This number is too large";
  return whole;
}

/** `1 event`, `2 events`. */
export function count(value: number, noun: string): string {
  return `${exactNumber(value)} ${noun}${value === 1 ? "" : "s"}`;
}
