import type { ReactNode } from "react";
import styles from "./Table.module.css";

interface Column {
  name: string;
  /** Whether it holds numbers, which stand at the right. */
  number?: boolean;
  /** What its numbers mean. */
  tip?: string;
}

interface Props {
  label: string;
  columns: readonly Column[];
  /** Whether its rows become cards on a phone, their cells named by `Cell`. */
  cards?: boolean;
  /** Whether long words in its cells are broken, so that all columns stay in sight. */
  wrap?: boolean;
  /** The rows. */
  children: ReactNode;
}

/** A table with a head. What does not fit the window is scrolled sideways or, as cards, stacked. */
export function Table({ label, columns, cards = false, wrap = false, children }: Props) {
  const look = [styles.scroll, cards && styles.cards, wrap && styles.wrap].filter(Boolean).join(" ");
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a narrow window scrolls it sideways, also by keys.
    <section aria-label={label} className={look} tabIndex={0}>
      <table className={styles.table}>
        <thead>
          <tr>
            {columns.map(({ name, number, tip }) => (
              <th className={number ? styles.number : undefined} data-tip={tip} key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </section>
  );
}

/** A cell, with the name of its column where there is no head above it. */
export function Cell({ name, number = false, children }: { name?: string; number?: boolean; children: ReactNode }) {
  return (
    <td className={number ? styles.number : undefined} data-name={name}>
      {children}
    </td>
  );
}
