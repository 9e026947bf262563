import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import { useCallback } from "react";
import { type IssuePage, updateIssues } from "./issues";
import type { Issue, IssueDetail, IssueRequest } from "./models";

type Patch = Partial<Pick<Issue, "status" | "substatus" | "statusDetails" | "assignedTo">>;

/** A change of issues: what the server is told, and what the pages show before it answers. */
export interface IssueChange {
  body: IssueRequest;
  patch: Patch;
}

export interface Action {
  /** Settles when the server has answered; rejects when it refused, and then the screen has gone back. */
  done: Promise<void>;
  /** Each issue back to what it was. */
  undo: () => Promise<void>;
}

/** Changes issues on the screen at once and on the server after it. */
export function useIssueUpdate(org: string): (issues: Issue[], change: IssueChange) => Action {
  const client = useQueryClient();
  return useCallback(
    (issues, change) => ({
      done: apply(client, org, issues, change),
      undo: async () => {
        const groups = Map.groupBy(issues, (issue) => JSON.stringify(reverse(issue, change)));
        for (const [reversed, group] of groups) await apply(client, org, group, JSON.parse(reversed) as IssueChange);
      },
    }),
    [client, org],
  );
}

/** The change that leads back to the issue as it was before. */
function reverse(before: Issue, change: IssueChange): IssueChange {
  const body: IssueRequest = {};
  const patch: Patch = {};
  if (change.body.status !== undefined) {
    body.status = before.status;
    // The other sub-statuses are the server's to give; how an issue was archived is the person's.
    if (before.status === "ignored" && before.substatus !== null) {
      body.substatus = before.substatus;
      body.statusDetails = before.statusDetails;
    }
    patch.status = before.status;
    patch.substatus = before.substatus;
    patch.statusDetails = before.statusDetails;
  }
  if (change.body.assignedTo !== undefined) {
    body.assignedTo = before.assignedTo ? `${before.assignedTo.type}:${before.assignedTo.id}` : "";
    patch.assignedTo = before.assignedTo;
  }
  return { body, patch };
}

async function apply(client: QueryClient, org: string, issues: Issue[], change: IssueChange): Promise<void> {
  const ids = issues.map(({ id }) => id);
  // Answers under way would show the old state again. Not awaited: the screen changes within the key press.
  void client.cancelQueries({ queryKey: ["issues", org] });
  const restore = patchCaches(client, org, new Set(ids), change.patch);
  try {
    await updateIssues(org, ids, change.body);
  } catch (error) {
    restore();
    throw error;
  } finally {
    void client.invalidateQueries({ queryKey: ["issue", org], predicate: ({ queryKey }) => queryKey.length === 3 });
    void client.invalidateQueries({ queryKey: ["issues", org, "fresh"] });
    void client.invalidateQueries({ queryKey: ["issues", org, "counts"] });
    // Lists that are not on the screen are asked again when they are shown; the one that is keeps its rows.
    void client.invalidateQueries({ queryKey: ["issues", org, "list"], refetchType: "none" });
  }
}

function patchCaches(client: QueryClient, org: string, ids: Set<string>, patch: Patch): () => void {
  const lists = client.getQueriesData<IssuePage>({ queryKey: ["issues", org, "list"] });
  const details = client.getQueriesData<IssueDetail>({
    queryKey: ["issue", org],
    predicate: ({ queryKey }) => queryKey.length === 3,
  });
  for (const [key, page] of lists) {
    if (!page) continue;
    const issues = page.issues.map((issue) => (ids.has(issue.id) ? { ...issue, ...patch } : issue));
    client.setQueryData<IssuePage>(key, { ...page, issues });
  }
  for (const [key, issue] of details) {
    if (issue && ids.has(issue.id)) client.setQueryData<IssueDetail>(key, { ...issue, ...patch });
  }
  return () => {
    for (const [key, data] of [...lists, ...details]) client.setQueryData(key, data);
  };
}
