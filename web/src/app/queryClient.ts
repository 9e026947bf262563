import { MutationCache, QueryCache, QueryClient } from "@tanstack/react-query";
import { currentUser } from "@/api/account";
import { ApiError } from "@/api/client";

const RETRIES_MAX = 1;

/** A refusal is an answer: only a lost connection or a failing server is asked again. */
function worthRetrying(failures: number, error: Error): boolean {
  const refused = error instanceof ApiError && error.status >= 400 && error.status < 500;
  return !refused && failures < RETRIES_MAX;
}

/** The session ended while a page was open: who is signed in is asked anew, and the frame asks to sign in again. What was
 * known of it stays until the answer, so that the page does. */
function noticeEndOfSession(error: Error) {
  if (error instanceof ApiError && error.status === 401) {
    void queryClient.invalidateQueries({ queryKey: currentUser.queryKey });
  }
}

export const queryClient: QueryClient = new QueryClient({
  defaultOptions: {
    // Whether the server answers is found out by asking: what the browser thinks of its network says nothing of a server
    // on this machine or in this house.
    queries: { networkMode: "always", retry: worthRetrying, retryDelay: (attempt) => 500 * 2 ** attempt },
    mutations: { networkMode: "always", retry: false },
  },
  queryCache: new QueryCache({ onError: noticeEndOfSession }),
  mutationCache: new MutationCache({ onError: noticeEndOfSession }),
});
