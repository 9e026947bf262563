import { queryOptions } from "@tanstack/react-query";
import { ask, DELETE, GET, POST } from "./client";

/** What producers send occurrences to a project with. */
export const projectTokens = (org: string, project: string) =>
  queryOptions({
    queryKey: ["project-tokens", org, project],
    queryFn: async ({ signal }) =>
      (await ask(GET("/api/0/projects/{org}/{project}/tokens/", { params: { path: { org, project } }, signal }))).data,
  });

/** The answer holds the token itself, this one time. */
export async function createProjectToken(org: string, project: string, name: string) {
  const params = { path: { org, project } };
  return (await ask(POST("/api/0/projects/{org}/{project}/tokens/", { params, body: { name } }))).data;
}

export async function deleteProjectToken(org: string, project: string, id: string): Promise<void> {
  await ask(DELETE("/api/0/projects/{org}/{project}/tokens/{id}/", { params: { path: { org, project, id } } }));
}
