import { describe, expect, it } from "vitest";
import { jsonFaults, listFaults } from "./faults";

describe("faults of lists", () => {
  const faults = {
    "options.ips.1": "no address",
    "options.ips.2": "no network",
    "options.ips_defaults": "expected true",
  };

  it("are all told by the lines that people see", () => {
    expect(listFaults(faults, "options.ips", "10.0.0.1\n\nx\ny")).toBe("Line 3: no address\nLine 4: no network");
  });

  it("of the list as a whole have no line, and those of others are not told", () => {
    expect(listFaults({ allowedDomains: "at most 100 are taken" }, "allowedDomains", "a")).toBe(
      "at most 100 are taken",
    );
    expect(listFaults(faults, "options", "")).toContain("no address");
    expect(listFaults(faults, "options.releases", "x")).toBeUndefined();
  });

  it("are not told without end", () => {
    const many = Object.fromEntries(Array.from({ length: 9 }, (_, index) => [`list.${index}`, "wrong"]));
    expect(listFaults(many, "list", "x\n".repeat(9))?.split("\n").at(-1)).toBe("and 4 more");
  });
});

describe("faults of JSON", () => {
  it("are told by line and keys", () => {
    const text = '{\n  "rules": {},\n  "applications": {\n    "$foo": ["@ip"]\n  }\n}';
    expect(jsonFaults({ "rules.applications.$foo": "expected a type" }, "rules", text)).toBe(
      "Line 4, applications › $foo: expected a type",
    );
  });

  it("of the text as a whole have no place", () => {
    expect(jsonFaults({ rules: "this is no JSON" }, "rules", "{")).toBe("this is no JSON");
  });
});
