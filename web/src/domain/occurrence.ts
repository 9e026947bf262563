import { asArray, asNumber, asObject, asText, type JsonObject } from "./json";

/** What a detector reported with its event (reference/web-api.md §3.9). */
export interface Occurrence {
  /** Number of the issue type. */
  type: number | null;
  title: string | null;
  subtitle: string | null;
  resourceId: string | null;
  data: JsonObject;
  display: { name: string; value: string; important: boolean }[];
}

/** How the issue type wants a part of the evidence to be shown. */
export interface EvidenceField {
  key: string;
  label: string | null;
  format: string;
}

export interface EvidenceRow {
  name: string;
  value: unknown;
  format: string;
  important: boolean;
}

export function readOccurrence(value: unknown): Occurrence | null {
  const occurrence = asObject(value);
  if (occurrence === null) return null;
  return {
    type: asNumber(occurrence.type),
    title: asText(occurrence.issueTitle),
    subtitle: asText(occurrence.subtitle),
    resourceId: asText(occurrence.resourceId),
    data: asObject(occurrence.evidenceData) ?? {},
    display: asArray(occurrence.evidenceDisplay).flatMap((entry) => {
      const name = asText(asObject(entry)?.name);
      if (name === null) return [];
      return [{ name, value: asText(asObject(entry)?.value) ?? "", important: asObject(entry)?.important === true }];
    }),
  };
}

/** The table of the evidence: what is important first, then what the type names, in its order, then the rest of the facts. */
export function evidenceRows(occurrence: Occurrence, fields: EvidenceField[]): EvidenceRow[] {
  const fieldOf = (name: string) => fields.find(({ key }) => key === name);
  const facts = occurrence.display.map(({ name, value, important }): EvidenceRow => {
    const field = fieldOf(name);
    return { name: field?.label ?? name, value, format: field?.format ?? "text", important };
  });
  const shown = new Set(occurrence.display.map(({ name }) => name));
  const named = fields.flatMap(({ key, label, format }): EvidenceRow[] => {
    const member = [key, camelCase(key)].find((name) => Object.hasOwn(occurrence.data, name));
    if (shown.has(key) || member === undefined) return [];
    return [{ name: label ?? key, value: occurrence.data[member], format, important: false }];
  });
  return [...facts.filter(({ important }) => important), ...named, ...facts.filter(({ important }) => !important)];
}

/** A number, also one that came as text, as facts do. */
export function evidenceNumber(value: unknown): number | null {
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  return asNumber(number);
}

/** A moment as ISO text: from seconds since the epoch, or from text that is one. */
export function evidenceTime(value: unknown): string | null {
  const seconds = evidenceNumber(value);
  const date = new Date(seconds === null ? String(value) : seconds * 1_000);
  return Number.isNaN(date.getTime()) ? null : date.toISOString();
}

/** Keys of evidence as the API writes them. */
function camelCase(key: string): string {
  return key.replace(/(?<=[^_])_+([a-z0-9])/g, (_, next: string) => next.toUpperCase());
}
