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
  /** Settles when the server has answered; rejects when it refused, and then what this action showed is taken back. */
  done: Promise<void>;
  /** Each issue back to what it was. */
  undo: () => Promise<void>;
}

/** Changes issues on the screen at once and on the server after it. */
export function useIssueUpdate(org: string): (issues: Issue[], change: IssueChange) => Action {
  const client = useQueryClient();
  return useCallback((issues, change) => updatesOf(client, org).change(issues, change), [client, org]);
}

const all = new WeakMap<QueryClient, Map<string, IssueUpdates>>();

/** The updates of an organization; all parts of a page share them. */
function updatesOf(client: QueryClient, org: string): IssueUpdates {
  const known = all.get(client) ?? new Map<string, IssueUpdates>();
  all.set(client, known);
  const updates = known.get(org) ?? new IssueUpdates(client, org);
  known.set(org, updates);
  return updates;
}

/** A change that is on the screen and that the server has not answered yet. */
interface Pending {
  patch: Patch;
  /** What each issue was before it, of what it changes. */
  before: Map<string, Patch>;
}

/** Changes of issues in the order they were made: each is sent when the one before it has been answered. */
export class IssueUpdates {
  #pending: Pending[] = [];
  #last: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly client: QueryClient,
    private readonly org: string,
    private readonly send = updateIssues,
  ) {}

  change(issues: Issue[], change: IssueChange): Action {
    return {
      done: this.#apply(issues, change),
      undo: async () => {
        const groups = new Map<string, Issue[]>();
        for (const issue of issues) {
          const reversed = JSON.stringify(reverse(issue, change));
          groups.set(reversed, [...(groups.get(reversed) ?? []), issue]);
        }
        const undone = [...groups].map(([reversed, group]) => this.#apply(group, JSON.parse(reversed) as IssueChange));
        await Promise.all(undone);
      },
    };
  }

  async #apply(issues: Issue[], change: IssueChange): Promise<void> {
    const { client, org } = this;
    const ids = issues.map(({ id }) => id);
    // Answers under way would show the old state again. Not awaited: the screen changes within the key press.
    void client.cancelQueries({ queryKey: ["issues", org] });
    void client.cancelQueries({ queryKey: ["issue", org], predicate: isDetail });
    const pending = {
      patch: change.patch,
      before: new Map(issues.map((issue) => [issue.id, was(issue, change.patch)])),
    };
    this.#pending.push(pending);
    this.#show(new Map(ids.map((id) => [id, change.patch])));
    const sent = this.#last.then(() => this.send(org, ids, change.body));
    this.#last = sent.catch(() => undefined);
    try {
      await sent;
    } catch (error) {
      this.#takeBack(pending);
      throw error;
    } finally {
      this.#pending = this.#pending.filter((other) => other !== pending);
      // What is asked while a change waits would show it undone.
      if (this.#pending.length === 0) this.#refresh();
    }
  }

  /** What a later change shows stays; should that one fail too, it goes back to before this one. */
  #takeBack({ before, patch }: Pending): void {
    const later = this.#pending.slice(this.#pending.findIndex((pending) => pending.before === before) + 1);
    const back = new Map<string, Patch>();
    for (const [id, old] of before) {
      for (const member of Object.keys(patch) as (keyof Patch)[]) {
        const next = later.find((pending) => member in pending.patch && pending.before.has(id));
        const target = next ? next.before : back;
        target.set(id, { ...target.get(id), [member]: old[member] });
      }
    }
    this.#show(back);
  }

  #show(patches: Map<string, Patch>): void {
    const { client, org } = this;
    client.setQueriesData<IssuePage>(
      { queryKey: ["issues", org, "list"] },
      (page) => page && { ...page, issues: page.issues.map((issue) => ({ ...issue, ...patches.get(issue.id) })) },
    );
    client.setQueriesData<IssueDetail>(
      { queryKey: ["issue", org], predicate: isDetail },
      (issue) => issue && { ...issue, ...patches.get(issue.id) },
    );
  }

  #refresh(): void {
    const { client, org } = this;
    void client.invalidateQueries({ queryKey: ["issue", org], predicate: isDetail });
    void client.invalidateQueries({ queryKey: ["issues", org, "fresh"] });
    void client.invalidateQueries({ queryKey: ["issues", org, "counts"] });
    // Lists that are not on the screen are asked again when they are shown; the one that is keeps its rows.
    void client.invalidateQueries({ queryKey: ["issues", org, "list"], refetchType: "none" });
  }
}

const isDetail = ({ queryKey }: { queryKey: readonly unknown[] }) => queryKey.length === 3;

/** What an issue is, of what a patch changes. */
function was(issue: Issue, patch: Patch): Patch {
  return Object.fromEntries((Object.keys(patch) as (keyof Patch)[]).map((member) => [member, issue[member]]));
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
