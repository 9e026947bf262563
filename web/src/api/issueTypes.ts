import { queryOptions } from "@tanstack/react-query";
import { ask, DELETE, GET, POST, PUT } from "./client";
import type { IssueTypeRequest } from "./models";

export const issueTypes = (org: string) =>
  queryOptions({
    queryKey: ["issue-types", org],
    staleTime: 60_000,
    queryFn: async ({ signal }) =>
      (await ask(GET("/api/0/organizations/{org}/issue-types/", { params: { path: { org } }, signal }))).data,
  });

export async function createIssueType(org: string, body: IssueTypeRequest) {
  return (await ask(POST("/api/0/organizations/{org}/issue-types/", { params: { path: { org } }, body }))).data;
}

export async function updateIssueType(org: string, slug: string, body: IssueTypeRequest) {
  const params = { path: { org, slug } };
  return (await ask(PUT("/api/0/organizations/{org}/issue-types/{slug}/", { params, body }))).data;
}

/** Removes an own type, or gives a built-in one its own rules back. */
export async function removeIssueType(org: string, slug: string) {
  await ask(DELETE("/api/0/organizations/{org}/issue-types/{slug}/", { params: { path: { org, slug } } }));
}
