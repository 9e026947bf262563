import { expect, it } from "vitest";
import { letterKind } from "./deadLetter";

it("tells what was refused from where it was", () => {
  expect(letterKind("ingest-events-backlog/0/4003")).toBe("Event");
  expect(letterKind("ingest-monitors/2/1")).toBe("Check-in");
  expect(letterKind("constructor/0/1")).toBeNull();
  expect(letterKind("")).toBeNull();
});
