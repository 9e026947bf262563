/** Readers for values that came over the wire: what an event holds was written by strangers and may have any shape. */

export type JsonObject = Record<string, unknown>;

export function asObject(value: unknown): JsonObject | null {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : null;
}

export function asArray(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

/** Text of a string, number or boolean; `null` for everything else and for the empty string. */
export function asText(value: unknown): string | null {
  if (typeof value === "string") return value === "" ? null : value;
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  return null;
}

export function asNumber(value: unknown): number | null {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

export function asBoolean(value: unknown): boolean | null {
  return typeof value === "boolean" ? value : null;
}

/** What keeps a text from being JSON, in the browser's words; `null` when it is JSON. */
export function jsonFault(text: string): string | null {
  try {
    JSON.parse(text);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : "it can't be read";
  }
}

/** Pairs `[[key, value], ...]` as requests carry them; an object is read as pairs too. */
export function asPairs(value: unknown): [string, string][] {
  const pairs = Array.isArray(value) ? value : Object.entries(asObject(value) ?? {});
  return pairs.flatMap((pair): [string, string][] => {
    if (!Array.isArray(pair)) return [];
    const key = asText(pair[0]);
    return key === null ? [] : [[key, asText(pair[1]) ?? (pair[1] == null ? "" : JSON.stringify(pair[1]))]];
  });
}
