import { expect, it } from "vitest";
import { readSearch, toRequest } from "./search";

it("asks for the unresolved issues of the last two weeks when the address says nothing", () => {
  expect(toRequest(readSearch({}))).toEqual({
    query: "is:unresolved",
    sort: "date",
    statsPeriod: "14d",
    groupStatsPeriod: "14d",
    project: [],
    cursor: undefined,
  });
});

it("asks for everything when the query is empty, and for hours when a day is shown", () => {
  const request = toRequest(readSearch({ query: "", statsPeriod: "24h", project: "3" }));
  expect(request).toMatchObject({ query: "", groupStatsPeriod: "24h", project: ["3"] });
});

it("drops what has no business in the address", () => {
  expect(readSearch({ query: ["a", "b"], project: [{}, "1"], sort: 7 })).toEqual({ project: ["1"] });
});
