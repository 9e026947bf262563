import { queryOptions } from "@tanstack/react-query";
import { ApiError, ask, DELETE, GET, POST } from "./client";
import type { User } from "./models";

/** Who is signed in; `null` for nobody. */
export const currentUser = queryOptions({
  queryKey: ["user"],
  staleTime: 60_000,
  queryFn: async ({ signal }): Promise<User | null> => {
    try {
      return (await ask(GET("/api/0/auth/", { signal }))).data;
    } catch (error) {
      if (error instanceof ApiError && (error.status === 401 || error.status === 403)) return null;
      throw error;
    }
  },
});

export async function signIn(email: string, password: string): Promise<void> {
  await ask(POST("/api/0/auth/login/", { body: { email, password } }));
}

export async function signOut(): Promise<void> {
  await ask(POST("/api/0/auth/logout/"));
}

/** Creates the first account from the one-time link; the answer carries its session. */
export async function setUp(account: { token: string; name: string; email: string; password: string }): Promise<void> {
  await ask(POST("/api/0/auth/setup/", { body: account }));
}

export const tokens = queryOptions({
  queryKey: ["tokens"],
  queryFn: async ({ signal }) => (await ask(GET("/api/0/api-tokens/", { signal }))).data,
});

/** The answer holds the token itself, this one time. */
export async function createToken(name: string, scopes: string[]) {
  return (await ask(POST("/api/0/api-tokens/", { body: { name, scopes } }))).data;
}

export async function deleteToken(id: string): Promise<void> {
  await ask(DELETE("/api/0/api-tokens/{id}/", { params: { path: { id } } }));
}
