import { describe, expect, it } from "vitest";
import { highlight } from "./highlight";

const kinds = (line: string, platform: string) =>
  highlight(line, platform).flatMap(({ kind, text }) => (kind === "plain" ? [] : [`${kind} ${text}`]));

describe("highlight", () => {
  it("colours words, strings, numbers, calls and comments", () => {
    expect(kinds('raise Declined(f"card {x}", 3)  # why', "python")).toEqual([
      "keyword raise",
      "name Declined",
      'string f"card {x}"',
      "number 3",
      "comment # why",
    ]);
    expect(kinds("const a = this.#b; // c", "javascript")).toEqual(["keyword const", "keyword this", "comment // c"]);
  });

  it.each(["", "'", '"\\', "/* a", "\u0000\ud800", "a'b\"c`d", "#".repeat(50), "x".repeat(5_000)])(
    "never changes the text: %j",
    (line) => {
      for (const platform of ["python", "javascript", null]) {
        expect(
          highlight(line, platform)
            .map(({ text }) => text)
            .join(""),
        ).toBe(line);
      }
    },
  );
});
