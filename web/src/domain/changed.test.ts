import { expect, it } from "vitest";
import { changed } from "./changed";

it("tells what is not as it was, lists by what they hold", () => {
  const before: { on: boolean; words: string[]; rules: string | null } = { on: true, words: ["a", "b"], rules: null };
  expect(changed<typeof before>(before, { on: true, words: ["a", "b"], rules: null })).toEqual({});
  expect(changed<typeof before>(before, { on: false, words: ["b"], rules: null })).toEqual({ on: false, words: ["b"] });
  expect(changed<typeof before>(before, { ...before, rules: "{}" })).toEqual({ rules: "{}" });
});
