import { queryOptions } from "@tanstack/react-query";
import { ask, GET } from "./client";

/** The files that came with an event: the newest hundred. */
export const eventAttachments = (org: string, project: string, event: string) =>
  queryOptions({
    queryKey: ["attachments", org, project, event],
    queryFn: async ({ signal }) => {
      const params = { path: { org, project, event_id: event } };
      return (await ask(GET("/api/0/projects/{org}/{project}/events/{event_id}/attachments/", { params, signal })))
        .data;
    },
    // Files may come after their event.
    staleTime: 15_000,
  });

/** The text of an attachment, to be shown as text. */
export const attachmentText = (org: string, project: string, event: string, attachment: string) =>
  queryOptions({
    queryKey: ["attachments", org, project, event, attachment],
    queryFn: async ({ signal }) => {
      const params = { path: { org, project, event_id: event, attachment }, query: { download: "1" } };
      const path = "/api/0/projects/{org}/{project}/events/{event_id}/attachments/{attachment}/";
      return (await ask(GET(path, { params, signal, parseAs: "text" }))).data as string;
    },
    staleTime: Number.POSITIVE_INFINITY,
  });

/** The bytes of an attachment, for the browser to save or to show as a picture. */
export function attachmentPath(org: string, project: string, event: string, attachment: string): string {
  const [o, p, e, a] = [org, project, event, attachment].map(encodeURIComponent);
  return `/api/0/projects/${o}/${p}/events/${e}/attachments/${a}/?download=1`;
}
