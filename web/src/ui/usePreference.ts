import { useCallback, useSyncExternalStore } from "react";

const chosen = new Map<string, string>();
const listeners = new Set<() => void>();

function read(name: string): string | null {
  const now = chosen.get(name);
  if (now !== undefined) return now;
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

/** A choice of the reader, kept in this browser and one for the whole page. Only the given values are ever read back. */
export function usePreference<T extends string>(name: string, values: readonly [T, ...T[]]): [T, (value: T) => void] {
  const key = `nuthatch.${name}`;
  const kept = useSyncExternalStore(subscribe, () => read(key));
  const choose = useCallback(
    (value: T) => {
      chosen.set(key, value);
      try {
        localStorage.setItem(key, value);
      } catch {
        // Storage is off: the choice lasts as long as the page.
      }
      for (const listener of listeners) listener();
    },
    [key],
  );
  return [values.find((value) => value === kept) ?? values[0], choose];
}

function subscribe(listener: () => void) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
