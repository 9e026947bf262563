import type { Request } from "./event";

/** Headers that curl sets by itself, or that would make it wait for a body of another length. */
const OWN_HEADERS = new Set(["host", "content-length", "connection", "transfer-encoding"]);

/** The request as a command line. Redacted values stay as they were sent: `[Filtered]`. */
export function asCurl(request: Request): string {
  const parts = ["curl"];
  const method = request.method ?? "GET";
  const body =
    request.body === null ? null : typeof request.body === "string" ? request.body : JSON.stringify(request.body);
  if (method !== "GET" && !(method === "POST" && body !== null)) parts.push(`-X ${quote(method)}`);
  for (const [name, value] of request.headers) {
    if (!OWN_HEADERS.has(name.toLowerCase())) parts.push(`-H ${quote(`${name}: ${value}`)}`);
  }
  const sendsCookies = request.headers.some(([name]) => name.toLowerCase() === "cookie");
  if (request.cookies.length > 0 && !sendsCookies) {
    parts.push(`-b ${quote(request.cookies.map(([name, value]) => `${name}=${value}`).join("; "))}`);
  }
  if (body !== null) parts.push(`--data-raw ${quote(body)}`);
  parts.push(quote(fullUrl(request)));
  return parts.join(" \\\n  ");
}

/** The address with its query, whichever of the two places the client put it in. */
export function fullUrl(request: Request): string {
  const url = request.url ?? "";
  if (request.query.length === 0 || url.includes("?")) return url;
  return `${url}?${new URLSearchParams(request.query)}`;
}

/** For a POSIX shell: nothing inside single quotes is read, so only the quote itself needs care. */
function quote(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
