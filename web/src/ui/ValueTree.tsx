import { useState } from "react";
import { safeHref } from "@/domain/links";
import styles from "./ValueTree.module.css";

/** Members drawn of one object; more are counted. A hostile event may hold any number. */
const MEMBERS_MAX = 200;
const TEXT_SHOWN = 600;
/** Objects this deep start folded. */
const OPEN_DEPTH = 1;

/** Any JSON value: scalars as they are, objects and lists as a tree to fold. */
export function Value({ value, depth = 0 }: { value: unknown; depth?: number }) {
  if (value === null || value === undefined) return <span className={styles.nothing}>null</span>;
  if (typeof value === "object") return <Tree depth={depth} value={value} />;
  if (typeof value === "string") return <Text value={value} />;
  return <span className={styles.number}>{String(value)}</span>;
}

function Text({ value }: { value: string }) {
  const [whole, setWhole] = useState(false);
  if (value === "[Filtered]") {
    return (
      <span className={styles.filtered} data-tip="Removed before it was stored, because it may be secret">
        Filtered
      </span>
    );
  }
  const href = safeHref(value);
  if (href !== null && value.length <= TEXT_SHOWN) {
    return (
      <a className={styles.text} href={href} rel="noopener noreferrer nofollow" target="_blank">
        {value}
      </a>
    );
  }
  if (value === "") return <span className={styles.nothing}>empty</span>;
  if (value.length <= TEXT_SHOWN || whole) return <span className={styles.text}>{value}</span>;
  return (
    <span className={styles.text}>
      {value.slice(0, TEXT_SHOWN)}…{" "}
      <button type="button" className={styles.more} onClick={() => setWhole(true)}>
        {(value.length - TEXT_SHOWN).toLocaleString("en-US")} more characters
      </button>
    </span>
  );
}

function Tree({ value, depth }: { value: object; depth: number }) {
  const [open, setOpen] = useState(depth < OPEN_DEPTH);
  const list = Array.isArray(value);
  const members = Object.entries(value);
  const [left, right] = list ? ["[", "]"] : ["{", "}"];
  if (members.length === 0) return <span className={styles.nothing}>{left + right}</span>;
  const size = `${members.length} ${list ? "item" : "key"}${members.length === 1 ? "" : "s"}`;
  return (
    <span className={styles.tree}>
      <button type="button" aria-expanded={open} className={styles.fold} onClick={() => setOpen(!open)}>
        {open ? "▾" : "▸"} {left}
        {!open && `… ${right}`} <span className={styles.size}>{size}</span>
      </button>
      {open && (
        <>
          <span className={styles.members}>
            {members.slice(0, MEMBERS_MAX).map(([key, member]) => (
              <span className={styles.member} key={key}>
                <span className={styles.key}>{key}</span>
                <Value depth={depth + 1} value={member} />
              </span>
            ))}
            {members.length > MEMBERS_MAX && (
              <span className={styles.nothing}>{members.length - MEMBERS_MAX} more, in the raw JSON</span>
            )}
          </span>
          <span className={styles.size}>{right}</span>
        </>
      )}
    </span>
  );
}
