import { describe, expect, it } from "vitest";
import { asCurl } from "./curl";
import type { Request } from "./event";

const request: Request = {
  method: "GET",
  url: "https://a.example/x",
  query: [],
  fragment: null,
  headers: [],
  cookies: [],
  body: null,
  env: null,
};

describe("asCurl", () => {
  it("quotes everything that a shell would read", () => {
    const line = asCurl({ ...request, headers: [["X-A", "it's $(rm -rf /) `x`"]], query: [["q", "a b"]] });
    expect(line).toBe("curl \\\n  -H 'X-A: it'\\''s $(rm -rf /) `x`' \\\n  'https://a.example/x?q=a+b'");
  });

  it("leaves out what curl sets itself, and the method that the body implies", () => {
    const line = asCurl({
      ...request,
      method: "POST",
      headers: [
        ["Content-Length", "9"],
        ["Host", "b"],
      ],
      body: { a: 1 },
    });
    expect(line).toBe(`curl \\\n  --data-raw '{"a":1}' \\\n  https://a.example/x`);
  });
});
