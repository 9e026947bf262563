import { queryOptions } from "@tanstack/react-query";
import { ask, DELETE, GET, POST, pageCursors } from "./client";
import type { DeadLetter } from "./models";

/** Where a list of letters is: whose, and which of them. */
export interface LetterSearch {
  project: string;
  reason?: string;
  cursor?: string;
}

interface LetterPage {
  letters: DeadLetter[];
  previous: string | null;
  next: string | null;
}

/** Everything known of a project's letters; what is invalidated when one of them goes. */
export const lettersKey = (org: string, project: string) => ["dead-letters", org, project] as const;

/** One page, looked at again soon while a replay is on its way. */
export const deadLetters = (org: string, { project, reason, cursor }: LetterSearch) =>
  queryOptions({
    queryKey: [...lettersKey(org, project), "list", reason, cursor],
    queryFn: async ({ signal }): Promise<LetterPage> => {
      const params = { path: { org, project }, query: { reason, cursor, per_page: 50 } };
      const { data, headers } = await ask(GET("/api/0/projects/{org}/{project}/dead-letters/", { params, signal }));
      return { letters: data, ...pageCursors(headers) };
    },
    refetchInterval: ({ state }) => (state.data?.letters.some((letter) => letter.replayRequested) ? 1_000 : 15_000),
  });

/** How many letters there are for each reason. */
export const letterReasons = (org: string, project: string) =>
  queryOptions({
    queryKey: [...lettersKey(org, project), "reasons"],
    queryFn: async ({ signal }) => {
      const params = { path: { org, project } };
      return (await ask(GET("/api/0/projects/{org}/{project}/dead-letters/reasons/", { params, signal }))).data;
    },
    refetchInterval: 15_000,
  });

/** Most projects that are looked through for the first with letters. */
const PROJECTS_ASKED_MAX = 30;

/** The first of the projects that has letters, of a reason if one is given; `null` when none has, or cannot say. Asked once
 * a visit: the page does not go to another project under its reader's hands. */
export const firstWithLetters = (org: string, projects: string[], reason: string | undefined) =>
  queryOptions({
    queryKey: ["dead-letters", org, "first", projects, reason],
    queryFn: async ({ signal }): Promise<string | null> => {
      const has = async (project: string) => {
        const params = { path: { org, project } };
        const call = GET("/api/0/projects/{org}/{project}/dead-letters/reasons/", { params, signal });
        return (await ask(call)).data.some((each) => reason === undefined || each.reason === reason);
      };
      const asked = projects.slice(0, PROJECTS_ASKED_MAX);
      const answers = await Promise.allSettled(asked.map(has));
      return asked.find((_, index) => answers[index]?.status === "fulfilled" && answers[index].value) ?? null;
    },
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  });

export const deadLetter = (org: string, project: string, letter: string) =>
  queryOptions({
    queryKey: [...lettersKey(org, project), "letter", letter],
    queryFn: async ({ signal }) => {
      const params = { path: { org, project, letter } };
      return (await ask(GET("/api/0/projects/{org}/{project}/dead-letters/{letter}/", { params, signal }))).data;
    },
    // Read again under the reader's hands, an edited payload would be lost.
    staleTime: Number.POSITIVE_INFINITY,
  });

/** Asks for a letter to be handled again, with another payload if one is given. */
export async function replayLetter(org: string, project: string, letter: string, payload?: string): Promise<void> {
  const params = { path: { org, project, letter } };
  await ask(POST("/api/0/projects/{org}/{project}/dead-letters/{letter}/replay/", { params, body: { payload } }));
}

export async function discardLetter(org: string, project: string, letter: string): Promise<void> {
  const params = { path: { org, project, letter } };
  await ask(DELETE("/api/0/projects/{org}/{project}/dead-letters/{letter}/", { params }));
}

/** All letters of a project, or all of a reason; how many there were. */
export async function replayLetters(org: string, { project, reason }: LetterSearch): Promise<number> {
  const params = { path: { org, project }, query: { reason } };
  return (await ask(POST("/api/0/projects/{org}/{project}/dead-letters/replay/", { params }))).data.count;
}

export async function discardLetters(org: string, { project, reason }: LetterSearch): Promise<number> {
  const params = { path: { org, project }, query: { reason } };
  return (await ask(DELETE("/api/0/projects/{org}/{project}/dead-letters/", { params }))).data.count;
}
