import type { ButtonHTMLAttributes, ReactNode } from "react";
import styles from "./Button.module.css";
import { Icon, type IconName } from "./Icon";

type Look = "primary" | "plain" | "ghost" | "danger";

interface Props extends ButtonHTMLAttributes<HTMLButtonElement> {
  look?: Look;
  icon?: IconName;
  /** Shown in the tooltip beside the name. */
  shortcut?: string;
  busy?: boolean;
  children: ReactNode;
}

/** A button with its words on it. While busy it stays in place and takes no second press. */
export function Button({ look = "plain", icon, shortcut, busy = false, children, className, ...rest }: Props) {
  return (
    <button
      type="button"
      aria-busy={busy || undefined}
      aria-keyshortcuts={shortcut}
      data-tip={shortcut && typeof children === "string" ? children : undefined}
      data-key={shortcut}
      {...rest}
      className={[styles.button, styles[look], className].filter(Boolean).join(" ")}
      disabled={rest.disabled || busy}
    >
      {icon && <Icon name={icon} size={14} />}
      {children}
    </button>
  );
}

interface IconProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  icon: IconName;
  /** Names the button for everyone: tooltip and accessible name. */
  label: string;
  shortcut?: string;
}

export function IconButton({ icon, label, shortcut, className, ...rest }: IconProps) {
  return (
    <button
      type="button"
      aria-keyshortcuts={shortcut}
      aria-label={label}
      data-key={shortcut}
      data-tip={label}
      {...rest}
      className={[styles.button, styles.ghost, styles.square, className].filter(Boolean).join(" ")}
    >
      <Icon name={icon} />
    </button>
  );
}

/** For links that look like buttons. */
export function buttonClass(look: Look): string {
  return `${styles.button} ${styles[look]}`;
}
