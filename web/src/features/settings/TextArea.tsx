import { useId } from "react";
import styles from "./SettingsPage.module.css";

interface Props {
  label: string;
  value: string;
  onChange: (value: string) => void;
  note: string;
  error?: string;
  rows?: number;
  isCode?: boolean;
  readOnly?: boolean;
}

/** A labelled text of several lines, with a note that a fault replaces. */
export function TextArea({ label, value, onChange, note, error, rows = 4, isCode = false, readOnly = false }: Props) {
  const id = useId();
  return (
    <div className={styles.label}>
      <label htmlFor={id}>{label}</label>
      <textarea
        aria-describedby={`${id}-note`}
        aria-invalid={error ? true : undefined}
        className={isCode ? `${styles.area} ${styles.code}` : styles.area}
        id={id}
        onChange={(event) => onChange(event.target.value)}
        readOnly={readOnly}
        rows={rows}
        spellCheck={false}
        value={value}
      />
      <p className={error ? `${styles.failure} ${styles.faults}` : styles.about} id={`${id}-note`}>
        {error ?? note}
      </p>
    </div>
  );
}
