import { useEffect, useLayoutEffect, useRef, useSyncExternalStore } from "react";

export interface Shortcut {
  /** As `KeyboardEvent.key` names it; letters in lower case, `Shift+j` for capitals. Two letters: one after the other. */
  key: string;
  label: string;
  run: (event: KeyboardEvent) => void;
}

interface Group {
  screen: string;
  shortcuts: Shortcut[];
}

/** Time in which the second key of a pair must follow. */
const PAIR_MS = 1_000;

let groups: { current: Group }[] = [];
let snapshot: Group[] = [];
const listeners = new Set<() => void>();
let pending: { key: string; at: number } | null = null;

function change(next: typeof groups) {
  groups = next;
  snapshot = groups.map((group) => group.current);
  for (const listener of listeners) listener();
}

/** Keys that work while the component is on the screen; `?` lists them under the screen's name. */
export function useShortcuts(screen: string, shortcuts: Shortcut[]) {
  const group = useRef<Group>({ screen, shortcuts });
  useEffect(() => {
    group.current = { screen, shortcuts };
  });
  // Before the screen is painted: who sees it can use its keys.
  useLayoutEffect(() => {
    const mine = group;
    change([...groups, mine]);
    return () => change(groups.filter((other) => other !== mine));
  }, []);
}

/** All keys that work now. */
export function useActiveShortcuts(): Group[] {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => snapshot,
  );
}

function nameOf(event: KeyboardEvent): string {
  return event.shiftKey && /^[A-Z]$/.test(event.key) ? `Shift+${event.key.toLowerCase()}` : event.key;
}

/** Single keys are free only where nobody types and no window is open over the page. */
function isFree(event: KeyboardEvent): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || event.isComposing) return false;
  const target = event.target as HTMLElement;
  if (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)) {
    return target instanceof HTMLInputElement && target.type === "checkbox";
  }
  return document.querySelector("dialog[open]") === null;
}

/** Where Enter and Space already mean something. */
function isPressable(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest("button, a, summary, input") !== null;
}

document.addEventListener("keydown", (event) => {
  if (!isFree(event)) return;
  const key = nameOf(event);
  if ((key === "Enter" || key === " ") && isPressable(event.target)) return;
  const pair = pending && Date.now() - pending.at < PAIR_MS ? `${pending.key} ${key}` : null;
  pending = null;
  const all = groups.flatMap((group) => group.current.shortcuts);
  const find = (name: string) => all.findLast((shortcut) => shortcut.key === name);
  const found = (pair && find(pair)) || find(key);
  if (found) {
    event.preventDefault();
    found.run(event);
  } else if (all.some((shortcut) => shortcut.key.startsWith(`${key} `))) {
    pending = { key, at: Date.now() };
  }
});
