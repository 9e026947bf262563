import { describe, expect, it } from "vitest";
import { type Event, readEvent } from "./event";
import { eventMarkdown, rawStack } from "./eventText";

function event(platform: string, message = "card declined"): Event {
  const frames = (file: string) => ({
    frames: [
      {
        filename: file,
        absPath: `/srv/${file}`,
        module: "shop.pay",
        function: "outer",
        lineNo: 1,
        context: [[1, "  inner()"]],
      },
      { filename: file, absPath: `/srv/${file}`, module: "shop.pay", function: "inner", lineNo: 9, colNo: 4 },
    ],
  });
  return readEvent({
    eventID: "e".repeat(32),
    title: `PayError: ${message}`,
    platform,
    tags: [{ key: "a|b", value: "x\ny" }],
    entries: [
      {
        type: "exception",
        data: {
          values: [
            { type: "HttpError", value: "402", stacktrace: frames("http") },
            { type: "PayError", value: message, stacktrace: frames("pay") },
          ],
        },
      },
    ],
  });
}

describe("rawStack", () => {
  it("prints a Python chain as Python does: the cause first, the oldest call first", () => {
    expect(rawStack(event("python"))).toBe(`Traceback (most recent call last):
  File "/srv/http", line 1, in outer
    inner()
  File "/srv/http", line 9, in inner
HttpError: 402

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/srv/pay", line 1, in outer
    inner()
  File "/srv/pay", line 9, in inner
PayError: card declined`);
  });

  it("prints other chains as they do: what was raised first, the newest call first", () => {
    expect(rawStack(event("javascript"))).toBe(`PayError: card declined
    at inner (pay:9:4)
    at outer (pay:1)
Caused by: HttpError: 402
    at inner (http:9:4)
    at outer (http:1)`);
    expect(rawStack(event("java"))).toContain("    at shop.pay.inner (pay:9:4)");
  });
});

describe("eventMarkdown", () => {
  it("keeps hostile text inside its place", () => {
    const text = eventMarkdown(event("javascript", "```\n# not a heading"), "https://a.example/e/");
    expect(text).toContain("## PayError: ``` # not a heading\n");
    expect(text).toContain("````\nPayError: ```\n# not a heading");
    expect(text).toContain("| a\\|b | x y |");
  });
});
