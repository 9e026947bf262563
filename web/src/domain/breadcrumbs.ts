import type { Breadcrumb } from "./event";

export type BreadcrumbKind = "navigation" | "http" | "query" | "user" | "error" | "debug" | "log";

/** What a breadcrumb is about: clients name it by `type`, by `category`, or by both. */
export function kindOf(crumb: Breadcrumb): BreadcrumbKind {
  const category = crumb.category ?? "";
  if (crumb.type === "error" || crumb.level === "error" || crumb.level === "fatal" || category === "exception")
    return "error";
  if (crumb.type === "navigation" || category === "navigation") return "navigation";
  if (crumb.type === "http" || /^(xhr|fetch|http|httplib)/.test(category)) return "http";
  if (crumb.type === "query" || /^(query|db|sql|redis)/.test(category)) return "query";
  if (crumb.type === "user" || /^(ui|user|touch)/.test(category)) return "user";
  if (crumb.type === "debug" || crumb.level === "debug") return "debug";
  return "log";
}

/** The line to show: the message, or what an HTTP or navigation breadcrumb says in its data. */
export function summary(crumb: Breadcrumb): string {
  if (crumb.message !== null) return crumb.message;
  const data = crumb.data ?? {};
  const text = (key: string) =>
    typeof data[key] === "string" || typeof data[key] === "number" ? String(data[key]) : "";
  if (kindOf(crumb) === "navigation" && text("to") !== "") return `${text("from")} → ${text("to")}`;
  const request = [text("method"), text("url"), text("status_code") && `[${text("status_code")}]`];
  return request.filter((part) => part !== "").join(" ");
}

/** Breadcrumbs that are of one of the chosen kinds (none chosen: all) and hold the text, newest last as sent. */
export function filterBreadcrumbs(crumbs: Breadcrumb[], kinds: ReadonlySet<string>, text: string): Breadcrumb[] {
  const needle = text.trim().toLowerCase();
  return crumbs.filter((crumb) => {
    if (kinds.size > 0 && !kinds.has(kindOf(crumb))) return false;
    if (needle === "") return true;
    return `${crumb.category ?? ""} ${summary(crumb)} ${JSON.stringify(crumb.data ?? "")}`
      .toLowerCase()
      .includes(needle);
  });
}
