import type { ReactNode } from "react";
import styles from "./Page.module.css";

interface Props {
  title: ReactNode;
  /** A line about it. */
  lead: ReactNode;
  /** The way back, above the title. */
  above?: ReactNode;
  action?: ReactNode;
  /** For tables with many columns. */
  wide?: boolean;
  children: ReactNode;
}

/** The frame of a page: title, a line about it, an action, parts. */
export function Page({ title, lead, above, action, wide = false, children }: Props) {
  return (
    <div className={wide ? `${styles.page} ${styles.wide}` : styles.page}>
      <header className={styles.header}>
        <div>
          {above}
          <h1>{title}</h1>
          <div className={styles.lead}>{lead}</div>
        </div>
        {action}
      </header>
      {children}
    </div>
  );
}
