import { Dialog } from "@/ui/Dialog";
import { useActiveShortcuts } from "@/ui/shortcuts";
import styles from "./ShortcutSheet.module.css";

/** The keys that work on the page the reader came from, by screen. */
export function ShortcutSheet({ onClose }: { onClose: () => void }) {
  const active = useActiveShortcuts();
  const screens = new Map<string, { key: string; label: string }[]>();
  for (const { screen, shortcuts } of active) {
    screens.set(screen, [...(screens.get(screen) ?? []), ...shortcuts]);
  }
  const order = [...screens].sort(([a], [b]) => Number(a === "Everywhere") - Number(b === "Everywhere"));
  return (
    <Dialog onClose={onClose} title="Keyboard shortcuts" wide>
      <div className={styles.columns}>
        {order.map(([screen, shortcuts]) => (
          <section className={styles.screen} key={screen}>
            <h3>{screen}</h3>
            <dl>
              {shortcuts.map(({ key, label }) => (
                <div className={styles.row} key={key}>
                  <dt>{label}</dt>
                  <dd>
                    {key.split(/[ +]/).map((part, index) => (
                      <kbd key={index}>{part === "Escape" ? "Esc" : part}</kbd>
                    ))}
                  </dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}
