/** What a server found wrong with settings, told where people find it: at the field, by the line. */

/** Most faults of one field that are told; whoever mends them sees the others next. */
const TOLD_MAX = 5;

/** The faults of a setting, each with the path below it: `relayPiiConfig.rules.0` is `rules.0` of `relayPiiConfig`. */
function faultsOf(faults: Record<string, string>, setting: string): [rest: string, message: string][] {
  return Object.entries(faults).flatMap(([place, message]): [string, string][] => {
    if (place === setting) return [["", message]];
    return place.startsWith(`${setting}.`) ? [[place.slice(setting.length + 1), message]] : [];
  });
}

function told(words: string[]): string | undefined {
  if (words.length === 0) return undefined;
  const more = words.length - TOLD_MAX;
  return [...words.slice(0, TOLD_MAX), ...(more > 0 ? [`and ${more} more`] : [])].join("\n");
}

/** The faults of a list with one entry a line. The server counts entries; people count lines, empty ones as well. */
export function listFaults(faults: Record<string, string>, setting: string, text: string): string | undefined {
  const lines = text.split("\n").flatMap((line, index) => (line.trim() === "" ? [] : [index + 1]));
  return told(
    faultsOf(faults, setting).map(([rest, message]) => {
      const line = rest === "" ? undefined : lines[Number(rest)];
      return line === undefined ? message : `Line ${line}: ${message}`;
    }),
  );
}

/** The faults of a JSON text. Each is named with the keys that lead to it and the line of the last that is found. */
export function jsonFaults(faults: Record<string, string>, setting: string, text: string): string | undefined {
  return told(
    faultsOf(faults, setting).map(([rest, message]) => {
      const keys = rest === "" ? [] : rest.split(".");
      let at = -1;
      for (const key of keys) {
        const found = text.indexOf(JSON.stringify(key), at + 1);
        if (found !== -1) at = found;
      }
      const line = at === -1 ? [] : [`line ${text.slice(0, at).split("\n").length}`];
      const where = [...line, ...(keys.length > 0 ? [keys.join(" › ")] : [])].join(", ");
      return where === "" ? message : `${where.charAt(0).toUpperCase()}${where.slice(1)}: ${message}`;
    }),
  );
}
