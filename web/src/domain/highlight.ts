export type TokenKind = "keyword" | "string" | "number" | "comment" | "name" | "plain";
export interface Token {
  kind: TokenKind;
  text: string;
}

const KEYWORDS = new Set(
  (
    "abstract and as assert async await begin break case catch class const continue def default defer del do elif else " +
    "elsif end ensure enum except export extends false finally fn for foreach from func function global go goto if impl " +
    "implements import in instanceof interface is lambda let loop match mod module mut namespace new nil None nonlocal " +
    "not null or package pass private protected pub public raise rescue return select self static struct super switch " +
    "then this throw throws trait True False true try type typeof undefined unless until use using val var void when " +
    "where while with yield"
  ).split(" "),
);

/** `#` starts a comment here, and not a colour, a private member or an attribute. */
const HASH_COMMENTS = new Set(["python", "ruby", "php", "elixir", "perl"]);

/** Lines longer than this (minified code) are left plain: colouring them helps nobody and costs time. */
const LINE_MAX = 2_000;

/**
 * Colours one line without knowing its neighbours: a frame's context is a cut-out, so a string or comment over several
 * lines can't be known anyway. Good enough for reading; never wrong about the text itself.
 */
export function highlight(line: string, platform: string | null): Token[] {
  if (line.length > LINE_MAX) return [{ kind: "plain", text: line }];
  const comment = HASH_COMMENTS.has(platform ?? "") ? "#.*" : "\\/\\/.*|\\/\\*.*?(?:\\*\\/|$)";
  const pattern = new RegExp(
    `(?<comment>${comment})|(?<string>[bfruBFRU]{0,2}"(?:\\\\.|[^"\\\\])*"?|[bfruBFRU]{0,2}'(?:\\\\.|[^'\\\\])*'?|\`(?:\\\\.|[^\`\\\\])*\`?)` +
      "|(?<number>\\b\\d[\\w.]*)|(?<word>[A-Za-z_$][\\w$]*)",
    "g",
  );
  const tokens: Token[] = [];
  let end = 0;
  for (const match of line.matchAll(pattern)) {
    if (match.index > end) tokens.push({ kind: "plain", text: line.slice(end, match.index) });
    end = match.index + match[0].length;
    tokens.push({ kind: kindOf(match, line[end]), text: match[0] });
  }
  if (end < line.length) tokens.push({ kind: "plain", text: line.slice(end) });
  return tokens;
}

function kindOf(match: RegExpExecArray, next: string | undefined): TokenKind {
  if (match.groups?.comment !== undefined) return "comment";
  if (match.groups?.string !== undefined) return "string";
  if (match.groups?.number !== undefined) return "number";
  if (KEYWORDS.has(match[0])) return "keyword";
  return next === "(" ? "name" : "plain";
}
