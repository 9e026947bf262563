// Stands in for the server: the built pages and the part of the API that they call, from fixed data. It makes states that
// are hard to reach on purpose (empty, slow, failing), so that they can be looked at and tested.
//
//   node e2e/mock/server.mjs [port]
//   POST /mock/ {"scenario": "full" | "member" | "silent" | "bare" | "done" | "failing" | "slow" | "signed-out"}
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { attachments } from "./attachments.mjs";
import { event, eventRows, IDS } from "./events.mjs";
import * as data from "./fixtures.mjs";
import { letterAnswer, letters } from "./letters.mjs";
import { freshOptions, freshRequirements, optionsAnswer } from "./options.mjs";
import { outcomeStats } from "./outcomes.mjs";
import { keyAnswer, quotaAnswer } from "./quotas.mjs";
import { releaseDetail, releaseList, sessionStats } from "./releases.mjs";
import { traceAnswer } from "./traces.mjs";

const DIST = fileURLToPath(new URL("../../dist/", import.meta.url));
const TYPES = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
};
/** The policy of a real deployment: nothing from elsewhere, no inline script. */
const POLICY = "default-src 'self'; frame-ancestors 'none'";

function fresh(scenario) {
  return {
    scenario,
    issues: structuredClone(data.issues),
    tokens: structuredClone(data.tokens),
    types: structuredClone(data.issueTypes),
    letters: letters(),
    teams: structuredClone(data.teams),
    projectTokens: structuredClone(data.projectTokens),
    options: freshOptions(),
    required: freshRequirements(),
    keys: structuredClone(data.keys),
    quotas: scenario === "silent" ? { organization: [], project: [] } : structuredClone(data.quotas),
  };
}

/** Starts on a port (0: any free one); resolves to the address and a way to stop. */
export async function startMock(port = 0) {
  let state = fresh("full");
  const server = createServer(async (request, response) => {
    const url = new URL(request.url, "http://mock");
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = chunks.length > 0 ? JSON.parse(Buffer.concat(chunks).toString()) : null;
    if (url.pathname === "/mock/") {
      state = fresh(body.scenario);
      return send(response, 200, {});
    }
    if (url.pathname.startsWith("/api/0/")) return answer(state, request, url, body, response);
    const path = normalize(url.pathname);
    // A version in a path may have dots too.
    const isFile = extname(path) in TYPES;
    const content = await readFile(join(DIST, isFile ? path : "index.html")).catch(() => null);
    response.writeHead(content ? 200 : 404, {
      "Content-Type": TYPES[isFile ? extname(path) : ".html"] ?? "application/octet-stream",
      "Content-Security-Policy": POLICY,
    });
    response.end(content);
  });
  await new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${server.address().port}`, stop: () => server.close() };
}

function send(response, status, body, headers = {}) {
  response.writeHead(status, { "Content-Type": "application/json", ...headers });
  response.end(body === undefined ? "" : JSON.stringify(body));
}

function answer(state, request, url, body, response) {
  const { scenario } = state;
  const path = url.pathname.slice("/api/0".length);
  const key = `${request.method} ${path}`;
  const ok = (found, headers) =>
    found
      ? send(response, 200, found, headers)
      : send(response, 404, { detail: "The requested resource does not exist" });
  const projects =
    scenario === "bare" ? [] : scenario === "silent" ? [{ ...data.projects[0], firstEvent: null }] : data.projects;

  if (key === "POST /auth/login/") {
    if (body.password === "wrong") return send(response, 401, { detail: "The email or the password is wrong." });
    state.scenario = "full";
    return ok(data.user, { "Set-Cookie": "nuthatch_csrf=mock; Path=/; SameSite=Lax" });
  }
  if (key === "POST /auth/setup/") {
    state.scenario = "silent";
    return ok(data.user);
  }
  if (key === "POST /auth/logout/") {
    state.scenario = "signed-out";
    return send(response, 204);
  }
  if (scenario === "signed-out") return send(response, 401, { detail: "Sign in first." });
  if (path === "/auth/") return ok(data.user);
  if (key === "GET /organizations/") return ok(scenario === "member" ? data.asMember : data.organizations);
  if (path === "/organizations/acme/") {
    if (request.method === "PUT") Object.assign(state.required, body);
    return ok({ ...data.organizations[0], ...state.required });
  }
  if (path === "/organizations/acme/members/") return ok(data.members);
  if (key === "GET /organizations/acme/projects/") return ok(projects);
  if (key === "POST /organizations/acme/projects/")
    return send(response, 201, data.project("3", "shop-api", body.name, body.platform, null));
  if (path === "/api-tokens/") {
    if (request.method === "GET") return ok(state.tokens);
    const token = {
      id: "3",
      ...body,
      dateCreated: new Date(data.NOW).toISOString(),
      tokenLastCharacters: "9c41",
      token: `sntryu_${"5e1f".repeat(16)}`,
    };
    state.tokens.unshift({ ...token, token: undefined });
    return send(response, 201, token);
  }
  const token = /^\/api-tokens\/(\d+)\/$/.exec(path)?.[1];
  if (token) {
    state.tokens = state.tokens.filter(({ id }) => id !== token);
    return send(response, 204);
  }
  const letter = /^\/projects\/acme\/([\w-]+)\/dead-letters\/(.*)$/.exec(path);
  if (letter) return letterAnswer(state, letter[1], letter[2], request.method, url, send.bind(null, response));
  if (path === "/organizations/acme/stats_v2/") {
    if (scenario === "slow") return undefined;
    if (scenario === "failing") return send(response, 503, { detail: "temporarily unavailable" });
    return ok(outcomeStats(scenario, url));
  }
  const trace = /^\/organizations\/acme\/(events|trace-meta)\//.exec(path)?.[1];
  if (trace) return ok(traceAnswer(scenario, trace, url));
  if (path.startsWith("/organizations/acme/releases/")) {
    if (scenario === "slow") return undefined;
    if (scenario === "failing") return send(response, 503, { detail: "temporarily unavailable" });
    const version = decodeURIComponent(path.split("/")[4]);
    return ok(version === "" ? releaseList(scenario, url) : releaseDetail(version));
  }
  if (path === "/organizations/acme/sessions/") return ok(sessionStats());
  if (path === "/organizations/acme/environments/") return ok([{ id: "1", name: "production" }]);
  if (path.startsWith("/organizations/acme/issue-types/")) return issueTypeAnswer(state, request, path, body, response);
  if (/^\/(organizations|teams|projects)\/acme\/(.*\/)?teams\/|^\/teams\//.test(path))
    return teamAnswer(state, request, path, body, response);
  const projectToken = /^\/projects\/acme\/[\w-]+\/tokens\/(?:(\d+)\/)?$/.exec(path);
  if (projectToken) return tokenAnswer(state, request, projectToken[1], body, response);
  const quota = /^\/(organization|project)s\/acme\/(?:[\w-]+\/)?quotas\/(?:(\d+)\/)?$/.exec(path);
  if (quota) return quotaAnswer(state, quota[1], quota[2], request.method, body, send.bind(null, response));
  const clientKey = /^\/projects\/acme\/[\w-]+\/keys\/(?:(\w+)\/)?$/.exec(path);
  if (clientKey) return keyAnswer(state, clientKey[1], request.method, body, send.bind(null, response));
  const project = /^\/projects\/acme\/([\w-]+)\/$/.exec(path);
  if (project?.[1] === "shop-api")
    return optionsAnswer(state.options, data.projects[0], request.method, "", body, send.bind(null, response));
  const rule = /^\/projects\/acme\/shop-api\/((?:filters|scrubbing)\/.*)$/.exec(path);
  if (rule) return optionsAnswer(state.options, null, request.method, rule[1], body, send.bind(null, response));
  if (project) return ok(projects.find(({ slug }) => slug === project[1]));
  if (path === "/organizations/acme/issues-count/") {
    const queries = url.searchParams.getAll("query");
    return ok(Object.fromEntries(queries.map((query) => [query, select(state, query, url).length])));
  }
  if (path === "/organizations/acme/issues/") return issueList(state, request, url, body, response);
  const issue = /^\/organizations\/acme\/issues\/([\w-]+)\/(.*)$/.exec(path);
  if (issue) return issueAnswer(state, issue[1], issue[2], ok);
  const attachment = /^\/projects\/acme\/[\w-]+\/events\/(\w+)\/attachments\/(?:(\d+)\/)?$/.exec(path);
  if (attachment) return attachmentAnswer(attachment[1], attachment[2], url, response);
  if (/\/json\/$/.test(path)) return ok(event("1001", "latest"));
  return ok(null);
}

/** Files of the newest event; the others have none. */
function attachmentAnswer(eventId, id, url, response) {
  const files = eventId === IDS[2] ? attachments : [];
  if (id === undefined)
    return send(
      response,
      200,
      files.map(({ content, ...file }) => file),
    );
  const file = files.find((each) => each.id === id);
  if (!file) return send(response, 404, { detail: "attachment was not found" });
  if (!url.searchParams.has("download")) return send(response, 200, { ...file, content: undefined });
  response.writeHead(200, {
    "Content-Type": file.mimetype === "text/html" ? "application/octet-stream" : file.mimetype,
    "Content-Disposition": `attachment; filename="${file.name}"`,
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "X-Content-Type-Options": "nosniff",
  });
  response.end(file.content);
}

/** The tokens of a project. */
function tokenAnswer(state, request, id, body, response) {
  if (request.method === "GET") return send(response, 200, state.projectTokens);
  if (request.method === "DELETE") {
    state.projectTokens = state.projectTokens.filter((token) => token.id !== id);
    return send(response, 204);
  }
  const made = { ...data.projectTokens[0], id: "2", name: body.name, tokenLastCharacters: "9c41" };
  state.projectTokens.push(made);
  return send(response, 201, { ...made, token: `nutp_${"5e1f".repeat(16)}` });
}

/** Teams with their members and projects. */
function teamAnswer(state, request, path, body, response) {
  const shown = ({ memberIds, ...team }) => ({ ...team, memberCount: memberIds.length });
  const parts = path.split("/");
  const slug = parts[1] === "teams" ? parts[3] : parts.at(-2);
  const team = state.teams.find((each) => each.slug === slug);
  if (path === "/organizations/acme/teams/") {
    if (request.method === "GET") return send(response, 200, state.teams.map(shown));
    const made = {
      ...data.teams[0],
      id: "2",
      slug: body.name.toLowerCase(),
      name: body.name,
      projects: [],
      memberIds: ["1"],
    };
    state.teams.push(made);
    return send(response, 201, shown(made));
  }
  if (!team) return send(response, 404, { detail: "team was not found" });
  const gives = request.method === "POST";
  if (parts[1] === "organizations") {
    team.memberIds = team.memberIds.filter((id) => id !== parts[4]).concat(gives ? parts[4] : []);
  } else if (parts[1] === "projects") {
    const project = data.projects.find((each) => each.slug === parts[3]);
    team.projects = team.projects.filter((each) => each.slug !== project.slug).concat(gives ? project : []);
  } else if (path.endsWith("/members/")) {
    return send(
      response,
      200,
      data.members.filter(({ id }) => team.memberIds.includes(id)),
    );
  } else if (request.method === "DELETE") {
    state.teams = state.teams.filter((each) => each !== team);
    return send(response, 204);
  } else if (request.method === "PUT") {
    team.name = body.name;
  }
  return send(response, 200, shown(team));
}

/** Issue types as the server keeps them; it refuses a name that is empty and a slug that is taken. */
function issueTypeAnswer(state, request, path, body, response) {
  if (state.scenario === "slow") return undefined;
  if (state.scenario === "failing") return send(response, 503, { detail: "temporarily unavailable" });
  const slug = path.split("/")[4];
  const type = state.types.find((each) => each.slug === slug);
  const refusal = body?.name === "" ? { name: ["must have 1 to 100 characters"] } : {};
  if (body?.noise?.ignoreLimit === 0) refusal["noise.ignoreLimit"] = ["must be 1 to 1000000"];
  if (Object.keys(refusal).length > 0) return send(response, 400, { detail: "wrong", ...refusal });
  if (request.method === "GET") return send(response, 200, slug ? type : state.types);
  if (request.method === "POST") {
    if (state.types.some((each) => each.slug === body.slug))
      return send(response, 409, { detail: "this slug of an issue type is already taken" });
    const made = { ...data.issueTypes[0], ...body, type: 100_001, isBuiltIn: false };
    state.types.push(made);
    return send(response, 201, made);
  }
  if (request.method === "PUT") {
    Object.assign(type, body, { isOverridden: type.isBuiltIn });
    return send(response, 200, type);
  }
  if (!type.isBuiltIn) return send(response, 409, { detail: "the issue type is in use" });
  Object.assign(type, { ...data.issueTypes.find((each) => each.slug === slug), isOverridden: false });
  return send(response, 204);
}

const STATUS = { unresolved: "unresolved", resolved: "resolved", archived: "ignored" };

function issueList(state, request, url, body, response) {
  if (request.method === "PUT") {
    const ids = url.searchParams.getAll("id");
    for (const issue of state.issues.filter(({ id }) => ids.includes(id))) change(issue, body);
    return send(response, 200, body);
  }
  const { scenario } = state;
  if (scenario === "slow") return undefined;
  if (scenario === "failing")
    return send(response, 503, {
      detail: "The event store is starting. Try again in a few seconds.",
      requestId: "01JZ3F8W2K",
    });
  const query = url.searchParams.get("query") ?? "is:unresolved";
  if (/\bOR\b/.test(query))
    return send(response, 400, {
      detail: "OR is not supported in issue search: use a list, as in level:[error, fatal]",
    });
  const found = select(state, query, url);
  const limit = Number(url.searchParams.get("limit") ?? 100);
  const link = (rel, results) => `<http://mock/>; rel="${rel}"; results="${results}"; cursor="0:${limit}:0"`;
  send(response, 200, found.slice(0, limit), {
    Link: `${link("previous", false)}, ${link("next", found.length > limit)}`,
    "X-Hits": String(found.length),
  });
}

/** The issues that a search finds, as far as the tests search. */
function select({ scenario, issues }, query, url) {
  let found = scenario === "full" || scenario === "member" ? issues : [];
  const status = /is:(unresolved|resolved|archived)/.exec(query)?.[1];
  if (status) found = found.filter((issue) => issue.status === STATUS[status]);
  if (query.includes("is:for_review")) found = found.filter(({ substatus }) => substatus !== "ongoing");
  const words = query
    .replace(/\S+:\S+/g, "")
    .trim()
    .toLowerCase();
  found = found.filter(({ title, culprit }) => `${title} ${culprit}`.toLowerCase().includes(words));
  const [, kind, name] = /issue\.(type|category):(\w+)/.exec(query) ?? [];
  if (kind) found = found.filter((issue) => issue[kind === "type" ? "issueType" : "issueCategory"] === name);
  if (/(^| )(?!is:|issue\.)[\w.]+:/.test(query) && !query.includes("level:")) found = [];
  const chosen = url.searchParams.getAll("project");
  if (chosen.length > 0) found = found.filter((issue) => chosen.includes(issue.project.id));
  return found;
}

const SUBSTATUS = { resolved: null, ignored: "archived_until_escalating", unresolved: "ongoing" };

function change(issue, { status, substatus, statusDetails = {}, assignedTo }) {
  if (status) Object.assign(issue, { status, substatus: substatus ?? SUBSTATUS[status], statusDetails });
  if (assignedTo === undefined) return;
  const member = data.members.find(({ id }) => `user:${id}` === assignedTo);
  const team = data.teams.find(({ id }) => `team:${id}` === assignedTo);
  issue.assignedTo = null;
  if (member) issue.assignedTo = { type: "user", id: member.id, name: member.name, email: member.email };
  if (team) issue.assignedTo = { type: "team", id: team.id, name: team.name, email: null };
}

function issueAnswer(state, id, rest, ok) {
  const full = data.detail(id);
  if (!full) return ok(null);
  const now = state.issues.find((issue) => issue.id === full.id);
  const escalatesAbove = now?.substatus === "archived_until_escalating" ? 60 : null;
  if (rest === "") return ok({ ...full, ...now, escalatesAbove });
  if (rest === "tags/") return ok(data.tags);
  if (rest === "events/") return ok(eventRows(full.id));
  const name = /^events\/(\w+)\/$/.exec(rest)?.[1];
  return ok(name ? event(full.id, name) : null);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { url } = await startMock(Number(process.argv[2] ?? 8585));
  console.log(url);
}
