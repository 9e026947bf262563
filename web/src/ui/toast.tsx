import { useSyncExternalStore } from "react";
import { IconButton } from "./Button";
import { Icon } from "./Icon";
import { useShortcuts } from "./shortcuts";
import styles from "./toast.module.css";

interface Toast {
  id: number;
  text: string;
  look: "done" | "failed";
  undo?: () => void;
}

const SHOWN_MS = 7_000;
const TOASTS_MAX = 3;

let toasts: Toast[] = [];
let nextId = 1;
const listeners = new Set<() => void>();

function set(next: Toast[]) {
  toasts = next;
  for (const listener of listeners) listener();
}

function dismiss(id: number) {
  set(toasts.filter((toast) => toast.id !== id));
}

/** Says what was done. */
export function notify(text: string) {
  show({ id: nextId++, text, look: "done" });
}

/** Says what could not be done. */
export function notifyFailure(text: string, error?: unknown) {
  show({ id: nextId++, text: error instanceof Error ? `${text} ${error.message}` : text, look: "failed" });
}

interface Action {
  done: Promise<unknown>;
  undo: () => Promise<unknown>;
}

/** Says that something is done, before the server has confirmed it, with a way back; takes it back when it failed. */
export function notifyAction(text: string, action: Action) {
  const id = nextId++;
  const undo = () => action.undo().catch((error) => notifyFailure("It could not be undone.", error));
  show({ id, text, look: "done", undo });
  action.done.catch((error) => {
    dismiss(id);
    notifyFailure("The change was not saved.", error);
  });
}

function show(toast: Toast) {
  set([...toasts, toast].slice(-TOASTS_MAX));
  window.setTimeout(() => dismiss(toast.id), SHOWN_MS);
}

function subscribe(listener: () => void) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function ToastLayer() {
  const shown = useSyncExternalStore(subscribe, () => toasts);
  const undoable = shown.findLast((toast) => toast.undo);
  const undo = (toast: Toast) => {
    dismiss(toast.id);
    toast.undo?.();
  };
  useShortcuts("Everywhere", [{ key: "z", label: "Undo the last action", run: () => undoable && undo(undoable) }]);
  return (
    <section aria-label="Messages" aria-live="polite" className={styles.layer}>
      {shown.map((toast) => (
        <div className={styles.toast} key={toast.id} role="status">
          <Icon className={styles[toast.look]} name={toast.look === "done" ? "check" : "alert"} />
          <span className={styles.text}>{toast.text}</span>
          {toast.undo && (
            <button type="button" className={styles.undo} onClick={() => undo(toast)}>
              Undo <kbd>z</kbd>
            </button>
          )}
          <IconButton icon="close" label="Dismiss" onClick={() => dismiss(toast.id)} />
        </div>
      ))}
    </section>
  );
}
