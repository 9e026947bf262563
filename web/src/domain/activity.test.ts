import { expect, it } from "vitest";
import { activityText, eventText } from "./activity";

const cause = (type: string, name: string | null = null, detectorId: string | null = null) => ({
  type,
  name,
  detectorId,
});

it("says what happened and by what", () => {
  expect(eventText("set_resolved", {}, cause("detector"))).toBe("Resolved by a detector");
  expect(eventText("set_resolved", {}, cause("detector", null, "7"))).toBe("Resolved by detector 7");
  expect(eventText("auto_set_ongoing", { after_days: 7 }, cause("job", "auto-transition-to-ongoing"))).toBe(
    "Marked ongoing by a job, after 7 days",
  );
  expect(eventText("set_resolved_by_age", { age: 48 }, cause("job", "auto-resolve-by-age"))).toBe(
    "Resolved by a job, because it was not seen for 48 hours",
  );
  expect(eventText("set_escalating", { forecast: 60 }, cause("rule", "forecast"))).toBe(
    "Escalating: more than 60 events in an hour",
  );
  expect(eventText("set_regression", { version: "shop@2" }, cause("occurrence"))).toBe(
    "Seen again in shop@2 after it was resolved",
  );
  expect(eventText("set_priority", { priority: "high" }, cause("system"))).toBe("Priority set to high");
});

it("follows a person's name", () => {
  expect(activityText("set_ignored", { ignoreUntilEscalating: true })).toBe("archived it until it escalates");
  expect(activityText("assigned", { assigneeName: "Core", assigneeType: "team" })).toBe("assigned it to Core");
});
