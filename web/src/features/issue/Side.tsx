import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { issueTags } from "@/api/issues";
import type { IssueDetail, Tag } from "@/api/models";
import { activityText, eventText } from "@/domain/activity";
import { tagToken } from "@/domain/issueQuery";
import { percent } from "@/domain/number";
import { Avatar } from "@/ui/Avatar";
import { Icon } from "@/ui/Icon";
import { Skeleton } from "@/ui/Skeleton";
import { Time } from "@/ui/Time";
import styles from "./Side.module.css";

/** What is known about the issue as a whole, beside the one event. */
export function Side({ org, issue }: { org: string; issue: IssueDetail }) {
  return (
    <aside aria-label="About the issue" className={styles.side}>
      <section aria-labelledby="seen" className={styles.part}>
        <h2 className="quiet" id="seen">
          First and last seen
        </h2>
        <dl className={styles.seen}>
          <div>
            <dt>Last seen</dt>
            <dd>
              <Time value={issue.lastSeen} />
              <ReleaseName org={org} project={issue.project.slug} version={issue.lastRelease?.version} />
            </dd>
          </div>
          <div>
            <dt>First seen</dt>
            <dd>
              <Time value={issue.firstSeen} />
              <ReleaseName org={org} project={issue.project.slug} version={issue.firstRelease?.version} />
            </dd>
          </div>
        </dl>
      </section>
      <TagDistribution issue={issue} org={org} />
      {issue.activity.length > 0 && <ActivityList issue={issue} />}
    </aside>
  );
}

function ReleaseName({ org, project, version }: { org: string; project: string; version: string | undefined }) {
  if (!version) return null;
  return (
    <span className={styles.release}>
      in{" "}
      <Link params={{ org, version }} search={{ project }} to="/organizations/$org/releases/$version/">
        {version}
      </Link>
    </span>
  );
}

/** Keys that tell most about where an issue happens, in this order; the others follow as the server sends them. */
const TELLING = ["environment", "release", "browser", "os", "url", "user", "transaction", "server_name"];
const SHOWN = 6;

function TagDistribution({ org, issue }: { org: string; issue: IssueDetail }) {
  const [all, setAll] = useState(false);
  const tags = useQuery(issueTags(org, issue.id));
  const rank = (tag: Tag) => {
    const index = TELLING.indexOf(tag.key);
    return index === -1 ? TELLING.length : index;
  };
  const ordered = tags.data?.toSorted((a, b) => rank(a) - rank(b)) ?? [];
  const shown = all ? ordered : ordered.slice(0, SHOWN);
  return (
    <section aria-labelledby="distribution" className={styles.part}>
      <h2 id="distribution">Tags</h2>
      {tags.isPending && <Skeleton height={180} />}
      {tags.isError && !tags.data && (
        <p className={styles.note}>
          The tags could not be loaded.{" "}
          <button type="button" className={styles.retry} onClick={() => tags.refetch()}>
            Try again
          </button>
        </p>
      )}
      {tags.data?.length === 0 && <p className={styles.note}>Its events have no tags.</p>}
      {shown.map((tag) => (
        <TagBars key={tag.key} org={org} tag={tag} />
      ))}
      {ordered.length > shown.length && (
        <button type="button" className={styles.retry} onClick={() => setAll(true)}>
          All {ordered.length} tags
        </button>
      )}
    </section>
  );
}

function TagBars({ org, tag }: { org: string; tag: Tag }) {
  return (
    <div className={styles.tag}>
      <h3>{tag.key}</h3>
      <ul>
        {tag.topValues.slice(0, 4).map(({ value, name, count }) => (
          <li className={styles.value} key={value ?? ""}>
            <Link
              className={styles.name}
              params={{ org }}
              search={{ query: tagToken(tag.key, value ?? "") }}
              to="/organizations/$org/issues/"
            >
              {name || value || "empty"}
            </Link>
            <span className={styles.share} data-tip={`${count} of ${tag.totalValues}`}>
              {percent(count, tag.totalValues)}
            </span>
            <span aria-hidden="true" className={styles.track}>
              <span style={{ width: `${Math.min(100, (count / Math.max(1, tag.totalValues)) * 100)}%` }} />
            </span>
          </li>
        ))}
      </ul>
    </div>
  );
}

function ActivityList({ issue }: { issue: IssueDetail }) {
  return (
    <section aria-labelledby="activity" className={styles.part}>
      <h2 id="activity">Activity</h2>
      <ol className={styles.activity}>
        {issue.activity.map(({ id, type, user, data, cause, dateCreated }) => (
          <li key={id}>
            {user ? (
              <Avatar name={user.name || user.email} size={20} />
            ) : (
              <Icon className={styles.system} name="info" size={18} />
            )}
            <span>
              {user ? (
                <>
                  <strong>{user.name || user.email}</strong> {activityText(type, data)}
                </>
              ) : (
                eventText(type, data, cause)
              )}{" "}
              <Time className={styles.when} value={dateCreated} />
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}
