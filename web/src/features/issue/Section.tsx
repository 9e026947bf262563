import { type ReactNode, useId, useState } from "react";
import { Icon } from "@/ui/Icon";
import styles from "./Section.module.css";

interface Props {
  title: string;
  /** How many there are, beside the title. */
  size?: number;
  /** Controls at the right of the title. */
  tools?: ReactNode;
  folded?: boolean;
  children: ReactNode;
}

/** A part of the event under its title; folds away. */
export function Section({ title, size, tools, folded = false, children }: Props) {
  const [open, setOpen] = useState(!folded);
  const id = useId();
  return (
    <section aria-labelledby={id} className={styles.section}>
      <header className={styles.header}>
        <h2 id={id}>
          <button type="button" aria-expanded={open} className={styles.fold} onClick={() => setOpen(!open)}>
            <Icon name={open ? "chevronDown" : "chevronRight"} size={12} />
            {title}
            {size !== undefined && <span className={styles.size}>{size}</span>}
          </button>
        </h2>
        {open && tools && <div className={styles.tools}>{tools}</div>}
      </header>
      {open && children}
    </section>
  );
}
