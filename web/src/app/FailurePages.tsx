import { type ErrorComponentProps, Link, useRouter } from "@tanstack/react-router";
import { buttonClass } from "@/ui/Button";
import { Failure, State } from "@/ui/State";
import { useTitle } from "@/ui/useTitle";

export function NotFoundPage() {
  useTitle("Page not found");
  return (
    <State
      isPage
      action={
        <Link className={buttonClass("plain")} to="/">
          Go to the issues
        </Link>
      }
      icon="search"
      title="There is no page at this address"
    >
      The link may be mistyped, or what it pointed to was deleted.
    </State>
  );
}

/** When not even the frame could be shown. */
export function BrokenPage(props: ErrorComponentProps) {
  return (
    <main>
      <CrashPage {...props} />
    </main>
  );
}

/** What is left when a page broke or the server did not answer at all. */
export function CrashPage({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  useTitle("Error");
  return (
    <Failure
      error={error}
      retry={() => {
        reset();
        void router.invalidate();
      }}
      isPage
      what="The page"
    />
  );
}
