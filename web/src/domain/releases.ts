/** How a release fares in a project; shares are percentages, null without sessions. */
export interface Health {
  crashFreeSessions: number | null;
  crashFreeUsers: number | null;
  totalSessions: number;
  totalUsers: number;
  totalSessions24h: number;
  totalUsers24h: number;
  sessionsAdoption: number | null;
  adoption: number | null;
  sessionsCrashed: number;
  sessionsErrored: number;
  durationP50: number | null;
  durationP90: number | null;
  /** Sessions of the last day: unix seconds and how many. */
  hours: [number, number][];
}

/** A release of a project. */
export interface ReleaseRow {
  version: string;
  shortVersion: string;
  created: string;
  lastEvent: string | null;
  project: string;
  projectName: string;
  newIssues: number;
  /** Whether it ever had sessions. */
  hasHealth: boolean;
  health: Health | null;
}

/** How sessions ended, over time. */
export interface SessionSeries {
  times: number[];
  layers: { id: string; name: string; counts: number[] }[];
}

/** How a session can end, each in one way, in the order they are stacked. */
export const STATUSES = [
  { id: "healthy", name: "Healthy" },
  { id: "errored", name: "Errored" },
  { id: "unhandled", name: "Unhandled" },
  { id: "abnormal", name: "Abnormal" },
  { id: "crashed", name: "Crashed" },
] as const;

/** Percentages below these are bad, and worth a look. */
const BAD = 98;
const MODERATE = 99.5;

export type Verdict = "good" | "moderate" | "bad";

/** How a share of crash-free sessions or users is judged. */
export function verdict(crashFree: number): Verdict {
  if (crashFree < BAD) return "bad";
  return crashFree < MODERATE ? "moderate" : "good";
}

/** A crash-free share, in the same digits for all, so that they can be compared; never rounded up to all. */
export function crashFreeText(percentage: number | null): string {
  if (percentage === null) return "–";
  if (percentage >= 100) return "100%";
  return `${(Math.floor(percentage * 100) / 100).toFixed(2)}%`;
}

/** The search that finds the new issues of a release. */
export function newIssuesQuery(version: string): string {
  return `first-release:${quoted(version)}`;
}

/** The search that finds all issues with events of a release. */
export function issuesQuery(version: string): string {
  return `release:${quoted(version)}`;
}

function quoted(text: string): string {
  return /^[\w@.+-]+$/.test(text) ? text : `"${text.replaceAll(/[\\"]/g, "\\$&")}"`;
}
