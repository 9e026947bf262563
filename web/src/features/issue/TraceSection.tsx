import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { traceJsonPath, traceOverview } from "@/api/traces";
import { clockTime } from "@/domain/time";
import { milliseconds } from "@/domain/trace";
import { LevelMark } from "@/ui/Chip";
import { Icon } from "@/ui/Icon";
import { Skeleton } from "@/ui/Skeleton";
import { Failure } from "@/ui/State";
import { Section } from "./Section";
import styles from "./TraceSection.module.css";

interface Props {
  org: string;
  trace: string;
  /** The event that is being read. */
  event: string;
}

/** What else happened in the trace of the event: what went wrong, the first spans and log lines, and how many there are. */
export function TraceSection({ org, trace, event }: Props) {
  const overview = useQuery(traceOverview(org, trace));
  const { data } = overview;
  return (
    <Section
      size={data && data.size.events + data.size.spans + data.size.logs}
      title="Trace"
      tools={
        <a href={traceJsonPath(org, trace)} rel="noopener" target="_blank">
          JSON <Icon name="external" size={12} />
        </a>
      }
    >
      {overview.isPending && <Skeleton height={64} />}
      {overview.isError && !data && <Failure error={overview.error} retry={overview.refetch} what="The trace" />}
      {data && data.spans.length + data.logs.length === 0 && (
        <p className={styles.note}>
          No spans or log lines of trace <code>{trace}</code> are stored.
        </p>
      )}
      {data && data.events.length > 0 && (
        <div className={styles.part}>
          <h3>{counted(Math.max(data.size.events, data.events.length), data.events.length, "event")}</h3>
          <ul className={styles.rows}>
            {data.events.map(({ id, level, title, issue, project, time }) => (
              <li key={id}>
                <LevelMark level={level} />
                <span className={styles.name}>
                  {issue === null || id === event ? (
                    title
                  ) : (
                    <Link
                      params={{ org, issue: issue.id, event: id }}
                      search={{}}
                      to="/organizations/$org/issues/$issue/events/$event/"
                    >
                      {title}
                    </Link>
                  )}
                </span>
                <span className={styles.side}>{id === event ? "this event" : (issue?.shortId ?? project)}</span>
                <span className={styles.side}>{time && clockTime(time)}</span>
              </li>
            ))}
          </ul>
        </div>
      )}
      {data && data.spans.length > 0 && (
        <div className={styles.part}>
          <h3>{counted(data.size.spans, data.spans.length, "span")}</h3>
          <ul className={styles.rows}>
            {data.spans.map(({ id, op, name, duration, project }) => (
              <li key={id}>
                <span className={styles.kind}>{op ?? "span"}</span>
                <span className={styles.name}>{name}</span>
                <span className={styles.side}>{project}</span>
                <span className={styles.side}>{duration !== null && milliseconds(duration)}</span>
              </li>
            ))}
          </ul>
        </div>
      )}
      {data && data.logs.length > 0 && (
        <div className={styles.part}>
          <h3>{counted(data.size.logs, data.logs.length, "log line")}</h3>
          <ul className={styles.rows}>
            {data.logs.map(({ id, severity, message, time }) => (
              <li key={id}>
                <span className={styles.kind}>{severity ?? "log"}</span>
                <span className={styles.name}>{message}</span>
                <span className={styles.side}>{time && clockTime(time)}</span>
              </li>
            ))}
          </ul>
        </div>
      )}
    </Section>
  );
}

function counted(all: number, shown: number, what: string): string {
  const words = `${all.toLocaleString("en-US")} ${what}${all === 1 ? "" : "s"}`;
  return all > shown ? `${words}, the first ${shown}` : words;
}
