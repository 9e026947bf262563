import { CopyButton } from "@/ui/CopyButton";
import styles from "./SettingsPage.module.css";

/** A token that was just made, which nobody sees again. */
export function Secret({ token }: { token: string }) {
  return (
    <section aria-label="New token" className={styles.secret}>
      <strong>Copy the token now: it is not shown again.</strong>
      <div className={styles.secretRow}>
        <code>{token}</code>
        <CopyButton label="Copy token" text={token} withWords />
      </div>
    </section>
  );
}
