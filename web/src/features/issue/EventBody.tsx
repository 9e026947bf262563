import type { ReactNode } from "react";
import type { Event } from "@/domain/event";
import { byteSize } from "@/domain/number";
import { absoluteTime } from "@/domain/time";
import { traceOf } from "@/domain/trace";
import { CodeBlock } from "@/ui/CodeBlock";
import { KeyValues } from "@/ui/KeyValues";
import { Attachments } from "./Attachments";
import { Breadcrumbs } from "./Breadcrumbs";
import { Contexts } from "./Contexts";
import styles from "./EventBody.module.css";
import { Evidence } from "./Evidence";
import { Exceptions, Stacktrace } from "./Exceptions";
import { Highlights } from "./Highlights";
import { Packages } from "./Packages";
import { Problems } from "./Problems";
import { ReportSection } from "./ReportSection";
import { RequestSection } from "./RequestSection";
import { Section } from "./Section";
import { TagList } from "./TagList";
import { Threads } from "./Threads";
import { TraceSection } from "./TraceSection";
import { UserReport } from "./UserReport";

interface Part {
  /** The section's anchor. */
  id: string;
  name: string;
  section: ReactNode;
}

/** Everything one event tells, in an order that never changes; parts it does not have are left out. */
export function EventBody({ event, org, project }: { event: Event; org: string; project: string }) {
  const parts = partsOf(event, org, project);
  return (
    <div key={event.id}>
      <nav aria-label="Sections of the event" className={styles.jump}>
        {parts.map(({ id, name }) => (
          <a href={`#${id}`} key={id}>
            {name}
          </a>
        ))}
      </nav>
      <Highlights event={event} />
      {parts.map(({ id, section }) => (
        <div className={styles.part} id={id} key={id}>
          {section}
        </div>
      ))}
    </div>
  );
}

function partsOf(event: Event, org: string, project: string): Part[] {
  const user = Object.entries(event.user ?? {}).filter(([, value]) => value !== null && value !== "");
  const extra = Object.entries(event.extra ?? {});
  const { occurrence } = event;
  const trace = traceOf(event);
  const isSaid =
    event.exceptions.some(({ value }) => value === event.message) ||
    (event.report !== null && event.message === event.title) ||
    (occurrence !== null && [occurrence.title, occurrence.subtitle].includes(event.message));
  const parts: (Part | false)[] = [
    occurrence !== null && {
      id: "evidence",
      name: "Evidence",
      section: <Evidence occurrence={occurrence} org={org} />,
    },
    event.report !== null && { id: "report", name: "Report", section: <ReportSection report={event.report} /> },
    event.exceptions.length > 0
      ? { id: "stacktrace", name: "Stack trace", section: <Exceptions event={event} /> }
      : event.stacktrace !== null && { id: "stacktrace", name: "Stack trace", section: <Stacktrace event={event} /> },
    event.message !== null &&
      !isSaid && {
        id: "message",
        name: "Message",
        section: (
          <Section title="Message">
            <CodeBlock label="message" text={event.message} wrap />
          </Section>
        ),
      },
    event.userReport !== null && {
      id: "user-report",
      name: "User report",
      section: <UserReport report={event.userReport} />,
    },
    event.threads.length > 0 && {
      id: "threads",
      name: "Threads",
      section: <Threads platform={event.platform} threads={event.threads} />,
    },
    event.breadcrumbs.length > 0 && { id: "breadcrumbs", name: "Breadcrumbs", section: <Breadcrumbs event={event} /> },
    trace !== null && {
      id: "trace",
      name: "Trace",
      section: <TraceSection event={event.id} org={org} trace={trace} />,
    },
    event.request !== null && {
      id: "request",
      name: "Request",
      section: <RequestSection request={event.request} />,
    },
    user.length > 0 && { id: "user", name: "User", section: <Pairs rows={user} title="User" /> },
    event.tags.length > 0 && { id: "tags", name: "Tags", section: <TagList org={org} tags={event.tags} /> },
    event.contexts.length > 0 && {
      id: "contexts",
      name: "Contexts",
      section: <Contexts contexts={event.contexts} />,
    },
    extra.length > 0 && {
      id: "extra",
      name: "Additional data",
      section: <Pairs rows={extra} title="Additional data" />,
    },
    event.packages.length > 0 && {
      id: "packages",
      name: "Packages",
      section: <Packages packages={event.packages} />,
    },
    {
      id: "attachments",
      name: "Attachments",
      section: <Attachments event={event.id} org={org} project={project} />,
    },
    event.problems.length > 0 && {
      id: "problems",
      name: "Problems",
      section: <Problems problems={event.problems} />,
    },
    { id: "about", name: "About", section: <Pairs folded rows={about(event)} title="About this event" /> },
  ];
  return parts.filter((part) => part !== false);
}

function Pairs({ title, rows, folded }: { title: string; rows: [string, unknown][]; folded?: boolean }) {
  return (
    <Section folded={folded} title={title}>
      <KeyValues rows={rows} />
    </Section>
  );
}

function about(event: Event): [string, unknown][] {
  const sdk = event.sdk && [event.sdk.name, event.sdk.version].filter(Boolean).join(" ");
  const rows: [string, unknown][] = [
    ["Event id", event.id],
    ["Happened", event.dateCreated && absoluteTime(event.dateCreated)],
    ["Received", event.dateReceived && absoluteTime(event.dateReceived)],
    ["Client", sdk],
    ["Platform", event.platform],
    ["Distribution", event.dist],
    ["Size", event.size === null ? null : byteSize(event.size)],
    ["Grouping hashes", event.fingerprints.length === 0 ? null : event.fingerprints.join(", ")],
  ];
  return rows.filter(([, value]) => value !== null && value !== "");
}
