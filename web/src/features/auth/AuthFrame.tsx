import type { ReactNode } from "react";
import { Mark } from "@/ui/Mark";
import styles from "./AuthFrame.module.css";

/** The page of somebody who is not signed in: the bird, one form. */
export function AuthFrame({ title, lead, children }: { title: string; lead?: ReactNode; children: ReactNode }) {
  return (
    <main className={styles.page}>
      <div className={styles.box}>
        <div className={styles.mark}>
          <Mark size={40} />
        </div>
        <h1>{title}</h1>
        {lead && <p className={styles.lead}>{lead}</p>}
        {children}
      </div>
    </main>
  );
}
