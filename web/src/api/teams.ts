import { queryOptions } from "@tanstack/react-query";
import { ask, askAll, DELETE, GET, POST, PUT } from "./client";

export const teams = (org: string) =>
  queryOptions({
    queryKey: ["teams", org],
    staleTime: 60_000,
    queryFn: ({ signal }) =>
      askAll((cursor) =>
        GET("/api/0/organizations/{org}/teams/", { params: { path: { org }, query: { cursor } }, signal }),
      ),
  });

export const teamMembers = (org: string, team: string) =>
  queryOptions({
    queryKey: ["team-members", org, team],
    queryFn: ({ signal }) =>
      askAll((cursor) =>
        GET("/api/0/teams/{org}/{team}/members/", { params: { path: { org, team }, query: { cursor } }, signal }),
      ),
  });

export async function createTeam(org: string, name: string) {
  return (await ask(POST("/api/0/organizations/{org}/teams/", { params: { path: { org } }, body: { name } }))).data;
}

export async function renameTeam(org: string, team: string, name: string) {
  return (await ask(PUT("/api/0/teams/{org}/{team}/", { params: { path: { org, team } }, body: { name } }))).data;
}

export async function deleteTeam(org: string, team: string): Promise<void> {
  await ask(DELETE("/api/0/teams/{org}/{team}/", { params: { path: { org, team } } }));
}

/** Puts a member of the organization into a team, or takes them out. */
export async function setMembership(org: string, team: string, member: string, isIn: boolean): Promise<void> {
  const params = { path: { org, member, team } };
  const address = "/api/0/organizations/{org}/members/{member}/teams/{team}/";
  await ask(isIn ? POST(address, { params }) : DELETE(address, { params }));
}

/** Gives a project to a team, or takes it away. */
export async function setTeamProject(org: string, team: string, project: string, has: boolean): Promise<void> {
  const params = { path: { org, project, team } };
  const address = "/api/0/projects/{org}/{project}/teams/{team}/";
  await ask(has ? POST(address, { params }) : DELETE(address, { params }));
}
