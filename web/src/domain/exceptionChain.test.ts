import { describe, expect, it } from "vitest";
import type { Exception } from "./event";
import { linkToOpen, readingOrder } from "./exceptionChain";

function exception(
  type: string,
  mechanism: Partial<Exception["mechanism"]> = {},
  frames: Exception["frames"] = null,
): Exception {
  return {
    type,
    value: null,
    module: null,
    frames,
    mechanism: {
      type: null,
      handled: null,
      source: null,
      exceptionId: null,
      parentId: null,
      isGroup: false,
      ...mechanism,
    },
  };
}

describe("readingOrder", () => {
  it("puts what was raised first and says how each cause stands to it", () => {
    const chain = [exception("OSError"), exception("KeyError", { source: "__context__" }), exception("Raised")];
    expect(readingOrder(chain).map(({ exception: { type }, relation }) => [type, relation])).toEqual([
      ["Raised", null],
      ["KeyError", "raised while handling"],
      ["OSError", "caused by"],
    ]);
  });

  it("names the group that an exception is part of", () => {
    const chain = [
      exception("ValueError", { exceptionId: 1, parentId: 0 }),
      exception("ExceptionGroup", { exceptionId: 0, isGroup: true }),
    ];
    expect(readingOrder(chain)[1]?.relation).toBe("part of ExceptionGroup");
  });

  it("opens the first link that has a stack, also when what was raised has none", () => {
    const chain = [exception("Cause", {}, []), exception("Raised")];
    expect(linkToOpen(readingOrder(chain))).toBe(0);
    expect(linkToOpen(readingOrder([exception("Bare")]))).toBeNull();
  });
});
