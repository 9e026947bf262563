import type { IssueDetail, User } from "@/api/models";
import { useIssueUpdate } from "@/api/useIssueUpdate";
import { MOVES, type Status } from "@/domain/triage";
import { notifyAction } from "@/ui/toast";

/** What can be done with the issue on the screen; each takes effect at once and can be undone. */
export function useIssueActions(org: string, issue: IssueDetail | undefined) {
  const update = useIssueUpdate(org);
  const move = (status: Status) => {
    if (!issue || issue.status === status) return;
    const { done, substatus, body } = MOVES[status];
    notifyAction(`${issue.shortId} ${done}`, update([issue], { body, patch: { status, substatus } }));
  };
  const assign = (user: Pick<User, "id" | "name" | "email"> | null) => {
    if (!issue || (issue.assignedTo?.id ?? null) === (user?.id ?? null)) return;
    const name = user && (user.name || user.email);
    const change = {
      body: { assignedTo: user ? `user:${user.id}` : "" },
      patch: { assignedTo: user && { type: "user", id: user.id, name: user.name || user.email, email: user.email } },
    };
    notifyAction(
      name ? `${issue.shortId} assigned to ${name}` : `${issue.shortId} unassigned`,
      update([issue], change),
    );
  };
  return { move, assign };
}
