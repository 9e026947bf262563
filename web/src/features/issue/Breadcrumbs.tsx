import { useState } from "react";
import { type BreadcrumbKind, filterBreadcrumbs, kindOf, summary } from "@/domain/breadcrumbs";
import type { Breadcrumb, Event } from "@/domain/event";
import { count } from "@/domain/number";
import { clockTime, offsetFrom } from "@/domain/time";
import { Chip, levelTone } from "@/ui/Chip";
import { Icon, type IconName } from "@/ui/Icon";
import { KeyValues } from "@/ui/KeyValues";
import { Segmented } from "@/ui/Segmented";
import { usePreference } from "@/ui/usePreference";
import styles from "./Breadcrumbs.module.css";
import { Section } from "./Section";

const ICONS: Record<BreadcrumbKind, IconName> = {
  navigation: "route",
  http: "globe",
  query: "database",
  user: "cursor",
  error: "alert",
  debug: "code",
  log: "terminal",
};

const CLOCKS = ["offset", "clock"] as const;
/** What is shown at first: the last ones before the error say most. */
const SHOWN = 15;

/** What happened before the error, the error itself last. */
export function Breadcrumbs({ event }: { event: Event }) {
  const [kinds, setKinds] = useState<ReadonlySet<string>>(new Set());
  const [text, setText] = useState("");
  const [all, setAll] = useState(false);
  const [clock, setClock] = usePreference("breadcrumbs.clock", CLOCKS);

  const present = [...new Set(event.breadcrumbs.map(kindOf))].sort();
  const matching = filterBreadcrumbs(event.breadcrumbs, kinds, text);
  const shown = all ? matching : matching.slice(-SHOWN);
  const hidden = matching.length - shown.length;
  const toggle = (kind: string) => {
    const next = new Set(kinds);
    if (!next.delete(kind)) next.add(kind);
    setKinds(next);
  };
  const when = (iso: string | null) => {
    if (iso === null) return "";
    return clock === "clock" || event.dateCreated === null ? clockTime(iso) : offsetFrom(iso, event.dateCreated);
  };
  const tools = (
    <Segmented
      label="Times"
      onChange={setClock}
      options={[
        { value: "offset", name: "Before the error" },
        { value: "clock", name: "Clock" },
      ]}
      value={clock}
    />
  );
  return (
    <Section size={event.breadcrumbs.length} title="Breadcrumbs" tools={tools}>
      <div className={styles.filters}>
        <input
          aria-label="Search breadcrumbs"
          className={styles.search}
          onChange={(change) => setText(change.target.value)}
          placeholder="Search breadcrumbs"
          type="search"
          value={text}
        />
        {present.length > 1 &&
          present.map((kind) => (
            <button
              type="button"
              aria-pressed={kinds.has(kind)}
              className={styles.kind}
              key={kind}
              onClick={() => toggle(kind)}
            >
              <Icon name={ICONS[kind]} size={12} /> {kind}
            </button>
          ))}
      </div>
      {matching.length === 0 && <p className={styles.none}>No breadcrumb matches.</p>}
      {hidden > 0 && (
        <button type="button" className={styles.earlier} onClick={() => setAll(true)}>
          <Icon name="plus" size={12} /> {count(hidden, "earlier breadcrumb")}
        </button>
      )}
      <ol className={styles.list}>
        {shown.map((crumb, index) => (
          <BreadcrumbItem crumb={crumb} key={hidden + index} when={when(crumb.timestamp)} />
        ))}
        <li className={`${styles.row} ${styles.itself}`}>
          <span className={styles.time}>{when(event.dateCreated)}</span>
          <Icon className={styles.icon} name="alert" size={14} />
          <span className={styles.category}>{event.type === "error" ? "exception" : "event"}</span>
          <span className={styles.text}>{event.title}</span>
        </li>
      </ol>
    </Section>
  );
}

function BreadcrumbItem({ crumb, when }: { crumb: Breadcrumb; when: string }) {
  const kind = kindOf(crumb);
  const data = Object.entries(crumb.data ?? {});
  const words = summary(crumb);
  const loud = crumb.level === "error" || crumb.level === "fatal" || crumb.level === "warning";
  const row = (
    <>
      <span className={styles.time}>{when}</span>
      <Icon className={kind === "error" ? styles.bad : styles.icon} name={ICONS[kind]} size={14} />
      <span className={styles.category}>{crumb.category ?? crumb.type}</span>
      <span className={styles.text}>
        {words}
        {loud && (
          <>
            {" "}
            <Chip tone={levelTone(crumb.level)}>{crumb.level}</Chip>
          </>
        )}
      </span>
    </>
  );
  if (data.length === 0) return <li className={styles.row}>{row}</li>;
  return (
    <li>
      <details className={styles.details}>
        <summary className={styles.row}>{row}</summary>
        <div className={styles.data}>
          <KeyValues rows={data} />
        </div>
      </details>
    </li>
  );
}
