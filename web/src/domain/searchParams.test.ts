import { expect, it } from "vitest";
import { parseSearch, stringifySearch } from "./searchParams";

it("keeps numbers as text, empty text, and repeated keys", () => {
  expect(parseSearch("?query=&project=1&project=2&cursor=0:50:0")).toEqual({
    query: "",
    project: ["1", "2"],
    cursor: "0:50:0",
  });
});

it("writes back what it read, readable, without absent members", () => {
  const search = { query: 'is:unresolved "a&b=c"', project: ["1", "2"], sort: undefined };
  const text = stringifySearch(search);
  expect(text).toBe("?query=is:unresolved+%22a%26b%3Dc%22&project=1&project=2");
  expect(parseSearch(text)).toEqual({ query: search.query, project: search.project });
  expect(stringifySearch({})).toBe("");
  expect(stringifySearch({ query: "" })).toBe("?query=");
});
