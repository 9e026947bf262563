import { describe, expect, it } from "vitest";
import { readEvent } from "./event";

describe("readEvent", () => {
  it("reads entries into their places and keeps the chain in the order sent", () => {
    const event = readEvent({
      eventID: "ab",
      title: "E: x",
      platform: "python",
      release: { version: "web@1" },
      entries: [
        {
          type: "exception",
          data: {
            values: [
              { type: "Cause" },
              {
                type: "E",
                value: "x",
                stacktrace: { frames: [{ function: "f", lineNo: 3, inApp: true, context: [[3, "f()"]] }] },
              },
            ],
          },
        },
        { type: "request", data: { url: "https://a.example/", query: "q=1&r=2", headers: [["A", "b"]] } },
        { type: "breadcrumbs", data: { values: [{ category: "ui" }] } },
      ],
    });
    expect(event.release).toBe("web@1");
    expect(event.exceptions.map(({ type }) => type)).toEqual(["Cause", "E"]);
    expect(event.exceptions[1]?.frames).toMatchObject([{ function: "f", line: 3, inApp: true, context: [[3, "f()"]] }]);
    expect(event.request?.query).toEqual([
      ["q", "1"],
      ["r", "2"],
    ]);
    expect(event.breadcrumbs).toMatchObject([{ category: "ui", level: "info", type: "default" }]);
  });

  it.each([
    null,
    "text",
    [],
    { entries: {} },
    {
      entries: [
        null,
        1,
        { type: 7 },
        { type: "exception", data: "x" },
        { type: "exception", data: { values: [null, 3] } },
      ],
    },
    { entries: [{ type: "exception", data: { values: [{ stacktrace: { frames: "no" } }, { stacktrace: [] }] } }] },
    {
      entries: [
        {
          type: "exception",
          data: { values: [{ stacktrace: { frames: [null, { context: [null, [1], ["a", "b"]], vars: [] }] } }] },
        },
      ],
    },
    { entries: [{ type: "request", data: { headers: [[1], null, [null, "x"], ["ok", { a: 1 }]], query: 7 } }] },
    { tags: [null, {}, { key: "a" }], contexts: { a: null, b: [] }, packages: [], user: [], errors: [{}, null] },
  ])("survives %j", (body) => {
    expect(readEvent(body)).toMatchObject({ title: "Untitled event" });
  });
});
