import { useState } from "react";
import field from "./Breadcrumbs.module.css";
import styles from "./Packages.module.css";
import { Section } from "./Section";

/** The versions of what the application was built with. */
export function Packages({ packages }: { packages: [string, string][] }) {
  const [text, setText] = useState("");
  const needle = text.trim().toLowerCase();
  const shown = packages
    .filter(([name]) => name.toLowerCase().includes(needle))
    .toSorted(([a], [b]) => a.localeCompare(b));
  return (
    <Section folded size={packages.length} title="Packages">
      <input
        aria-label="Search packages"
        className={field.search}
        onChange={(change) => setText(change.target.value)}
        placeholder="Search packages"
        type="search"
        value={text}
      />
      <ul className={styles.list}>
        {shown.map(([name, version]) => (
          <li key={name}>
            <span>{name}</span> <span className={styles.version}>{version}</span>
          </li>
        ))}
      </ul>
    </Section>
  );
}
