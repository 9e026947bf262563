import { describe, expect, it } from "vitest";
import { ask, askAll, pageCursors } from "./client";

function link(previous: boolean, next: boolean): Headers {
  const one = (rel: string, results: boolean, cursor: string) =>
    `<https://a.example/api/0/x/?a=1,2&cursor=${cursor}>; rel="${rel}"; results="${results}"; cursor="${cursor}"`;
  return new Headers({ Link: `${one("previous", previous, "0:0:1")}, ${one("next", next, "0:50:0")}` });
}

describe("pageCursors", () => {
  it("gives a cursor only where there are results", () => {
    expect(pageCursors(link(false, true))).toEqual({ previous: null, next: "0:50:0" });
    expect(pageCursors(link(true, false))).toEqual({ previous: "0:0:1", next: null });
    expect(pageCursors(new Headers())).toEqual({ previous: null, next: null });
  });
});

describe("askAll", () => {
  it("goes on as long as there is a next page", async () => {
    const asked: (string | undefined)[] = [];
    const rows = await askAll((cursor) => {
      asked.push(cursor);
      const headers = link(cursor !== undefined, asked.length < 3);
      return Promise.resolve({ data: [asked.length], response: new Response(null, { headers }) });
    });
    expect(rows).toEqual([1, 2, 3]);
    expect(asked).toEqual([undefined, "0:50:0", "0:50:0"]);
  });
});

describe("ask", () => {
  const refuse = (status: number, error: unknown) =>
    ask(Promise.resolve({ error, response: new Response(null, { status }) }));

  it("tells what the server said, in any of its forms", async () => {
    await expect(refuse(400, { detail: "bad token" })).rejects.toMatchObject({ status: 400, message: "bad token" });
    await expect(refuse(400, { detail: { message: "moved" } })).rejects.toMatchObject({ message: "moved" });
    await expect(refuse(400, { email: ["is taken"] })).rejects.toMatchObject({ fields: { email: "is taken" } });
    await expect(refuse(502, "<html>")).rejects.toMatchObject({ message: "The server answered 502" });
    const internal = refuse(500, { detail: "internal error", requestId: "r1" });
    await expect(internal).rejects.toMatchObject({ message: "internal error", requestId: "r1", fields: {} });
  });

  it("says that the server can't be reached, but lets an abort be an abort", async () => {
    await expect(ask(Promise.reject(new TypeError("fetch failed")))).rejects.toMatchObject({ status: 0 });
    const abort = new DOMException("gone", "AbortError");
    await expect(ask(Promise.reject(abort))).rejects.toBe(abort);
  });
});
