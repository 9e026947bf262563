import { useSyncExternalStore } from "react";

const TICK_MS = 10_000;

let now = Date.now();
let timer: number | undefined;
const listeners = new Set<() => void>();

function subscribe(listener: () => void) {
  listeners.add(listener);
  timer ??= window.setInterval(() => {
    now = Date.now();
    for (const each of listeners) each();
  }, TICK_MS);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    window.clearInterval(timer);
    timer = undefined;
  };
}

/** The time in milliseconds, one clock for the whole page, so that all relative times turn at once. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => {
    // A page that shows no time has no ticking clock: catch up on the first look.
    if (timer === undefined && Date.now() - now > TICK_MS) now = Date.now();
    return now;
  });
}
