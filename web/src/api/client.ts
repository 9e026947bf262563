import createClient from "openapi-fetch";
import type { paths } from "./schema";

/** What the server answered when it did not do what was asked. */
export class ApiError extends Error {
  override name = "ApiError";

  constructor(
    /** The HTTP status, or 0 when no answer came. */
    readonly status: number,
    message: string,
    /** Messages per form field, when the server names fields. */
    readonly fields: Record<string, string> = {},
    /** The server's name for this request, to find it in the log. */
    readonly requestId: string | null = null,
  ) {
    super(message);
  }
}

const client = createClient<paths>({
  credentials: "same-origin",
  headers: { Accept: "application/json" },
});

/** The session's proof against requests forged by other sites: the readable cookie, repeated in a header. */
client.use({
  onRequest({ request }) {
    if (request.method === "GET" || request.method === "HEAD") return;
    const token = /(?:^|;\s*)nuthatch_csrf=([^;]*)/.exec(document.cookie)?.[1];
    if (token !== undefined) request.headers.set("X-CSRF-Token", decodeURIComponent(token));
  },
});

export const { GET, POST, PUT, DELETE } = client;

/** Unwraps an answer: its data and headers, or an `ApiError` thrown. */
export async function ask<T>(
  call: Promise<{ data?: T; error?: unknown; response: Response }>,
): Promise<{ data: T; headers: Headers }> {
  const answer = await call.catch((cause: unknown) => {
    if (cause instanceof DOMException && cause.name === "AbortError") throw cause;
    throw new ApiError(0, "The server can't be reached. Check that it is running and that you are online.");
  });
  if (!answer.response.ok) throw toError(answer.response, answer.error);
  return { data: answer.data as T, headers: answer.response.headers };
}

function toError(response: Response, body: unknown): ApiError {
  const fallback = `The server answered ${response.status} ${response.statusText}`.trim();
  if (typeof body !== "object" || body === null) return new ApiError(response.status, fallback);
  const { detail, requestId, ...rest } = body as Record<string, unknown>;
  const message = typeof detail === "string" ? detail : (detail as { message?: unknown } | undefined)?.message;
  const fields = Object.fromEntries(
    Object.entries(rest).flatMap(([field, value]) => {
      const first = Array.isArray(value) ? value[0] : value;
      return typeof first === "string" ? [[field, first]] : [];
    }),
  );
  const words = typeof message === "string" ? message : fallback;
  return new ApiError(response.status, words, fields, typeof requestId === "string" ? requestId : null);
}

/** Most pages of a list that is shown whole. */
const PAGES_MAX = 50;

/** All rows of a list: page after page, as long as there is a next one. */
export async function askAll<T>(
  page: (cursor: string | undefined) => Promise<{ data?: T[]; error?: unknown; response: Response }>,
): Promise<T[]> {
  const rows: T[] = [];
  let cursor: string | undefined;
  for (let asked = 0; asked < PAGES_MAX; asked += 1) {
    const { data, headers } = await ask(page(cursor));
    rows.push(...data);
    cursor = pageCursors(headers).next ?? undefined;
    if (cursor === undefined) break;
  }
  return rows;
}

/** Cursors of the neighbouring pages; `null` where there is none (reference/web-api.md §1.3). */
export function pageCursors(headers: Headers): { previous: string | null; next: string | null } {
  const cursors = { previous: null as string | null, next: null as string | null };
  for (const link of (headers.get("Link") ?? "").split(/,\s*(?=<)/)) {
    const attribute = (name: string) => new RegExp(`${name}="([^"]*)"`).exec(link)?.[1];
    const rel = attribute("rel");
    if ((rel === "previous" || rel === "next") && attribute("results") === "true") {
      cursors[rel] = attribute("cursor") ?? null;
    }
  }
  return cursors;
}
