/** The advanced rules of scrubbing, put together from what people choose. */

import { asArray, asObject } from "./json";

export const METHODS = [
  ["mask", "Mask"],
  ["remove", "Remove"],
  ["hash", "Hash"],
  ["replace", "Replace"],
] as const;

export const KINDS = [
  ["creditcard", "Credit card numbers"],
  ["password", "Passwords and secrets"],
  ["ip", "IP addresses"],
  ["email", "E-mail addresses"],
  ["iban", "IBANs"],
  ["mac", "MAC addresses"],
  ["uuid", "UUIDs"],
  ["imei", "IMEIs"],
  ["us_ssn", "US social security numbers"],
  ["pemkey", "PEM keys"],
  ["url_auth", "Credentials in URLs"],
  ["userpath", "User names in paths"],
  ["bearer", "Bearer tokens"],
  ["anything", "Anything"],
  ["pattern", "A regular expression"],
] as const;

export interface ScrubRule {
  method: string;
  type: string;
  source: string;
  pattern: string;
}

/** The configuration with one rule more; `null` when the text is no configuration. */
export function withRule(text: string, { method, type, source, pattern }: ScrubRule): string | null {
  let config: Record<string, unknown> | null = {};
  try {
    if (text.trim() !== "") config = asObject(JSON.parse(text));
  } catch {
    return null;
  }
  if (config === null) return null;
  const rules = asObject(config.rules) ?? {};
  const applications = asObject(config.applications) ?? {};
  let number = Object.keys(rules).length;
  while (String(number) in rules) number += 1;
  const id = String(number);
  const rule = { type, ...(type === "pattern" ? { pattern } : {}), redaction: { method } };
  const applied = [...asArray(applications[source]), id];
  const next = { ...config, rules: { ...rules, [id]: rule }, applications: { ...applications, [source]: applied } };
  return JSON.stringify(next, null, 2);
}
