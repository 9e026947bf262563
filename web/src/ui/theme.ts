import { useSyncExternalStore } from "react";

export type Theme = "system" | "light" | "dark";

/** Read before the first paint by `public/theme.js`; the two must agree. */
const STORED = "nuthatch.theme";

const listeners = new Set<() => void>();

export function getTheme(): Theme {
  const theme = document.documentElement.dataset.theme;
  return theme === "light" || theme === "dark" ? theme : "system";
}

export function setTheme(theme: Theme) {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  try {
    if (theme === "system") localStorage.removeItem(STORED);
    else localStorage.setItem(STORED, theme);
  } catch {
    // Storage is off: the choice lasts as long as the page.
  }
  for (const listener of listeners) listener();
}

/** The theme that is not on the screen now. */
export function flipTheme() {
  const now = getTheme();
  const dark = now === "system" ? matchMedia("(prefers-color-scheme: dark)").matches : now === "dark";
  setTheme(dark ? "light" : "dark");
}

export function useTheme(): Theme {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, getTheme);
}
