import { asText } from "./json";

/** An entry of an issue's history in words, to follow the person's name (reference/web-api.md §3.7). */
export function activityText(type: string, data: Record<string, unknown>): string {
  const version = asText(data.version);
  switch (type) {
    case "first_seen":
      return "first saw this issue";
    case "note":
      return `wrote: ${asText(data.text) ?? ""}`;
    case "assigned":
      return `assigned it to ${asText(data.assigneeEmail) ?? asText(data.assigneeName) ?? "somebody"}`;
    case "unassigned":
      return "removed the assignment";
    case "set_resolved":
      return "resolved it";
    case "set_resolved_by_age":
      return "resolved it, because it was not seen for a long time";
    case "set_resolved_in_release":
      return version === null ? "resolved it in the next release" : `resolved it in ${version}`;
    case "set_unresolved":
      return "set it to unresolved";
    case "set_ignored":
      return data.ignoreUntilEscalating === true ? "archived it until it escalates" : "archived it";
    case "set_regression":
      return version === null ? "saw it again after it was resolved" : `saw it again in ${version}`;
    case "set_escalating":
      return "saw many more events than expected";
    case "set_priority":
      return `set the priority to ${asText(data.priority) ?? "another value"}`;
    case "auto_set_ongoing":
      return "no longer calls it new";
    case "mark_reviewed":
      return "reviewed it";
    case "merge":
      return "merged other issues into it";
    default:
      return type.replaceAll("_", " ");
  }
}
