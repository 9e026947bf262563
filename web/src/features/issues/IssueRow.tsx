import { Link } from "@tanstack/react-router";
import type { Issue } from "@/api/models";
import { headline, stateName, stateTone } from "@/domain/triage";
import { Avatar, NoAvatar } from "@/ui/Avatar";
import { Chip, LevelMark } from "@/ui/Chip";
import { Count } from "@/ui/Count";
import { Sparkline } from "@/ui/Sparkline";
import { Time } from "@/ui/Time";
import styles from "./IssueTable.module.css";

interface Props {
  org: string;
  issue: Issue;
  period: string;
  selected: boolean;
  /** The one row that Tab reaches; the keys go on from there. */
  focusable: boolean;
  onFocus: () => void;
  onToggle: () => void;
}

export function IssueRow({ org, issue, period, selected, focusable, onFocus, onToggle }: Props) {
  const { type, message } = headline(issue);
  const state = stateName(issue.status, issue.substatus, issue.statusDetails);
  const events = Number(issue.count);
  return (
    <div
      aria-selected={selected}
      className={styles.row}
      id={`issue-${issue.id}`}
      onFocus={onFocus}
      role="row"
      tabIndex={focusable ? 0 : -1}
    >
      <div className={styles.check} role="gridcell">
        <input
          aria-label={`Select ${issue.shortId}`}
          checked={selected}
          onChange={onToggle}
          tabIndex={-1}
          type="checkbox"
        />
      </div>
      <div className={styles.main} role="gridcell">
        <LevelMark level={issue.level} />
        <div className={styles.words}>
          <Link
            className={styles.title}
            params={{ org, issue: issue.id }}
            search={{}}
            tabIndex={-1}
            to="/organizations/$org/issues/$issue/"
          >
            <span className={issue.hasSeen ? styles.seenType : styles.type}>{type}</span>
            {message && <span className={styles.message}>{message}</span>}
          </Link>
          <div className={styles.meta}>
            {state && <Chip tone={stateTone(issue.status, issue.substatus)}>{state}</Chip>}
            {issue.issueType !== "error" && <Chip>{issue.issueTypeName}</Chip>}
            {issue.isUnhandled && <Chip tone="error">Unhandled</Chip>}
            <span className={styles.shortId}>{issue.shortId}</span>
            {issue.culprit && <span className={styles.culprit}>{issue.culprit}</span>}
          </div>
          <div className={styles.card}>
            <span>
              <Count value={events} /> {events === 1 ? "event" : "events"}
            </span>
            <span>
              <Count value={issue.userCount} /> {issue.userCount === 1 ? "user" : "users"}
            </span>
            <Time value={issue.lastSeen} />
            {issue.assignedTo && <Avatar name={issue.assignedTo.name} size={18} />}
          </div>
        </div>
      </div>
      <div className={styles.spark} role="gridcell">
        <Sparkline period={period} series={issue.stats?.[period] ?? []} />
      </div>
      <div className={styles.number} role="gridcell">
        <Count value={events} />
      </div>
      <div className={styles.number} role="gridcell">
        <Count value={issue.userCount} />
      </div>
      <div className={styles.seen} role="gridcell">
        <Time value={issue.lastSeen} />
        <span className={styles.first}>
          first <Time value={issue.firstSeen} />
        </span>
      </div>
      <div className={styles.assignee} role="gridcell">
        {issue.assignedTo ? <Avatar name={issue.assignedTo.name} /> : <NoAvatar />}
      </div>
    </div>
  );
}
