import styles from "./Releases.module.css";

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
