// What is done to a project's events, as the server answers it.

export function freshOptions() {
  return {
    detail: {
      dataScrubber: true,
      dataScrubberDefaults: true,
      scrubIPAddresses: false,
      sensitiveFields: [],
      safeFields: [],
      relayPiiConfig: null,
      allowedDomains: ["*"],
      options: {
        "filters:blacklisted_ips": "",
        "filters:releases": "",
        "filters:error_messages": "",
        "filters:custom": [],
      },
    },
    filters: [
      { id: "browser-extensions", active: false },
      { id: "localhost", active: false },
      { id: "filtered-transaction", active: true },
      { id: "web-crawlers", active: false },
      { id: "react-hydration-errors", active: true },
      { id: "chunk-load-error", active: true },
      { id: "legacy-browsers", active: ["ie9"] },
    ],
  };
}

/** What the organization requires of its projects: nothing. */
export function freshRequirements() {
  return {
    dataScrubber: false,
    dataScrubberDefaults: false,
    scrubIPAddresses: false,
    sensitiveFields: [],
    safeFields: [],
    relayPiiConfig: null,
  };
}

/** Answers for the project, its filters and the preview; refuses the type `$foo` as the server would. */
export function optionsAnswer(options, project, method, rest, body, send) {
  if (body?.relayPiiConfig?.includes("$foo"))
    return send(400, { detail: "wrong", "relayPiiConfig.applications.$foo": ["expected a type at character 1"] });
  if (rest === "scrubbing/preview/")
    return send(200, {
      changes: [
        { path: "extra.password", rule: "@password:filter", kind: "s", before: "hunter2", after: "[Filtered]" },
        { path: "user.ip_address", rule: "@anything:remove", kind: "x", before: "203.0.113.7", after: null },
      ],
      count: 2,
      filtered: "web-crawlers",
      event: {},
    });
  if (rest === "filters/") return send(200, options.filters);
  if (rest.startsWith("filters/")) {
    const filter = options.filters.find(({ id }) => id === rest.split("/")[1]);
    filter.active = body.subfilters ?? body.active;
    return send(204);
  }
  const unreadable = (body?.options?.["filters:blacklisted_ips"] ?? "")
    .split("\n")
    .filter((line) => line.trim() !== "");
  const wrong = unreadable.flatMap((line, index) =>
    /^[\d./:]+$/.test(line) ? [] : [[`options.filters:blacklisted_ips.${index}`, ["expected an address or a network"]]],
  );
  if (wrong.length > 0)
    return send(400, { detail: "options.filters:blacklisted_ips is wrong", ...Object.fromEntries(wrong) });
  const bad = body?.allowedDomains?.findIndex((domain) => domain.includes(" ")) ?? -1;
  if (bad >= 0)
    return send(400, { detail: "allowedDomains is wrong", [`allowedDomains.${bad}`]: ["a host has no spaces"] });
  if (method === "PUT")
    Object.assign(options.detail, { ...body, options: { ...options.detail.options, ...body.options } });
  return send(200, { ...project, ...options.detail });
}
