// Dead letters of the shop: what its clients got wrong.
import { NOW } from "./fixtures.mjs";

const MINUTE = 60_000;
const ago = (minutes) => new Date(NOW - minutes * MINUTE).toISOString();

const header = {
  project_id: 1,
  key_id: 1,
  event_id: "5b2d1f0e9c8a4b7d8e6f5a4b3c2d1e0f",
  item_type: "event",
  received: ago(12),
  client_ip: "203.0.113.7",
  client: "sentry.python/2.75.0",
  version: "7",
};

const deep = `{\n  "message": "checkout failed",\n  "extra": ${"[".repeat(200)}1${"]".repeat(200)}\n}`;

function letter(id, minutes, reason, message, place, payload, change = {}) {
  const size = payload.length > 0 ? payload.length + 210 : 0;
  return {
    id: String(id),
    eventID: header.event_id,
    reason,
    message,
    place,
    source: `ingest-events/0/${4_000 + id}`,
    dateCreated: ago(minutes),
    size,
    replayRequested: false,
    header,
    payload,
    encoding: "text",
    payloadSize: payload.length,
    truncated: false,
    ...change,
  };
}

/** Newest first. */
export function letters() {
  return [
    letter(
      5,
      4,
      "not_an_object",
      'expected an object, found a string: <b>"<img src=x onerror=window.broken=1>"</b>',
      "$",
      '"<script>window.broken=1</script><img src=x onerror=window.broken=1>"',
    ),
    letter(4, 12, "invalid_json", "expected value", "line 1 column 1", "level=error msg=checkout failed order=8812"),
    letter(3, 95, "too_deep", "JSON is nested deeper than 128 levels", "$.extra[0][0][0][0][0][0]", deep),
    letter(
      2,
      60 * 26,
      "invalid_json",
      "invalid UTF-8 at byte 0",
      "byte 0",
      "/wAQSkZJRgABAQAAAQABAAD/2wBDAAgGBgcGBQg=",
      {
        encoding: "base64",
      },
    ),
    letter(1, 60 * 70, "damaged_record", "checksum does not match", null, "", { header: null, eventID: null }),
  ];
}

export function letterAnswer(state, project, rest, method, url, send) {
  if (state.scenario === "slow") return undefined;
  if (state.scenario === "failing") return send(503, { detail: "The metadata is busy.", requestId: "01JZ3F8W2K" });
  const reason = url.searchParams.get("reason");
  const theirs = project === "shop-api" && state.scenario === "full" ? state.letters : [];
  const chosen = theirs.filter((each) => reason === null || each.reason === reason);
  if (rest === "reasons/") {
    const names = [...new Set(theirs.map((each) => each.reason))].sort();
    const countOf = (name) => theirs.filter((each) => each.reason === name).length;
    return send(
      200,
      names.map((name) => ({ reason: name, count: countOf(name) })),
    );
  }
  if (rest === "replay/") {
    for (const each of chosen) each.replayRequested = each.size > 0;
    return send(202, { count: chosen.length });
  }
  if (rest === "" && method === "DELETE") {
    state.letters = state.letters.filter((each) => !chosen.includes(each));
    return send(200, { count: chosen.length });
  }
  if (rest === "") return send(200, chosen, { Link: NO_PAGES });
  const [, id, replay] = /^(\d+)\/(replay\/)?$/.exec(rest) ?? [];
  const found = theirs.find((each) => each.id === id);
  if (!found) return send(404, { detail: "dead letter was not found" });
  if (replay) {
    found.replayRequested = true;
    return send(202);
  }
  if (method === "DELETE") {
    state.letters = state.letters.filter((each) => each !== found);
    return send(204);
  }
  return send(200, found);
}

const NO_PAGES = ["previous", "next"]
  .map((rel) => `<http://mock/>; rel="${rel}"; results="false"; cursor="0:1:0"`)
  .join(", ");
