import type { Event } from "@/domain/event";
import { highlights } from "@/domain/highlights";
import styles from "./Highlights.module.css";

/** What most often tells where to look, before anything else. */
export function Highlights({ event }: { event: Event }) {
  const facts = highlights(event);
  if (facts.length === 0) return null;
  return (
    <section aria-label="Highlights" className={styles.section}>
      <dl className={styles.facts}>
        {facts.map(([name, value]) => (
          <div className={styles.fact} key={name}>
            <dt>{name}</dt>
            <dd className={name === "Handled" && value === "No" ? styles.bad : undefined} data-tip={value}>
              {value}
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
