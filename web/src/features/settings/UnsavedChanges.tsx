import { useBlocker } from "@tanstack/react-router";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import styles from "./SettingsPage.module.css";

/** Asks before what is not saved is lost: in the page when another one is gone to, by the browser when the window is
 * closed or loaded again. */
export function UnsavedChanges({ exist }: { exist: boolean }) {
  const leaving = useBlocker({
    shouldBlockFn: ({ current, next }) => exist && current.pathname !== next.pathname,
    enableBeforeUnload: exist,
    withResolver: true,
  });
  if (leaving.status !== "blocked") return null;
  return (
    <Dialog onClose={leaving.reset} title="Leave without saving?">
      <div className={styles.form}>
        <p>What you changed on this page is not saved, and lost when you leave.</p>
        <div className={styles.buttons}>
          <Button onClick={leaving.reset}>Stay</Button>
          <Button look="danger" onClick={leaving.proceed}>
            Leave without saving
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
