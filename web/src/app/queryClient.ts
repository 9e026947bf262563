import { QueryCache, QueryClient } from "@tanstack/react-query";
import { currentUser } from "@/api/account";
import { ApiError } from "@/api/client";

const RETRIES_MAX = 1;

/** A refusal is an answer: only a lost connection or a failing server is asked again. */
function worthRetrying(failures: number, error: Error): boolean {
  const refused = error instanceof ApiError && error.status >= 400 && error.status < 500;
  return !refused && failures < RETRIES_MAX;
}

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: { retry: worthRetrying, retryDelay: (attempt) => 500 * 2 ** attempt },
    mutations: { retry: false },
  },
  queryCache: new QueryCache({
    onError(error) {
      // The session ended while a page was open: the guard asks who is signed in and leads to the sign-in page.
      if (error instanceof ApiError && error.status === 401) {
        void queryClient.resetQueries({ queryKey: currentUser.queryKey });
      }
    },
  }),
});
