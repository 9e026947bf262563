import type { Issue } from "@/api/models";
import { exactNumber } from "@/domain/number";
import type { Status } from "@/domain/triage";
import { Button } from "@/ui/Button";
import { Skeleton } from "@/ui/Skeleton";
import { IssueRow } from "./IssueRow";
import styles from "./IssueTable.module.css";
import type { Rows } from "./useRows";

interface Props {
  org: string;
  issues: Issue[];
  /** The span of the small graphs. */
  period: string;
  rows: Rows;
  move: (status: Status) => void;
}

export function IssueTable({ org, issues, period, rows, move }: Props) {
  const selected = issues.filter(({ id }) => rows.selected.has(id));
  return (
    <div
      aria-label="Issues"
      aria-multiselectable="true"
      aria-rowcount={issues.length + 1}
      className={styles.table}
      role="grid"
    >
      <div className={styles.head} role="row">
        <div className={styles.check} role="columnheader">
          <input
            aria-label="Select all issues on this page"
            checked={selected.length === issues.length}
            onChange={rows.toggleAll}
            ref={(box) => {
              if (box) box.indeterminate = selected.length > 0 && selected.length < issues.length;
            }}
            type="checkbox"
          />
        </div>
        {selected.length > 0 ? (
          <Selection move={move} selected={selected} />
        ) : (
          <>
            <div role="columnheader">Issue</div>
            <div className={styles.spark} role="columnheader">
              {period === "24h" ? "24 hours" : "14 days"}
            </div>
            <div className={styles.number} role="columnheader">
              Events
            </div>
            <div className={styles.number} role="columnheader">
              Users
            </div>
            <div className={styles.seen} role="columnheader">
              Seen
            </div>
            <div className={styles.assignee} role="columnheader">
              <span className="quiet">Assignee</span>
            </div>
          </>
        )}
      </div>
      {issues.map((issue, index) => (
        <IssueRow
          focusable={index === Math.max(0, rows.at)}
          issue={issue}
          key={issue.id}
          onFocus={() => rows.at !== index && rows.setAt(index)}
          onToggle={() => rows.toggle(issue)}
          org={org}
          period={period}
          selected={rows.selected.has(issue.id)}
        />
      ))}
    </div>
  );
}

function Selection({ selected, move }: { selected: Issue[]; move: (status: Status) => void }) {
  const any = (status: Status) => selected.some((issue) => issue.status !== status);
  return (
    <div className={styles.selection} role="columnheader">
      <span aria-live="polite">{exactNumber(selected.length)} selected</span>
      <Button disabled={!any("resolved")} icon="check" onClick={() => move("resolved")} shortcut="e">
        Resolve
      </Button>
      <Button disabled={!any("ignored")} icon="archive" onClick={() => move("ignored")} shortcut="a">
        Archive
      </Button>
      {any("unresolved") && (
        <Button icon="undo" onClick={() => move("unresolved")}>
          Unresolve
        </Button>
      )}
    </div>
  );
}

const PLACEHOLDER_ROWS = 12;

/** The table before its rows are known, in its final measures. */
export function LoadingTable() {
  return (
    <div aria-label="Loading issues" className={styles.table} role="status">
      <div className={styles.head} />
      {Array.from({ length: PLACEHOLDER_ROWS }, (_, index) => (
        <div className={styles.row} key={index}>
          <div className={styles.check} />
          <div className={styles.main}>
            <div className={styles.words}>
              <Skeleton width={`${38 + ((index * 17) % 34)}%`} />
              <Skeleton height={11} width={`${22 + ((index * 11) % 20)}%`} />
            </div>
          </div>
          <div className={styles.spark}>
            <Skeleton height={20} width={120} />
          </div>
          <div className={styles.number}>
            <Skeleton width={30} />
          </div>
          <div className={styles.number}>
            <Skeleton width={24} />
          </div>
          <div className={styles.seen}>
            <Skeleton width={64} />
          </div>
          <div className={styles.assignee} />
        </div>
      ))}
    </div>
  );
}
