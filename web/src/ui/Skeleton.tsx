import styles from "./Skeleton.module.css";

/** A place that will hold something of this size. */
export function Skeleton({ width = "100%", height = 13 }: { width?: number | string; height?: number | string }) {
  return <span aria-hidden="true" className={styles.skeleton} style={{ width, height }} />;
}
