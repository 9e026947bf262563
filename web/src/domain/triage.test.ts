import { expect, it } from "vitest";
import { headline, stateName } from "./triage";

it("names a state with its reason, and none for an issue that is simply open", () => {
  expect(stateName("ignored", "archived_until_escalating")).toBe("Archived until it escalates");
  expect(stateName("ignored", "archived_forever")).toBe("Archived");
  expect(stateName("ignored", "archived_until_condition_met", { ignoreCount: 5 })).toBe("Archived until 5 more events");
  expect(stateName("resolved", null)).toBe("Resolved");
  expect(stateName("unresolved", "regressed")).toBe("Regressed");
  expect(stateName("unresolved", "ongoing")).toBeNull();
});

it("takes type and message from the metadata, else the title", () => {
  expect(headline({ title: "E: x", metadata: { type: "E", value: "x" } })).toEqual({ type: "E", message: "x" });
  expect(headline({ title: "hello", metadata: { title: "hello" } })).toEqual({ type: "hello", message: "" });
});
