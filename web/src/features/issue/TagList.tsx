import { Link } from "@tanstack/react-router";
import { tagToken } from "@/domain/issueQuery";
import { Section } from "./Section";
import styles from "./TagList.module.css";

/** The event's tags; each leads to all issues that have it. */
export function TagList({ org, tags }: { org: string; tags: { key: string; value: string }[] }) {
  return (
    <Section size={tags.length} title="Tags">
      <ul className={styles.tags}>
        {tags.map(({ key, value }) => (
          <li className={styles.tag} key={key}>
            <span className={styles.key}>{key}</span>
            <Link
              className={styles.value}
              data-tip={`Issues with ${key} ${value}`}
              params={{ org }}
              search={{ query: tagToken(key, value) }}
              to="/organizations/$org/issues/"
            >
              {value === "" ? "empty" : value}
            </Link>
          </li>
        ))}
      </ul>
    </Section>
  );
}
