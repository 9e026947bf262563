import type { Issue, IssueDetail, Team, User } from "@/api/models";
import { useIssueUpdate } from "@/api/useIssueUpdate";
import type { Archive } from "@/domain/archive";
import { MOVES, type Status } from "@/domain/triage";
import { notifyAction } from "@/ui/toast";

/** What can be done with the issue on the screen; each takes effect at once and can be undone. */
export function useIssueActions(org: string, issue: IssueDetail | undefined) {
  const update = useIssueUpdate(org);
  const move = (status: Status) => {
    if (!issue?.isEditable || issue.status === status) return;
    const { done, substatus, body } = MOVES[status];
    const patch = { status, substatus, statusDetails: {} };
    notifyAction(`${issue.shortId} ${done}`, update([issue], { body, patch }));
  };
  const archive = ({ done, substatus, details }: Archive) => {
    if (!issue?.isEditable) return;
    const body = { status: "ignored", substatus, statusDetails: details };
    const patch = { status: "ignored", substatus, statusDetails: { ...details } };
    notifyAction(`${issue.shortId} ${done}`, update([issue], { body, patch }));
  };
  const give = (assignedTo: Issue["assignedTo"]) => {
    const old = issue?.assignedTo ?? null;
    if (!issue || (old?.type === assignedTo?.type && old?.id === assignedTo?.id)) return;
    const change = {
      body: { assignedTo: assignedTo ? `${assignedTo.type}:${assignedTo.id}` : "" },
      patch: { assignedTo },
    };
    notifyAction(
      assignedTo ? `${issue.shortId} assigned to ${assignedTo.name}` : `${issue.shortId} unassigned`,
      update([issue], change),
    );
  };
  const assign = (user: Pick<User, "id" | "name" | "email"> | null) =>
    give(user && { type: "user", id: user.id, name: user.name || user.email, email: user.email });
  const assignTeam = (team: Pick<Team, "id" | "name">) =>
    give({ type: "team", id: team.id, name: team.name, email: null });
  return { move, archive, assign, assignTeam };
}
