import { conditions, type StatusDetails, UNTIL_ESCALATING } from "./archive";

/** The three things people do with an issue, as the API names the result. */
export type Status = "unresolved" | "resolved" | "ignored";

interface Move {
  /** What was done, for the message afterwards. */
  done: string;
  /** The sub-status that goes with it. */
  substatus: string | null;
  /** What the server is asked for. */
  body: { status: Status; substatus?: string };
}

export const MOVES: Record<Status, Move> = {
  resolved: { done: "resolved", substatus: null, body: { status: "resolved" } },
  ignored: {
    done: UNTIL_ESCALATING.done,
    substatus: UNTIL_ESCALATING.substatus,
    body: { status: "ignored", substatus: "archived_until_escalating" },
  },
  unresolved: { done: "set to unresolved", substatus: "ongoing", body: { status: "unresolved" } },
};

/** The state in words, with its reason; `null` for an issue that is simply open. */
export function stateName(status: string, substatus: string | null, details: StatusDetails = {}): string | null {
  if (status === "resolved") return "Resolved";
  if (status === "ignored") {
    if (substatus === "archived_forever") return "Archived";
    if (substatus === "archived_until_condition_met") {
      const until = conditions(details);
      return until === "" ? "Archived for now" : `Archived until ${until}`;
    }
    return "Archived until it escalates";
  }
  if (substatus === "new") return "New";
  if (substatus === "regressed") return "Regressed";
  if (substatus === "escalating") return "Escalating";
  return null;
}

export function stateTone(status: string, substatus: string | null): "ok" | "plain" | "info" | "error" | "warning" {
  if (status === "resolved") return "ok";
  if (status === "ignored") return "plain";
  if (substatus === "regressed") return "error";
  if (substatus === "escalating") return "warning";
  return "info";
}

/** Type and message of an issue for display: from its metadata, else from its title. */
export function headline(issue: {
  title: string;
  metadata: { type?: string | null; value?: string | null; title?: string | null };
}): { type: string; message: string } {
  const { type, value } = issue.metadata;
  if (type) return { type, message: value ?? "" };
  return { type: issue.title, message: value ?? "" };
}
