const UNITS = [
  [7 * 24 * 60, "week"],
  [24 * 60, "day"],
  [60, "hour"],
  [1, "minute"],
] as const;

/** Minutes in the largest unit that they fill: "a day", "3 hours". */
export function duration(minutes: number): string {
  const [size, unit] = UNITS.find(([size]) => minutes % size === 0) ?? UNITS[3];
  const many = minutes / size;
  if (many === 1) return `${unit === "hour" ? "an" : "a"} ${unit}`;
  return `${many.toLocaleString("en-US")} ${unit}s`;
}
