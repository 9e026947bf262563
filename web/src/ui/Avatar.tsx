import styles from "./Avatar.module.css";

/** Initials of a person; the whole name in the tooltip. */
export function Avatar({ name, size = 22 }: { name: string; size?: number }) {
  const words = name.split(/[\s._@-]+/).filter((word) => word !== "");
  const initials = words.slice(0, 2).map((word) => [...word][0]?.toUpperCase() ?? "");
  return (
    <span
      aria-label={name}
      className={styles.avatar}
      data-tip={name}
      role="img"
      style={{ width: size, height: size, fontSize: size * 0.42 }}
    >
      {initials.join("") || "?"}
    </span>
  );
}

export function NoAvatar({ size = 22 }: { size?: number }) {
  return (
    <span
      aria-label="Nobody assigned"
      className={styles.none}
      data-tip="Nobody assigned"
      role="img"
      style={{ width: size, height: size }}
    />
  );
}
