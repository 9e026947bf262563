import { Mark } from "@/ui/Mark";
import styles from "./Pending.module.css";

/** Before anything is known, when that takes a moment. */
export function Pending() {
  return (
    <div aria-label="Loading" className={styles.pending} role="status">
      <Mark size={40} />
    </div>
  );
}
