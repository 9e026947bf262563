import { queryOptions } from "@tanstack/react-query";
import { ask, GET, POST, PUT } from "./client";
import type {
  InboundFilterRequest,
  ProjectDetail,
  ProjectRequest,
  ScrubbingPreviewRequest,
  ScrubbingSettings,
} from "./models";

/** The filters of a project that can be switched. */
export const filters = (org: string, project: string) =>
  queryOptions({
    queryKey: ["filters", org, project],
    queryFn: async ({ signal }) =>
      (await ask(GET("/api/0/projects/{org}/{project}/filters/", { params: { path: { org, project } }, signal }))).data,
  });

export async function updateFilter(org: string, project: string, id: string, body: InboundFilterRequest) {
  const params = { path: { org, project, id } };
  await ask(PUT("/api/0/projects/{org}/{project}/filters/{id}/", { params, body }));
}

/** Changes what is done to a project's events. */
export async function updateOptions(org: string, project: string, body: ProjectRequest): Promise<ProjectDetail> {
  const params = { path: { org, project } };
  return (await ask(PUT("/api/0/projects/{org}/{project}/", { params, body }))).data;
}

/** An organization with what it requires of its projects. */
export const organizationOptions = (org: string) =>
  queryOptions({
    queryKey: ["organization", org],
    queryFn: async ({ signal }) =>
      (await ask(GET("/api/0/organizations/{org}/", { params: { path: { org } }, signal }))).data,
  });

/** Changes what an organization requires of its projects. */
export async function updateOrganizationOptions(org: string, body: Partial<ScrubbingSettings>) {
  return (await ask(PUT("/api/0/organizations/{org}/", { params: { path: { org } }, body }))).data;
}

/** What settings would take out of an event; stores nothing. */
export async function previewScrubbing(org: string, project: string, body: ScrubbingPreviewRequest) {
  const params = { path: { org, project } };
  return (await ask(POST("/api/0/projects/{org}/{project}/scrubbing/preview/", { params, body }))).data;
}
