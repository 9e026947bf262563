import { describe, expect, it } from "vitest";
import { readEvent } from "./event";
import { milliseconds, readLog, readSpan, readTraceEvent, readTraceSize, traceOf } from "./trace";

describe("a trace", () => {
  it("is named by the context of the event, if it is a name", () => {
    const named = (trace_id: unknown) => traceOf(readEvent({ contexts: { trace: { trace_id } } }));
    expect(named("771A43A4-1926-42f0-b136-d5159a501700")).toBe("771a43a4192642f0b136d5159a501700");
    for (const wrong of [undefined, null, 7, "", "../../auth/", "0".repeat(32)]) expect(named(wrong)).toBeNull();
    expect(traceOf(readEvent({}))).toBeNull();
  });

  it("is read whatever came over the wire", () => {
    const size = { errorsCount: 2, performanceIssuesCount: 1, spansCount: 3, logsCount: "many" };
    expect(readTraceSize(size)).toEqual({ events: 3, spans: 3, logs: 0 });
    expect(readTraceSize(null)).toEqual({ events: 0, spans: 0, logs: 0 });
    expect(readTraceEvent({ id: "a", "issue.id": 7, issue: "WEB-1", level: "error" })).toEqual({
      id: "a",
      level: "error",
      title: "Untitled event",
      issue: { id: "7", shortId: "WEB-1" },
      project: null,
      time: null,
    });
    expect(readTraceEvent({ issue: "WEB-1", title: [] }).issue).toBeNull();
    expect(readSpan({ id: "a", "span.duration": 2, "span.op": "db" })).toEqual({
      id: "a",
      op: "db",
      name: "unnamed",
      duration: 2,
      project: null,
    });
    expect(readLog({ message: "late", severity: "warn" })).toEqual({
      id: "",
      severity: "warn",
      message: "late",
      time: null,
    });
  });

  it("shows times in a unit that fits", () => {
    expect([0.44, 9.96, 120.4, 2310].map(milliseconds)).toEqual(["0.4 ms", "10 ms", "120 ms", "2.31 s"]);
  });
});
