import { QueryClient } from "@tanstack/react-query";
import { describe, expect, it } from "vitest";
import type { Issue, IssueRequest } from "./models";
import { IssueUpdates } from "./useIssueUpdate";

const BEFORE = { id: "1", status: "unresolved", substatus: "new", statusDetails: {}, assignedTo: null } as Issue;
const ANN = { type: "user", id: "7", name: "Ann", email: null };
const RESOLVE = { body: { status: "resolved" }, patch: { status: "resolved", substatus: null, statusDetails: {} } };
const ARCHIVE = { body: { status: "ignored" }, patch: { status: "ignored", substatus: null, statusDetails: {} } };
const ASSIGN = { body: { assignedTo: "user:7" }, patch: { assignedTo: ANN } };

/** An issue on the screen, and a server that answers when the test says so. */
function page() {
  const client = new QueryClient();
  client.setQueryData(["issue", "acme", "1"], BEFORE);
  const requests: { body: IssueRequest; answer: () => void; refuse: () => void }[] = [];
  const updates = new IssueUpdates(client, "acme", (_, __, body) => {
    return new Promise((answer, refuse) => {
      requests.push({ body, answer, refuse: () => refuse(new Error("refused")) });
    });
  });
  const shown = () => client.getQueryData<Issue>(["issue", "acme", "1"]) as Issue;
  return { client, requests, updates, shown };
}

describe("changes of issues", () => {
  it("show at once, and one that is refused takes back only what it showed itself", async () => {
    const { requests, updates, shown } = page();
    const resolve = updates.change([BEFORE], RESOLVE);
    const assign = updates.change([shown()], ASSIGN);
    expect(shown()).toMatchObject({ status: "resolved", assignedTo: ANN });
    await Promise.resolve();
    requests[0]?.refuse();
    await expect(resolve.done).rejects.toThrow("refused");
    expect(shown()).toMatchObject({ status: "unresolved", substatus: "new", assignedTo: ANN });
    requests[1]?.answer();
    await assign.done;
    expect(shown()).toMatchObject({ status: "unresolved", assignedTo: ANN });
  });

  it("are told to the server one after the other, an undo too", async () => {
    const { requests, updates, shown } = page();
    const resolve = updates.change([BEFORE], RESOLVE);
    const undone = resolve.undo();
    expect(shown().status).toBe("unresolved");
    await Promise.resolve();
    expect(requests.map(({ body }) => body.status)).toEqual(["resolved"]);
    requests[0]?.answer();
    await resolve.done;
    expect(requests.map(({ body }) => body.status)).toEqual(["resolved", "unresolved"]);
    requests[1]?.answer();
    await undone;
    expect(shown().status).toBe("unresolved");
  });

  it("that are all refused lead back to the beginning", async () => {
    const { requests, updates, shown } = page();
    const resolve = updates.change([BEFORE], RESOLVE);
    const archive = updates.change([shown()], ARCHIVE);
    await Promise.resolve();
    requests[0]?.refuse();
    await expect(resolve.done).rejects.toThrow();
    expect(shown().status).toBe("ignored");
    requests[1]?.refuse();
    await expect(archive.done).rejects.toThrow();
    expect(shown()).toMatchObject({ status: "unresolved", substatus: "new" });
  });

  it("are not shown undone by an answer that was under way", async () => {
    const { client, requests, updates, shown } = page();
    let answer = (_: Issue) => {};
    const asked = new Promise<Issue>((resolve) => {
      answer = resolve;
    });
    const poll = client.fetchQuery({ queryKey: ["issue", "acme", "1"], queryFn: () => asked });
    const change = updates.change([BEFORE], RESOLVE);
    answer(BEFORE);
    await poll.catch(() => undefined);
    expect(shown().status).toBe("resolved");
    requests[0]?.answer();
    await change.done;
  });
});
