import { describe, expect, it } from "vitest";
import { readEvent } from "./event";

function reportOf(type: string, data: object) {
  return readEvent({ entries: [{ type, data }] }).report;
}

describe("the report of an event", () => {
  it("tells of a policy what it stopped, where, and what it says", () => {
    const report = reportOf("csp", {
      effective_directive: "script-src-elem",
      violated_directive: "script-src 'self'",
      blocked_uri: "javascript:alert(1)",
      document_uri: "https://shop.example/cart",
      source_file: "https://shop.example/app.js",
      line_number: 12,
      column_number: 7,
      disposition: "report",
      original_policy: "default-src 'self'; script-src 'self';",
      script_sample: "<b>x</b>",
      made_up: { a: 1 },
      empty: "",
    });
    expect(report).toEqual({
      title: "Content security policy",
      facts: [
        ["Directive", "script-src-elem"],
        ["Violated", "script-src 'self'"],
        ["Blocked", "javascript:alert(1)"],
        ["Document", "https://shop.example/cart"],
        ["Source", "https://shop.example/app.js:12:7"],
        ["Effect", "Reported only, not blocked"],
        ["made_up", '{"a":1}'],
      ],
      texts: [
        { name: "Sample", text: "<b>x</b>" },
        { name: "Policy", text: "default-src 'self';\nscript-src 'self'" },
      ],
    });
  });

  it.each([
    ["expectct", { hostname: "a.example", port: 8443 }, "a.example:8443"],
    ["expectstaple", { hostname: "b.example" }, "b.example"],
    ["hpkp", { hostname: "c.example", known_pins: ["x", { y: 1 }] }, "c.example"],
  ])("names the host of %s", (type, data, host) => {
    const report = reportOf(type, data);
    expect(report?.facts[0]).toEqual(["Host", host]);
    expect(report?.texts.map(({ text }) => text)).toEqual(type === "hpkp" ? ['x\n{"y":1}'] : []);
    expect(report?.facts).toHaveLength(1);
  });

  it("is a network error's context, which then is no context of its own", () => {
    const nel = {
      type: "nel",
      error_type: "tcp.timed_out",
      phase: "connection",
      elapsed_time: 30_000,
      sampling_fraction: 0.1,
    };
    const event = readEvent({ contexts: { nel, browser: { name: "Chrome" } } });
    expect(event.report?.facts).toEqual([
      ["Error", "tcp.timed_out"],
      ["Phase", "connection"],
      ["After", "30,000 ms"],
      ["Sampled", "10 % of such requests"],
    ]);
    expect(event.contexts.map(([name]) => name)).toEqual(["browser"]);
  });

  it.each([
    ["csp", {}],
    ["csp", { effective_directive: [], line_number: "x", original_policy: 7, source_file: {} }],
    ["hpkp", { known_pins: {}, port: [] }],
  ])("survives %s %j", (type, data) => {
    expect(reportOf(type, data)?.title).toBeTruthy();
  });

  it("is nothing for an error", () => {
    expect(readEvent({ entries: [{ type: "exception", data: { values: [] } }] }).report).toBeNull();
  });
});
