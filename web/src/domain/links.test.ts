import { describe, expect, it } from "vitest";
import { localPath, safeHref } from "./links";

describe("safeHref", () => {
  it.each([
    "javascript:alert(1)",
    "data:text/html,x",
    "//evil.example",
    " https://a.example",
    "vbscript:x",
    "https://",
    "ftp://a",
  ])("leads nowhere for %s", (value) => expect(safeHref(value)).toBeNull());

  it("leads to web addresses", () => expect(safeHref("HTTPS://a.example/x?y=1")).toBe("https://a.example/x?y=1"));
});

describe("localPath", () => {
  it.each(["https://evil.example", "//evil.example", "/\\evil.example", "evil", undefined, "/a\nb"])(
    "stays here for %s",
    (value) => expect(localPath(value)).toBe("/"),
  );

  it("keeps a path of this site", () =>
    expect(localPath("/organizations/a/issues/?query=x")).toBe("/organizations/a/issues/?query=x"));
});
