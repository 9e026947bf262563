import { expect, it } from "vitest";
import { chosenBrowsers } from "./legacyBrowsers";

it("tells which browsers a switch or a list means", () => {
  expect(chosenBrowsers(false)).toEqual([]);
  expect(chosenBrowsers(true)).toContain("safari");
  expect(chosenBrowsers(true)).not.toContain("ie9");
  expect(chosenBrowsers(["ie9", "safari"])).toEqual(["ie9", "safari"]);
});
