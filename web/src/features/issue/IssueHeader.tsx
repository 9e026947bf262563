import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useLayoutEffect, useRef, useState } from "react";
import { currentUser } from "@/api/account";
import type { IssueSearch } from "@/api/issues";
import type { IssueDetail } from "@/api/models";
import { members as membersQuery } from "@/api/projects";
import { teams as teamsQuery } from "@/api/teams";
import { count } from "@/domain/number";
import { headline, stateName, stateTone } from "@/domain/triage";
import { Avatar, NoAvatar } from "@/ui/Avatar";
import { Button } from "@/ui/Button";
import { Chip, LevelMark } from "@/ui/Chip";
import { CopyButton } from "@/ui/CopyButton";
import { Count } from "@/ui/Count";
import { Icon } from "@/ui/Icon";
import { Menu } from "@/ui/Menu";
import { ArchiveMenu } from "./ArchiveMenu";
import styles from "./IssueHeader.module.css";
import { useIssueActions } from "./useIssueActions";

export function IssueHeader({ org, issue }: { org: string; issue: IssueDetail }) {
  const { type, message } = headline(issue);
  const state = stateName(issue.status, issue.substatus, issue.statusDetails);
  return (
    <header className={styles.header}>
      <nav aria-label="Breadcrumb" className={styles.path}>
        <BackToList org={org} />
        <Icon name="chevronRight" size={12} />
        <Link params={{ org }} search={{ project: issue.project.id }} to="/organizations/$org/issues/">
          {issue.project.name}
        </Link>
        <Icon name="chevronRight" size={12} />
        <span className={styles.shortId}>{issue.shortId}</span>
        <CopyButton label="Copy short id" text={issue.shortId} />
      </nav>
      <div className={styles.row}>
        <div className={styles.title}>
          <LevelMark level={issue.level} />
          <div className={styles.words}>
            <h1>{type}</h1>
            {message && <Message key={message} text={message} />}
            <p className={styles.meta}>
              {state && <Chip tone={stateTone(issue.status, issue.substatus)}>{state}</Chip>}
              {issue.status === "ignored" && issue.escalatesAbove !== null && (
                <span>Escalates above {count(issue.escalatesAbove, "event")} an hour</span>
              )}
              {issue.unkeptCount > 0 && (
                <span data-tip="So many came in a minute that only a sample of them is kept. All are counted.">
                  {count(issue.unkeptCount, "event")} only counted
                </span>
              )}
              {issue.issueType !== "error" && <Chip>{issue.issueTypeName}</Chip>}
              {issue.isUnhandled && <Chip tone="error">Unhandled</Chip>}
              {issue.culprit && <span className={styles.culprit}>{issue.culprit}</span>}
            </p>
          </div>
        </div>
        <dl className={styles.counts}>
          <div>
            <dt>Events</dt>
            <dd>
              <Count value={Number(issue.count)} />
            </dd>
          </div>
          <div>
            <dt>Users</dt>
            <dd>
              <Count value={issue.userCount} />
            </dd>
          </div>
        </dl>
      </div>
      <div className={styles.actions}>
        {issue.isEditable && <StatusActions issue={issue} org={org} />}
        <AssignMenu issue={issue} org={org} />
      </div>
    </header>
  );
}

/** What changes the status; not there where the status follows what produces the issue. */
function StatusActions({ org, issue }: { org: string; issue: IssueDetail }) {
  const { move } = useIssueActions(org, issue);
  return (
    <>
      {issue.status === "resolved" ? (
        <Button icon="undo" onClick={() => move("unresolved")} shortcut="e">
          Unresolve
        </Button>
      ) : (
        <Button icon="check" look="primary" onClick={() => move("resolved")} shortcut="e">
          Resolve
        </Button>
      )}
      {issue.status === "ignored" ? (
        <Button icon="undo" onClick={() => move("unresolved")} shortcut="a">
          Unarchive
        </Button>
      ) : (
        <Button icon="archive" onClick={() => move("ignored")} shortcut="a">
          Archive
        </Button>
      )}
      <ArchiveMenu issue={issue} org={org} />
    </>
  );
}

/** Back to the list as it was: the search that was last on the screen. */
function BackToList({ org }: { org: string }) {
  const lists = useQueryClient()
    .getQueryCache()
    .findAll({ queryKey: ["issues", org, "list"] });
  const last = lists.toSorted((a, b) => a.state.dataUpdatedAt - b.state.dataUpdatedAt).at(-1);
  const search = last?.queryKey[3] as IssueSearch | undefined;
  return (
    <Link
      params={{ org }}
      search={
        search
          ? { query: search.query, sort: search.sort, statsPeriod: search.statsPeriod, project: search.project }
          : {}
      }
      to="/organizations/$org/issues/"
    >
      Issues
    </Link>
  );
}

/** Up to three lines; a message of a thousand lines must not push the stack trace off the screen. */
function Message({ text }: { text: string }) {
  const paragraph = useRef<HTMLParagraphElement>(null);
  const [open, setOpen] = useState(false);
  const [cut, setCut] = useState(false);
  useLayoutEffect(() => {
    const element = paragraph.current;
    if (element) setCut(element.scrollHeight > element.clientHeight + 1);
  }, []);
  return (
    <div>
      <p className={open ? styles.message : `${styles.message} ${styles.clamped}`} ref={paragraph}>
        {text}
      </p>
      {cut && (
        <button type="button" aria-expanded={open} className={styles.more} onClick={() => setOpen(!open)}>
          {open ? "Show less" : "Show the whole message"}
        </button>
      )}
    </div>
  );
}

function AssignMenu({ org, issue }: { org: string; issue: IssueDetail }) {
  const { assign, assignTeam } = useIssueActions(org, issue);
  const teams = useQuery(teamsQuery(org)).data ?? [];
  const me = useQuery(currentUser).data;
  const members = useQuery(membersQuery(org)).data ?? [];
  const people = members.flatMap(({ user }) => user ?? []);
  const assigned = issue.assignedTo;
  return (
    <Menu
      face={
        <>
          {assigned ? <Avatar name={assigned.name} size={18} /> : <NoAvatar size={16} />}
          {assigned ? assigned.name : "Assign"}
        </>
      }
      items={[
        ...people.map((user) => ({
          label: user.id === me?.id ? `${user.name || user.email} (you)` : user.name || user.email,
          lead: <Avatar name={user.name || user.email} size={18} />,
          checked: assigned?.type === "user" && assigned.id === user.id,
          shortcut: user.id === me?.id ? "m" : undefined,
          onSelect: () => assign(user),
        })),
        ...teams.map((team) => ({
          label: `#${team.slug}`,
          lead: <Avatar name={team.name} size={18} />,
          checked: assigned?.type === "team" && assigned.id === team.id,
          onSelect: () => assignTeam(team),
        })),
        { label: "Nobody", lead: <NoAvatar size={18} />, checked: assigned === null, onSelect: () => assign(null) },
      ]}
      label="Assign"
    />
  );
}
