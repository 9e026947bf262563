import type { Exception } from "./event";

export interface ChainLink {
  exception: Exception;
  /** Position in the chain as sent, stable for anchors. */
  index: number;
  /** In words, how this one stands to the one shown above it; `null` for what was raised. */
  relation: string | null;
}

/** Most links drawn; a group of exceptions can hold hundreds. */
const LINKS_MAX = 50;

/** The chain as people read it: what was raised first, its causes below. */
export function readingOrder(exceptions: Exception[]): ChainLink[] {
  return exceptions
    .map((exception, index) => ({ exception, index, relation: relation(exceptions, index) }))
    .reverse()
    .slice(0, LINKS_MAX);
}

function relation(exceptions: Exception[], index: number): string | null {
  if (index === exceptions.length - 1) return null;
  const mechanism = exceptions[index]?.mechanism;
  const parent = exceptions.find(
    ({ mechanism: other }) => other !== null && other.exceptionId !== null && other.exceptionId === mechanism?.parentId,
  );
  if (parent?.mechanism?.isGroup) return `part of ${parent.type ?? "the group"}`;
  if (mechanism?.source === "__context__") return "raised while handling";
  return "caused by";
}

/** The link whose stack opens: the first in reading order that has one. */
export function linkToOpen(links: ChainLink[]): number | null {
  return links.find((link) => link.exception.frames !== null)?.index ?? null;
}
