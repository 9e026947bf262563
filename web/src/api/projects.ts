import { queryOptions } from "@tanstack/react-query";
import { ask, askAll, DELETE, GET, POST, PUT } from "./client";
import type { KeyRequest } from "./models";

export const organizations = queryOptions({
  queryKey: ["organizations"],
  staleTime: 60_000,
  queryFn: ({ signal }) => askAll((cursor) => GET("/api/0/organizations/", { params: { query: { cursor } }, signal })),
});

export const projects = (org: string) =>
  queryOptions({
    queryKey: ["projects", org],
    staleTime: 30_000,
    queryFn: ({ signal }) =>
      askAll((cursor) =>
        GET("/api/0/organizations/{org}/projects/", { params: { path: { org }, query: { cursor } }, signal }),
      ),
  });

export const project = (org: string, slug: string) =>
  queryOptions({
    queryKey: ["project", org, slug],
    queryFn: async ({ signal }) =>
      (await ask(GET("/api/0/projects/{org}/{project}/", { params: { path: { org, project: slug } }, signal }))).data,
  });

export const projectKeys = (org: string, slug: string) =>
  queryOptions({
    queryKey: ["project-keys", org, slug],
    staleTime: 30_000,
    queryFn: async ({ signal }) =>
      (await ask(GET("/api/0/projects/{org}/{project}/keys/", { params: { path: { org, project: slug } }, signal })))
        .data,
  });

export const members = (org: string) =>
  queryOptions({
    queryKey: ["members", org],
    staleTime: 60_000,
    queryFn: ({ signal }) =>
      askAll((cursor) =>
        GET("/api/0/organizations/{org}/members/", { params: { path: { org }, query: { cursor } }, signal }),
      ),
  });

export async function createProject(org: string, name: string, platform: string | null) {
  const body = platform === null ? { name } : { name, platform };
  return (await ask(POST("/api/0/organizations/{org}/projects/", { params: { path: { org } }, body }))).data;
}

export async function updateProject(org: string, slug: string, change: { name?: string; platform?: string }) {
  const params = { path: { org, project: slug } };
  return (await ask(PUT("/api/0/projects/{org}/{project}/", { params, body: change }))).data;
}

export async function createProjectKey(org: string, slug: string, name: string) {
  const params = { path: { org, project: slug } };
  return (await ask(POST("/api/0/projects/{org}/{project}/keys/", { params, body: { name } }))).data;
}

export async function updateProjectKey(org: string, slug: string, key: string, body: KeyRequest) {
  const params = { path: { org, project: slug, key } };
  return (await ask(PUT("/api/0/projects/{org}/{project}/keys/{key}/", { params, body }))).data;
}

export async function deleteProjectKey(org: string, slug: string, key: string): Promise<void> {
  const params = { path: { org, project: slug, key } };
  await ask(DELETE("/api/0/projects/{org}/{project}/keys/{key}/", { params }));
}
