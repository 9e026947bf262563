import { describe, expect, it } from "vitest";
import { withRule } from "./scrubRule";

const EMAIL = { method: "mask", type: "email", source: "$string", pattern: "" };

describe("a rule is added", () => {
  it("to nothing", () => {
    expect(JSON.parse(withRule(" ", EMAIL) ?? "")).toEqual({
      rules: { "0": { type: "email", redaction: { method: "mask" } } },
      applications: { $string: ["0"] },
    });
  });

  it("beside others, under an id of its own, without losing anything", () => {
    const before = { vars: { hashKey: "k" }, rules: { "1": { type: "ip" } }, applications: { $string: ["1"] } };
    const rule = { ...EMAIL, type: "pattern", pattern: "a+" };
    expect(JSON.parse(withRule(JSON.stringify(before), rule) ?? "")).toEqual({
      vars: { hashKey: "k" },
      rules: { "1": { type: "ip" }, "2": { type: "pattern", pattern: "a+", redaction: { method: "mask" } } },
      applications: { $string: ["1", "2"] },
    });
  });

  it("to no text that is not a configuration", () => {
    expect(withRule("{", EMAIL)).toBeNull();
    expect(withRule("[]", EMAIL)).toBeNull();
  });
});
