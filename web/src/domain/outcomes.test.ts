import { describe, expect, it } from "vitest";
import {
  categories,
  isInboundFilter,
  layers,
  makesLetters,
  OUTCOMES,
  type OutcomeSum,
  reasonMeaning,
} from "./outcomes";

function sum(category: string, outcome: string, reason: string, series: number[]): OutcomeSum {
  return { category, outcome, reason, series, total: series.reduce((all, each) => all + each, 0) };
}

const SUMS = [
  sum("session", "invalid", "unsupported_item_type", [50, 50]),
  sum("error", "accepted", "", [3, 4]),
  sum("error", "invalid", "duplicate", [1, 0]),
  sum("error", "invalid", "invalid_json", [0, 2]),
  sum("error", "client_discard", "before_send", [9, 9]),
];

describe("outcomes", () => {
  it("adds up what was received, without what SDKs did not send", () => {
    const [errors, sessions] = categories(SUMS);
    expect(errors).toEqual({
      category: "error",
      received: 10,
      byOutcome: { accepted: 7, invalid: 3, client_discard: 18 },
    });
    expect(sessions?.received).toBe(100);
  });

  it("lays the outcomes of one category over time", () => {
    expect(layers(SUMS, "error")).toEqual([
      { outcome: "accepted", name: "Accepted", counts: [3, 4] },
      { outcome: "invalid", name: "Invalid", counts: [1, 2] },
      { outcome: "client_discard", name: "Not sent", counts: [9, 9] },
    ]);
    expect(layers(SUMS, "span")).toEqual([]);
  });

  it("says what reasons mean, and nothing about those it does not know", () => {
    expect(reasonMeaning("accepted", "")).toBe(OUTCOMES[0]?.meaning);
    expect(reasonMeaning("invalid", "too_large:user_report")).toContain("user report");
    for (const reason of ["not_an_object", "too_deep", "internal_error", "unreadable_payload"])
      expect([reason, reasonMeaning("invalid", reason)]).not.toEqual([reason, ""]);
    expect(reasonMeaning("invalid", "<b>made up</b>")).toBe("");
  });

  it("tells where a reason is decided or kept", () => {
    expect([makesLetters("too_deep"), makesLetters("duplicate"), makesLetters("too_large:event")]).toEqual([
      true,
      false,
      false,
    ]);
    expect([isInboundFilter("web-crawlers"), isInboundFilter("custom-rule"), isInboundFilter("noise")]).toEqual([
      true,
      true,
      false,
    ]);
  });
});
