// Client keys and quotas, as the server answers them.
import { keys, NOW, quotas } from "./fixtures.mjs";

const BYTES = ["attachment", "log_byte"];

/** The quotas of an organization or of a project. */
export function quotaAnswer(state, owner, id, method, body, send) {
  if (state.scenario === "slow") return undefined;
  if (state.scenario === "failing") return send(503, { detail: "temporarily unavailable" });
  const list = state.quotas[owner];
  if (method === "GET") return send(200, list);
  const index = list.findIndex((quota) => quota.id === id);
  if (method === "DELETE") {
    list.splice(index, 1);
    return send(204);
  }
  const mixed = new Set(body.categories.map((category) => BYTES.includes(category)));
  if (mixed.size > 1) {
    const categories = ["items, bytes and times cannot be counted together"];
    return send(400, { detail: "categories is wrong", categories });
  }
  const usage = body.limit === 0 ? null : { ...quotas.organization[0].usage, used: 0 };
  const quota = { ...body, id: id ?? "9", reasonCode: body.reasonCode ?? "org_quota", usage };
  if (id) list[index] = quota;
  else list.push(quota);
  return send(id ? 200 : 201, quota);
}

/** The client keys of a project. */
export function keyAnswer(state, id, method, body, send) {
  if (method === "GET") return send(200, state.keys);
  if (method === "DELETE") {
    state.keys = state.keys.filter((key) => key.id !== id);
    return send(204);
  }
  if (method === "POST") {
    const made = { ...keys[0], ...body, id: "5e1f".repeat(8), dateCreated: new Date(NOW).toISOString() };
    state.keys.push(made);
    return send(201, made);
  }
  if (body.rateLimit?.window === 0) {
    return send(400, {
      detail: "rateLimit.window is wrong",
      "rateLimit.window": ["expected seconds, from 1 to 2678400"],
    });
  }
  const key = state.keys.find((each) => each.id === id);
  Object.assign(key, body);
  return send(200, key);
}
