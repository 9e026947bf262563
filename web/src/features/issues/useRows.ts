import { useState } from "react";
import type { Issue } from "@/api/models";
import { useShortcuts } from "@/ui/shortcuts";

export interface Rows {
  /** The row the keys act on; its index, or -1. */
  at: number;
  setAt: (index: number) => void;
  selected: ReadonlySet<string>;
  toggle: (issue: Issue) => void;
  toggleAll: () => void;
  clear: () => void;
  /** What an action is for: the selected rows, else the one the keys are at. */
  chosen: Issue[];
}

/** Where the keyboard is in a list, and what is selected in it. */
export function useRows(issues: Issue[], open: (issue: Issue) => void): Rows {
  const [cursor, setCursor] = useState<string | null>(null);
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [lastIndex, setLastIndex] = useState(0);

  const found = issues.findIndex(({ id }) => id === cursor);
  // The row left the list (it was resolved, say): the keys stay at its place.
  const at = found !== -1 || cursor === null ? found : Math.min(lastIndex, issues.length - 1);
  const here = issues[at];

  const setAt = (index: number) => {
    const issue = issues[index];
    if (!issue) return;
    setCursor(issue.id);
    setLastIndex(index);
    const row = document.getElementById(`issue-${issue.id}`);
    row?.focus({ preventScroll: true });
    row?.scrollIntoView({ block: "nearest" });
  };
  const toggle = (issue: Issue) => {
    const next = new Set(selected);
    if (!next.delete(issue.id)) next.add(issue.id);
    setSelected(next);
  };
  const clear = () => setSelected(new Set());
  const shown = issues.filter(({ id }) => selected.has(id));

  const step = (by: number) => setAt(Math.max(0, Math.min(issues.length - 1, at + by)));
  useShortcuts("Issues", [
    { key: "j", label: "Next issue", run: () => step(1) },
    { key: "k", label: "Previous issue", run: () => (at === -1 ? setAt(0) : step(-1)) },
    { key: "Enter", label: "Open", run: () => here && open(here) },
    { key: "x", label: "Select", run: () => here && toggle(here) },
    { key: "Escape", label: "Clear the selection", run: clear },
  ]);

  return {
    at,
    setAt,
    selected,
    toggle,
    toggleAll: () => setSelected(shown.length === issues.length ? new Set() : new Set(issues.map(({ id }) => id))),
    clear,
    chosen: shown.length > 0 ? shown : here ? [here] : [],
  };
}
