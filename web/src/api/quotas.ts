import { queryOptions } from "@tanstack/react-query";
import { ask, DELETE, GET, POST, PUT } from "./client";
import type { QuotaRequest } from "./models";

/** What quotas belong to: an organization, or a project of it. */
export interface QuotaOwner {
  org: string;
  project: string | null;
}

/** Usage changes with every request that SDKs make. */
const USAGE_FRESH_MS = 10_000;

export const quotas = ({ org, project }: QuotaOwner) =>
  queryOptions({
    queryKey: ["quotas", org, project],
    staleTime: USAGE_FRESH_MS,
    refetchInterval: USAGE_FRESH_MS,
    queryFn: async ({ signal }) => {
      if (project === null)
        return (await ask(GET("/api/0/organizations/{org}/quotas/", { params: { path: { org } }, signal }))).data;
      const params = { path: { org, project } };
      return (await ask(GET("/api/0/projects/{org}/{project}/quotas/", { params, signal }))).data;
    },
  });

/** Adds a quota, or writes the one of an id. */
export async function saveQuota({ org, project }: QuotaOwner, id: string | null, body: QuotaRequest) {
  if (project === null) {
    if (id === null)
      return (await ask(POST("/api/0/organizations/{org}/quotas/", { params: { path: { org } }, body }))).data;
    return (await ask(PUT("/api/0/organizations/{org}/quotas/{id}/", { params: { path: { org, id } }, body }))).data;
  }
  if (id === null)
    return (await ask(POST("/api/0/projects/{org}/{project}/quotas/", { params: { path: { org, project } }, body })))
      .data;
  const params = { path: { org, project, id } };
  return (await ask(PUT("/api/0/projects/{org}/{project}/quotas/{id}/", { params, body }))).data;
}

export async function deleteQuota({ org, project }: QuotaOwner, id: string): Promise<void> {
  if (project === null) {
    await ask(DELETE("/api/0/organizations/{org}/quotas/{id}/", { params: { path: { org, id } } }));
  } else {
    await ask(DELETE("/api/0/projects/{org}/{project}/quotas/{id}/", { params: { path: { org, project, id } } }));
  }
}
