/** Search parameters as plain text; a repeated key becomes a list. */
export type SearchParams = Record<string, string | string[]>;

export function parseSearch(text: string): SearchParams {
  const result: SearchParams = {};
  for (const [key, value] of new URLSearchParams(text)) {
    const before = result[key];
    result[key] = before === undefined ? value : [before, value].flat();
  }
  return result;
}

/** The opposite of `parseSearch`. Absent members vanish, empty text stays: `query=` asks for everything. */
export function stringifySearch(search: Record<string, unknown>): string {
  const params = new URLSearchParams();
  for (const [key, value] of Object.entries(search)) {
    for (const item of [value].flat()) if (item !== undefined && item !== null) params.append(key, String(item));
  }
  // Colons, commas and slashes may stand as they are: queries stay readable in the address bar.
  const text = params
    .toString()
    .replaceAll("%3A", ":")
    .replaceAll("%2C", ",")
    .replaceAll("%2F", "/")
    .replaceAll("%40", "@");
  return text === "" ? "" : `?${text}`;
}
