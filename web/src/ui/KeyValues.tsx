import type { ReactNode } from "react";
import styles from "./KeyValues.module.css";
import { Value } from "./ValueTree";

interface Props<T> {
  rows: [string, T][];
  /** Draws a value; without it, as any JSON value. */
  cell?: (value: T) => ReactNode;
}

/** Names and values in two aligned columns. */
export function KeyValues<T>({ rows, cell = (value) => <Value value={value} /> }: Props<T>) {
  return (
    <dl className={styles.list}>
      {rows.map(([key, value], index) => (
        <div className={styles.row} key={index}>
          <dt>{key}</dt>
          <dd>{cell(value)}</dd>
        </div>
      ))}
    </dl>
  );
}
