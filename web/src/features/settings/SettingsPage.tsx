import type { ReactNode } from "react";
import styles from "./SettingsPage.module.css";

/** The frame of a settings page: title, a line about it, an action, parts. */
export function SettingsPage({
  title,
  lead,
  action,
  children,
}: {
  title: ReactNode;
  lead: ReactNode;
  action?: ReactNode;
  children: ReactNode;
}) {
  return (
    <div className={styles.page}>
      <header className={styles.header}>
        <div>
          <h1>{title}</h1>
          <p>{lead}</p>
        </div>
        {action}
      </header>
      {children}
    </div>
  );
}
