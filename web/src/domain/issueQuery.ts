/** The views of the issue list. Each is a set of status tokens inside the query, so the URL alone says what is shown. */
export const VIEWS = [
  { id: "unresolved", name: "Unresolved", tokens: ["is:unresolved"] },
  { id: "review", name: "For review", tokens: ["is:unresolved", "is:for_review"] },
  { id: "archived", name: "Archived", tokens: ["is:archived"] },
  { id: "resolved", name: "Resolved", tokens: ["is:resolved"] },
  { id: "all", name: "All", tokens: [] },
] as const;

export type ViewId = (typeof VIEWS)[number]["id"];

/** What an absent `query` means (reference/web-api.md §2). */
export const DEFAULT_QUERY = "is:unresolved";

const STATUS_WORDS = new Set(["unresolved", "resolved", "ignored", "archived", "muted", "for_review"]);

/** Tokens split at blanks outside quotes and brackets, each as typed. */
export function tokens(query: string): string[] {
  return query.match(/(?:[^\s"[]|"(?:\\.|[^"\\])*"?|\[[^\]]*\]?)+/g) ?? [];
}

function isStatus(token: string): boolean {
  return token.startsWith("is:") && STATUS_WORDS.has(token.slice(3));
}

/** The view whose status tokens the query has exactly; `null` when it has a mix of its own. */
export function viewOf(query: string): ViewId | null {
  const status = tokens(query)
    .filter(isStatus)
    .map((token) => (token === "is:ignored" || token === "is:muted" ? "is:archived" : token))
    .sort();
  const found = VIEWS.find((view) => view.tokens.toSorted().join(" ") === status.join(" "));
  return found?.id ?? null;
}

/** The same search in another view: status tokens are exchanged, everything else stays. */
export function withView(query: string, id: ViewId): string {
  const view = VIEWS.find((candidate) => candidate.id === id);
  return [...(view?.tokens ?? []), ...tokens(query).filter((token) => !isStatus(token))].join(" ");
}

/** What narrows the view: all tokens but the status ones. */
export function filters(query: string): string[] {
  return tokens(query).filter((token) => !isStatus(token));
}

const KIND = /^issue\.(type|category):/;

/** The type or category that the query asks for, as its token; `null` for all. */
export function kindOf(query: string): string | null {
  return tokens(query).find((token) => KIND.test(token)) ?? null;
}

/** The same search for another type or category; `null` for all. */
export function withKind(query: string, kind: string | null): string {
  const rest = tokens(query).filter((token) => !KIND.test(token));
  return (kind === null ? rest : [...rest, kind]).join(" ");
}

export function without(query: string, token: string): string {
  return tokens(query)
    .filter((other) => other !== token)
    .join(" ");
}

/** Names that mean something else in a search than the tag that is called so (reference/web-api.md §2.1). */
const OTHERS = new RegExp(
  `^(${[
    "is|has|id|status|team|bookmarks|subscribed|assigned|assigned_to|assigned_or_suggested",
    "title|message|culprit|location|type|platform|platform\\.name|trace|stack|age|date|timestamp",
    "first[-_]?release|first_?seen|last_?seen|times_?seen|user_?count",
    "issue(\\..*)?|project(\\..*)?|(error|event|geo|http|release|sdk|stack)\\..*",
  ].join("|")})$`,
  "i",
);

/** A token that matches one tag value; blanks, quotes and stars in it are taken literally. A name that may mean
 * something else in a search, such as `team`, is written so that it means the tag. */
export function tagToken(key: string, value: string): string {
  const name = /^[\w.-]+$/.test(key) && !OTHERS.test(key) ? key : `tags[${key}]`;
  return `${name}:${quoted(value)}`;
}

/** A value as it is typed into a search. */
export function quoted(value: string): string {
  if (/^[\w./@+-]+$/.test(value)) return value;
  return `"${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("*", "\\*")}"`;
}
