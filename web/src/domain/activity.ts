import { asText } from "./json";

/** Who or what caused an entry (`system`: not known). */
export interface Cause {
  type: string;
  name: string | null;
  detectorId: string | null;
}

type Data = Record<string, unknown>;

/** An entry of an issue's history in words, to follow the person's name (reference/web-api.md §3.7). */
export function activityText(type: string, data: Data): string {
  const version = asText(data.version);
  switch (type) {
    case "note":
      return `wrote: ${asText(data.text) ?? ""}`;
    case "assigned":
      return `assigned it to ${assignee(data)}`;
    case "unassigned":
      return "removed the assignment";
    case "set_resolved":
      return "resolved it";
    case "set_resolved_in_release":
      return version === null ? "resolved it in the next release" : `resolved it in ${version}`;
    case "set_unresolved":
      return "set it to unresolved";
    case "set_ignored":
      return data.ignoreUntilEscalating === true ? "archived it until it escalates" : "archived it";
    case "set_priority":
      return `set the priority to ${asText(data.priority) ?? "another value"}`;
    case "mark_reviewed":
      return "reviewed it";
    case "merge":
      return "merged other issues into it";
    default:
      return type.replaceAll("_", " ");
  }
}

/** The same as a sentence of its own, when no person did it: what happened, and by what. */
export function eventText(type: string, data: Data, cause: Cause): string {
  const version = asText(data.version);
  const by = byWhat(cause);
  switch (type) {
    case "first_seen":
      return "First seen";
    case "assigned":
      return `Assigned to ${assignee(data)}${by}`;
    case "unassigned":
      return `Assignment removed${by}`;
    case "set_resolved":
      return `Resolved${by}`;
    case "set_resolved_by_age":
      return `Resolved${by}, because it was not seen for ${hours(data.age)}`;
    case "set_unresolved":
      return `Set to unresolved${by}`;
    case "set_ignored":
      return `Archived${by}`;
    case "set_regression":
      if (cause.type === "detector") return `Regressed${by}`;
      return version ? `Seen again in ${version} after it was resolved` : "Seen again after it was resolved";
    case "set_escalating":
      return escalated(data, cause, by);
    case "set_priority":
      return `Priority set to ${asText(data.priority) ?? "another value"}${by}`;
    case "auto_set_ongoing":
      return `Marked ongoing${by}${data.after_days === undefined ? "" : `, after ${Number(data.after_days)} days`}`;
    default:
      return sentence(type.replaceAll("_", " ")) + by;
  }
}

function escalated(data: Data, cause: Cause, by: string): string {
  if (cause.name === "forecast") return `Escalating: more than ${Number(data.forecast)} events in an hour`;
  if (cause.name === "snooze" || cause.name === "end-snoozes") return "Escalating: what ended its archiving came true";
  return `Escalating${by}`;
}

function byWhat({ type, detectorId }: Cause): string {
  switch (type) {
    case "detector":
      return detectorId === null ? " by a detector" : ` by detector ${detectorId}`;
    case "job":
      return " by a job";
    case "rule":
      return " by a rule";
    case "occurrence":
      return " by an event";
    default:
      return "";
  }
}

function assignee(data: Data): string {
  return asText(data.assigneeName) ?? asText(data.assigneeEmail) ?? "somebody";
}

function hours(age: unknown): string {
  return Number.isFinite(Number(age)) ? `${Number(age)} hours` : "a long time";
}

function sentence(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1);
}
