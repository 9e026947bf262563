import styles from "./KeyValues.module.css";
import { Value } from "./ValueTree";

/** Names and values in two aligned columns. */
export function KeyValues({ rows }: { rows: [string, unknown][] }) {
  return (
    <dl className={styles.list}>
      {rows.map(([key, value], index) => (
        <div className={styles.row} key={index}>
          <dt>{key}</dt>
          <dd>
            <Value value={value} />
          </dd>
        </div>
      ))}
    </dl>
  );
}
