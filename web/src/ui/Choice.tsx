import type { ReactNode } from "react";
import styles from "./Choice.module.css";

/** What narrows the list below it: choices, and what else stands in their row. */
export function Choices({ children }: { children: ReactNode }) {
  return <div className={styles.choices}>{children}</div>;
}

interface Props {
  label: string;
  value: string | undefined;
  options: readonly { value: string; name: string }[];
  /** The name of choosing none; without it one is always chosen. */
  unset?: string;
  onChange: (value: string | undefined) => void;
}

/** One of several, with its name above it. What is chosen is listed even when it is not known. */
export function Choice({ label, value, options, unset, onChange }: Props) {
  const isKnown = value === undefined || options.some((option) => option.value === value);
  return (
    <label className={styles.choice}>
      {label}
      <select
        className={styles.control}
        onChange={(event) => onChange(event.target.value || undefined)}
        value={value ?? ""}
      >
        {unset !== undefined && <option value="">{unset}</option>}
        {!isKnown && <option value={value}>{value}</option>}
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.name}
          </option>
        ))}
      </select>
    </label>
  );
}

interface SearchProps {
  label: string;
  placeholder: string;
  value: string | undefined;
  onSearch: (text: string | undefined) => void;
}

/** Text to search for, with its name above it; taken on Enter. */
export function SearchChoice({ label, placeholder, value, onSearch }: SearchProps) {
  return (
    <form
      className={styles.form}
      onSubmit={(event) => {
        event.preventDefault();
        const text = new FormData(event.currentTarget).get("text");
        onSearch((typeof text === "string" && text.trim()) || undefined);
      }}
    >
      <label className={`${styles.choice} ${styles.search}`}>
        {label}
        <input
          className={styles.control}
          defaultValue={value ?? ""}
          key={value}
          name="text"
          placeholder={placeholder}
          type="search"
        />
      </label>
    </form>
  );
}
