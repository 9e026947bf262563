import { byteSize, exactNumber } from "./number";

/** What a quota says, as far as it is put into words. */
export interface QuotaWords {
  scope: string;
  scopeId: string | null;
  categories: string[];
  limit: number | null;
  window: number | null;
}

/** What can be limited, what is measured alike together. */
export const LIMITABLE: { unit: "items" | "bytes"; categories: string[] }[] = [
  {
    unit: "items",
    categories: [
      "error",
      "transaction",
      "span",
      "log_item",
      "trace_metric",
      "session",
      "attachment_item",
      "replay",
      "profile",
      "profile_chunk",
      "monitor",
      "feedback",
      "security",
    ],
  },
  { unit: "bytes", categories: ["attachment", "log_byte"] },
];

/** Windows to choose from, in seconds. */
export const WINDOWS: { seconds: number; name: string }[] = [
  { seconds: 60, name: "Minute" },
  { seconds: 3_600, name: "Hour" },
  { seconds: 86_400, name: "Day" },
  { seconds: 604_800, name: "Week" },
  { seconds: 2_592_000, name: "30 days" },
];

/** `minute`, `hour`, `90 seconds`. */
export function windowName(seconds: number): string {
  const known = WINDOWS.find((window) => window.seconds === seconds);
  return known ? known.name.toLowerCase() : `${exactNumber(seconds)} seconds`;
}

/** `1,000 an hour`, `none`, `any number`, `5 MB in 90 seconds`. */
export function limitText({ limit, window, categories }: Omit<QuotaWords, "scope" | "scopeId">): string {
  if (limit === 0) return "none";
  if (limit === null) return "any number, counted";
  const seconds = window ?? 0;
  const known = WINDOWS.some((each) => each.seconds === seconds);
  const name = windowName(seconds);
  const per = !known || /^\d/.test(name) ? `in ${name}` : `${name === "hour" ? "an" : "a"} ${name}`;
  return `${amount(limit, categories)} ${per}`;
}

/** Units that bytes are written in. */
export const BYTE_UNITS = [
  { name: "B", size: 1 },
  { name: "kB", size: 1e3 },
  { name: "MB", size: 1e6 },
  { name: "GB", size: 1e9 },
] as const;

/** A number of bytes in the largest unit that leaves few digits: 1,500,000 are 1.5 MB. */
export function inByteUnit(bytes: number): { value: number; unit: number } {
  const unit = BYTE_UNITS.findLast(({ size }) => bytes >= size && Number.isInteger((bytes / size) * 100))?.size ?? 1;
  return { value: bytes / unit, unit };
}

/** Whether one of the categories is measured in bytes. */
export function areBytes(categories: string[]): boolean {
  return LIMITABLE.some(({ unit, categories: all }) => unit === "bytes" && categories.some((c) => all.includes(c)));
}

/** A number of units in the unit that the categories are measured in. */
export function amount(units: number, categories: string[]): string {
  return areBytes(categories) ? byteSize(units) : exactNumber(units);
}

/** Share of a limit that is used, from 0 to 100; nothing where there is no limit. */
export function usedPercent(used: number, limit: number | null): number | null {
  return limit === null || limit <= 0 ? null : Math.min(100, Math.floor((used / limit) * 100));
}
