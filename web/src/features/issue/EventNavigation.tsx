import { Link, useNavigate } from "@tanstack/react-router";
import { eventJsonPath } from "@/api/events";
import type { IssueDetail } from "@/api/models";
import type { Event } from "@/domain/event";
import { eventMarkdown } from "@/domain/eventText";
import { absoluteTime } from "@/domain/time";
import { IconButton } from "@/ui/Button";
import { writeClipboard } from "@/ui/CopyButton";
import { Icon } from "@/ui/Icon";
import { Menu } from "@/ui/Menu";
import { Skeleton } from "@/ui/Skeleton";
import { Time } from "@/ui/Time";
import { notify, notifyFailure } from "@/ui/toast";
import styles from "./EventNavigation.module.css";

interface Props {
  org: string;
  issue: IssueDetail;
  /** `recommended`, `oldest`, `latest`, or an id, as the address has it. */
  eventName: string;
  event: Event | undefined;
  busy: boolean;
}

const NAMED = [
  { event: "recommended", name: "Recommended" },
  { event: "oldest", name: "First" },
  { event: "latest", name: "Latest" },
] as const;

/** Which event is shown, and the ways to the others. It stays in sight while the event is read. */
export function EventNavigation({ org, issue, eventName, event, busy }: Props) {
  const navigate = useNavigate();
  const to = (name: string | null | undefined) => {
    if (!name) return;
    const params = { org, issue: issue.id, event: name };
    void navigate({ to: "/organizations/$org/issues/$issue/events/$event/", params, search: {}, resetScroll: false });
  };
  const link = (id: string) => `${location.origin}/organizations/${org}/issues/${issue.id}/events/${id}/`;
  const copy = async (what: string, text: string) => {
    if (await writeClipboard(text)) notify(`${what} copied`);
    else notifyFailure(`${what} could not be copied: the browser did not allow it.`);
  };
  return (
    <nav aria-busy={busy} aria-label="Events" className={styles.bar}>
      <div className={styles.named}>
        {NAMED.map(({ event: name, name: label }) => (
          <Link
            aria-current={name === eventName ? "true" : undefined}
            className={styles.link}
            key={name}
            params={{ org, issue: issue.id, event: name }}
            resetScroll={false}
            search={{}}
            to="/organizations/$org/issues/$issue/events/$event/"
          >
            {label}
          </Link>
        ))}
        <Link
          activeOptions={{ exact: true }}
          className={styles.link}
          params={{ org, issue: issue.id }}
          search={{}}
          to="/organizations/$org/issues/$issue/events/"
        >
          All events
        </Link>
      </div>
      <div className={styles.current}>
        {event ? (
          <>
            <button
              type="button"
              aria-label="Copy event id"
              className={styles.id}
              data-tip={`Copy ${event.id}`}
              onClick={() => copy("Event id", event.id)}
            >
              {event.id.slice(0, 8)}
              <Icon name="copy" size={12} />
            </button>
            {event.dateCreated && (
              <span className={styles.when}>
                <span className={styles.absolute}>{absoluteTime(event.dateCreated)}</span>
                <Time className={styles.relative} value={event.dateCreated} />
              </span>
            )}
          </>
        ) : (
          <Skeleton width={220} />
        )}
      </div>
      <div className={styles.tools}>
        <IconButton
          disabled={!event?.olderId}
          icon="chevronLeft"
          label="Older event"
          onClick={() => to(event?.olderId)}
          shortcut="["
        />
        <IconButton
          disabled={!event?.newerId}
          icon="chevronRight"
          label="Newer event"
          onClick={() => to(event?.newerId)}
          shortcut="]"
        />
        {event && (
          <>
            <a
              className={styles.json}
              href={eventJsonPath(org, issue.project.slug, event.id)}
              rel="noopener"
              target="_blank"
            >
              Raw JSON <Icon name="external" size={12} />
            </a>
            <Menu
              align="end"
              face={<Icon name="more" />}
              items={[
                { label: "Copy link to this event", icon: "copy", onSelect: () => copy("Link", link(event.id)) },
                { label: "Copy event id", icon: "copy", onSelect: () => copy("Event id", event.id) },
                {
                  label: "Copy as Markdown",
                  icon: "copy",
                  onSelect: () => copy("Markdown", eventMarkdown(event, link(event.id))),
                },
              ]}
              label="More about this event"
              look="ghost"
            />
          </>
        )}
      </div>
    </nav>
  );
}
