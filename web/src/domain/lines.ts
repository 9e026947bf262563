/** Lists as people edit them: one entry a line. */

export function readLines(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

export function writeLines(entries: string[]): string {
  return entries.join("\n");
}
