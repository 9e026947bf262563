const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** How long ago, in the one unit that says most: `12s ago`, `5min ago`, `3h ago`, `4d ago`, `7mo ago`, `2y ago`. */
export function relativeTime(iso: string, nowMs: number): string {
  const thenMs = Date.parse(iso);
  if (Number.isNaN(thenMs)) return "unknown";
  const age = nowMs - thenMs;
  // Clocks of clients run ahead: what is only a little in the future happened just now.
  if (age < 5 * SECOND_MS) return age < -MINUTE_MS ? `in ${span(-age)}` : "just now";
  return `${span(age)} ago`;
}

/** The length of a time in one unit, rounded down. */
export function span(ms: number): string {
  if (ms < MINUTE_MS) return `${Math.floor(ms / SECOND_MS)}s`;
  if (ms < HOUR_MS) return `${Math.floor(ms / MINUTE_MS)}min`;
  if (ms < DAY_MS) return `${Math.floor(ms / HOUR_MS)}h`;
  if (ms < 60 * DAY_MS) return `${Math.floor(ms / DAY_MS)}d`;
  if (ms < 365 * DAY_MS) return `${Math.floor(ms / (30 * DAY_MS))}mo`;
  return `${Math.floor(ms / (365 * DAY_MS))}y`;
}

/** Date, time and zone in the reader's own zone, for tooltips and details. */
export function absoluteTime(iso: string, timeZone?: string): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return iso;
  return new Intl.DateTimeFormat("en-GB", {
    day: "numeric",
    month: "short",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    timeZone,
    timeZoneName: "short",
  }).format(date);
}

/** Clock time with milliseconds, in the reader's own zone, for rows of one event. */
export function clockTime(iso: string, timeZone?: string): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return "";
  return new Intl.DateTimeFormat("en-GB", {
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    fractionalSecondDigits: 3,
    timeZone,
  }).format(date);
}

/** Distance of a moment from the error it led to: `-340 ms`, `-2.3 s`, `-4 min 10 s`, `-2 h 5 min`. */
export function offsetFrom(iso: string, endIso: string): string {
  const ms = Date.parse(iso) - Date.parse(endIso);
  if (Number.isNaN(ms)) return "";
  const sign = ms < 0 ? "\u2212" : ms > 0 ? "+" : "";
  const size = Math.abs(ms);
  if (size < SECOND_MS) return `${sign}${size} ms`;
  if (size < MINUTE_MS) return `${sign}${(Math.round(size / 100) / 10).toFixed(1)} s`;
  if (size < HOUR_MS)
    return `${sign}${Math.floor(size / MINUTE_MS)} min ${Math.floor((size % MINUTE_MS) / SECOND_MS)} s`;
  return `${sign}${Math.floor(size / HOUR_MS)} h ${Math.floor((size % HOUR_MS) / MINUTE_MS)} min`;
}

/** How long something took, in three significant digits: `340 ms`, `2.31 s`, `1 min 4 s`, `2 h 5 min`. */
export function duration(ms: number): string {
  const size = Math.abs(ms);
  const sign = ms < 0 ? "\u2212" : "";
  if (size < SECOND_MS) return `${sign}${Number(size.toPrecision(3))} ms`;
  if (size < MINUTE_MS) return `${sign}${Number((size / SECOND_MS).toPrecision(3))} s`;
  if (size < HOUR_MS)
    return `${sign}${Math.floor(size / MINUTE_MS)} min ${Math.floor((size % MINUTE_MS) / SECOND_MS)} s`;
  return `${sign}${Math.floor(size / HOUR_MS)} h ${Math.floor((size % HOUR_MS) / MINUTE_MS)} min`;
}

/** When a chart's bucket begins: a day, which is one of UTC and says so, or a time in the reader's own zone. */
export function bucketLabel(unixSeconds: number, widthSeconds: number, timeZone?: string): string {
  const date = new Date(unixSeconds * SECOND_MS);
  if (widthSeconds >= DAY_MS / SECOND_MS) {
    // Day buckets start at midnight UTC; another zone would name the wrong day.
    const day = new Intl.DateTimeFormat("en-GB", {
      weekday: "short",
      day: "numeric",
      month: "short",
      timeZone: "UTC",
    }).format(date);
    return `${day} UTC`;
  }
  return new Intl.DateTimeFormat("en-GB", {
    day: "numeric",
    month: "short",
    hour: "2-digit",
    minute: "2-digit",
    timeZone,
  }).format(date);
}
