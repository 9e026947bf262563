import { duration } from "./duration";
import { count } from "./number";

/** What ends an archiving, as the API writes it; times are RFC 3339, windows minutes. */
export interface StatusDetails {
  ignoreUntil?: string | null;
  ignoreDuration?: number | null;
  ignoreCount?: number | null;
  ignoreWindow?: number | null;
  ignoreUserCount?: number | null;
  ignoreUserWindow?: number | null;
}

/** A way to archive an issue. */
export interface Archive {
  /** What the menu says. */
  label: string;
  /** What was done, for the message afterwards. */
  done: string;
  substatus: string;
  details: StatusDetails;
}

const HOUR = 60;
const DAY = 24 * HOUR;

/** The windows in which events or users may have to come, in minutes; `0`: at any time. */
export const WINDOWS = [0, HOUR, DAY, 7 * DAY];

export const UNTIL_ESCALATING: Archive = {
  label: "Until it escalates",
  done: "archived until it escalates",
  substatus: "archived_until_escalating",
  details: {},
};

const FOREVER: Archive = { label: "For ever", done: "archived", substatus: "archived_forever", details: {} };

function forMinutes(minutes: number): Archive {
  return until(`For ${duration(minutes)}`, { ignoreDuration: minutes });
}

/** The ways that need no further answer, in the order of the menu. */
export const ARCHIVES = [UNTIL_ESCALATING, FOREVER, ...[HOUR, DAY, 7 * DAY, 30 * DAY].map(forMinutes)];

/** Until there were so many more events; within so many minutes, unless that is 0. */
export function untilEvents(ignoreCount: number, minutes: number): Archive {
  const window = minutes > 0 ? { ignoreWindow: minutes } : {};
  const details = { ignoreCount, ...window };
  return until(`Until ${conditions(details)}`, details);
}

/** Until so many more users were affected; within so many minutes, unless that is 0. */
export function untilUsers(ignoreUserCount: number, minutes: number): Archive {
  const window = minutes > 0 ? { ignoreUserWindow: minutes } : {};
  const details = { ignoreUserCount, ...window };
  return until(`Until ${conditions(details)}`, details);
}

function until(label: string, details: StatusDetails): Archive {
  const done = `archived ${label.charAt(0).toLowerCase()}${label.slice(1)}`;
  return { label, done, substatus: "archived_until_condition_met", details };
}

/** The conditions in words, to follow "until"; empty when there is none. */
export function conditions(details: StatusDetails): string {
  const within = (minutes: number | null | undefined) => (minutes ? ` within ${duration(minutes)}` : "");
  const parts = [];
  if (details.ignoreUntil) parts.push(details.ignoreUntil.slice(0, 16).replace("T", " "));
  if (details.ignoreCount) parts.push(`${count(details.ignoreCount, "more event")}${within(details.ignoreWindow)}`);
  if (details.ignoreUserCount)
    parts.push(`${count(details.ignoreUserCount, "more user")}${within(details.ignoreUserWindow)}`);
  return parts.join(" or ");
}
