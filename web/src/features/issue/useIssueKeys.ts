import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { currentUser } from "@/api/account";
import type { IssuePage } from "@/api/issues";
import type { IssueDetail } from "@/api/models";
import type { Event } from "@/domain/event";
import { useShortcuts } from "@/ui/shortcuts";
import { useIssueActions } from "./useIssueActions";

export function useIssueKeys(org: string, issue: IssueDetail | undefined, event: Event | undefined) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const me = useQuery(currentUser).data;
  const { move, assign } = useIssueActions(org, issue);

  const toEvent = (name: string | null | undefined) => {
    if (!issue || !name) return;
    const params = { org, issue: issue.id, event: name };
    void navigate({ to: "/organizations/$org/issues/$issue/events/$event/", params, search: {}, resetScroll: false });
  };
  const toNeighbour = (step: number) => {
    const lists = client
      .getQueriesData<IssuePage>({ queryKey: ["issues", org, "list"] })
      .flatMap(([, page]) => page ?? []);
    const list = lists.findLast((page) => page.issues.some(({ id }) => id === issue?.id))?.issues ?? [];
    const next = list[list.findIndex(({ id }) => id === issue?.id) + step];
    if (!next) return;
    void navigate({ to: "/organizations/$org/issues/$issue/", params: { org, issue: next.id }, search: {} });
  };

  useShortcuts("Issue", [
    { key: "e", label: "Resolve", run: () => move(issue?.status === "resolved" ? "unresolved" : "resolved") },
    { key: "a", label: "Archive", run: () => move(issue?.status === "ignored" ? "unresolved" : "ignored") },
    { key: "m", label: "Assign to me", run: () => me && assign(me) },
    { key: "[", label: "Older event", run: () => toEvent(event?.olderId) },
    { key: "]", label: "Newer event", run: () => toEvent(event?.newerId) },
    { key: "{", label: "First event", run: () => toEvent("oldest") },
    { key: "}", label: "Latest event", run: () => toEvent("latest") },
    { key: "Shift+j", label: "Next issue of the list", run: () => toNeighbour(1) },
    { key: "Shift+k", label: "Previous issue of the list", run: () => toNeighbour(-1) },
  ]);
}
