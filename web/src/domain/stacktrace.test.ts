import { describe, expect, it } from "vitest";
import type { Frame } from "./event";
import { dedent, frameLocation, frameToOpen, segments } from "./stacktrace";

function frame(fields: Partial<Frame>): Frame {
  return {
    function: null,
    filename: null,
    absPath: null,
    module: null,
    package: null,
    platform: null,
    line: null,
    column: null,
    inApp: false,
    context: [],
    vars: null,
    ...fields,
  };
}

const app = frame({ inApp: true, context: [[1, "x"]] });
const library = frame({ context: [[1, "y"]] });

describe("segments", () => {
  it("shows the newest call first and folds each run of library frames in its place", () => {
    const frames = [library, library, app, library, app];
    expect(segments(frames, "app", "newest")).toEqual([
      { kind: "frame", index: 4 },
      { kind: "run", indexes: [3] },
      { kind: "frame", index: 2 },
      { kind: "run", indexes: [1, 0] },
    ]);
  });

  it("turns the same list over when the oldest call comes first", () => {
    const frames = [library, library, app, library];
    expect(segments(frames, "app", "oldest")).toEqual([
      { kind: "run", indexes: [0, 1] },
      { kind: "frame", index: 2 },
      { kind: "run", indexes: [3] },
    ]);
  });

  it("shows every frame when asked for all", () => {
    expect(segments([library, app], "all", "newest")).toEqual([
      { kind: "frame", index: 1 },
      { kind: "frame", index: 0 },
    ]);
  });

  it("shows the top three of a stack that has no frame of the application", () => {
    const shown = segments(Array(40).fill(library), "app", "newest");
    expect(shown.map(({ kind }) => kind)).toEqual(["frame", "frame", "frame", "run"]);
    expect(shown.at(-1)).toMatchObject({ indexes: expect.objectContaining({ length: 37 }) });
  });
});

describe("frameToOpen", () => {
  it("opens the newest application frame that has something to show", () => {
    expect(frameToOpen([app, app, frame({ inApp: true }), library])).toBe(1);
  });

  it("opens the newest library frame when there is no other, and none when nothing can be shown", () => {
    expect(frameToOpen([library, library])).toBe(1);
    expect(frameToOpen([frame({}), frame({ inApp: true })])).toBeNull();
  });
});

describe("frameLocation", () => {
  it("names file, line and column as far as they are known", () => {
    expect(frameLocation(frame({ filename: "a.js", line: 3, column: 9 }))).toBe("a.js:3:9");
    expect(frameLocation(frame({ module: "shop.cart", line: 3 }))).toBe("shop.cart:3");
    expect(frameLocation(frame({ column: 9 }))).toBe("<unknown>");
  });
});

describe("dedent", () => {
  it("removes what all lines share and ignores blank ones", () => {
    expect(
      dedent([
        [1, "    if x:"],
        [2, ""],
        [3, "        y()"],
      ]),
    ).toEqual([
      [1, "if x:"],
      [2, ""],
      [3, "    y()"],
    ]);
  });
});
