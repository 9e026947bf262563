import type { Issue } from "@/api/models";
import type { ViewId } from "@/domain/issueQuery";

/** The rows on the screen with newer numbers in them; order and membership stay, so nothing moves under the pointer. */
export function withFreshNumbers(shown: Issue[], fresh: Issue[]): Issue[] {
  const byId = new Map(fresh.map((issue) => [issue.id, issue]));
  return shown.map((issue) => {
    const newer = byId.get(issue.id);
    if (!newer) return issue;
    const { count, userCount, lastSeen, stats } = newer;
    return { ...issue, count, userCount, lastSeen, stats };
  });
}

/** How many issues came (or came back) since the rows were read: not shown yet, and seen later than any that is. */
export function newCount(shown: Issue[], fresh: Issue[]): number {
  const ids = new Set(shown.map((issue) => issue.id));
  const newest = Math.max(...shown.map((issue) => Date.parse(issue.lastSeen)));
  return fresh.filter((issue) => !ids.has(issue.id) && Date.parse(issue.lastSeen) > newest).length;
}

const STATUS_OF_VIEW: Partial<Record<ViewId, string>> = {
  unresolved: "unresolved",
  review: "unresolved",
  archived: "ignored",
  resolved: "resolved",
};

/** Rows that still belong to the view: one that was just resolved leaves the unresolved ones at once. */
export function stillInView(issues: Issue[], view: ViewId | null): Issue[] {
  const status = view === null ? undefined : STATUS_OF_VIEW[view];
  return status === undefined ? issues : issues.filter((issue) => issue.status === status);
}
