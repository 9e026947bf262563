import { expect, it } from "vitest";
import { jsonFault } from "./json";

it("says what keeps a text from being JSON", () => {
  expect(jsonFault('{"a": [1, null]}')).toBeNull();
  expect(jsonFault("level=error")).toMatch(/level|JSON/);
  expect(jsonFault("")).not.toBeNull();
});
