import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import styles from "./SettingsPage.module.css";

interface Props {
  /** What goes, as in "Discard letter 7". */
  subject: string;
  /** What the button says. */
  verb: string;
  onClose: () => void;
  onConfirm: () => void;
}

/** Asks before letters go for good. */
export function ConfirmDiscard({ subject, verb, onClose, onConfirm }: Props) {
  return (
    <Dialog onClose={onClose} title={`Discard ${subject}?`}>
      <div className={styles.form}>
        <p>What was sent is then lost: it becomes no event. This can't be undone.</p>
        <div className={styles.buttons}>
          <Button onClick={onClose}>Keep</Button>
          <Button
            look="danger"
            onClick={() => {
              onConfirm();
              onClose();
            }}
          >
            {verb}
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
