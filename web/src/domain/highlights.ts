import type { Event } from "./event";
import { asText } from "./json";

/** The few facts that most often tell where to look, for events of any platform; absent ones are left out. */
export function highlights(event: Event): [string, string][] {
  const tag = (key: string) => event.tags.find((candidate) => candidate.key === key)?.value ?? null;
  const context = (name: string) => event.contexts.find(([key]) => key === name)?.[1];
  const versioned = (name: string) => {
    const found = context(name);
    const text = [asText(found?.name), asText(found?.version)].filter((part) => part !== null).join(" ");
    return text === "" ? null : text;
  };
  const handled = event.exceptions.findLast(({ mechanism }) => mechanism?.handled != null)?.mechanism?.handled;
  const facts: [string, string | null][] = [
    ["Handled", handled === undefined || handled === null ? null : handled ? "Yes" : "No"],
    ["Level", event.level],
    ["Environment", tag("environment")],
    ["Release", event.release],
    ["Transaction", tag("transaction")],
    ["URL", event.request?.url ?? tag("url")],
    ["User", userName(event)],
    ["Browser", versioned("browser") ?? tag("browser")],
    ["System", versioned("client_os") ?? versioned("os")],
    ["Runtime", versioned("runtime")],
    ["Device", asText(context("device")?.model) ?? asText(context("device")?.name)],
    ["Server", tag("server_name")],
    ["Trace", asText(context("trace")?.trace_id)],
  ];
  return facts.flatMap(([name, value]): [string, string][] => (value === null ? [] : [[name, value]]));
}

export function userName(event: Event): string | null {
  const user = event.user ?? {};
  return asText(user.email) ?? asText(user.username) ?? asText(user.name) ?? asText(user.id) ?? asText(user.ip_address);
}
