import { expect, it } from "vitest";
import { crashFreeText, issuesQuery, newIssuesQuery, verdict } from "./releases";

it("never calls a release crash-free that is not", () => {
  expect(crashFreeText(100)).toBe("100%");
  expect(crashFreeText(99.99999)).toBe("99.99%");
  expect(crashFreeText(98.7654)).toBe("98.76%");
  expect(crashFreeText(50)).toBe("50.00%");
  expect(crashFreeText(0)).toBe("0.00%");
  expect(crashFreeText(null)).toBe("–");
});

it("judges by what people accept", () => {
  expect([100, 99.5, 99.4, 98, 97.9].map(verdict)).toEqual(["good", "good", "moderate", "moderate", "bad"]);
});

it("writes versions so that the search reads them", () => {
  expect(issuesQuery("shop@1.2.3+5")).toBe("release:shop@1.2.3+5");
  expect(newIssuesQuery('my "app" 1')).toBe('first-release:"my \\"app\\" 1"');
});
