import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { firstIssue } from "@/api/issues";
import type { Project } from "@/api/models";
import { buttonClass } from "@/ui/Button";
import { Icon } from "@/ui/Icon";
import styles from "./WaitForEvent.module.css";

/** After this long without an event, something is probably wrong: say what it might be. */
const PATIENCE_MS = 30_000;

/** Looks for the first event until it is there, and leads to it. */
export function WaitForEvent({ org, project, dsn }: { org: string; project: Project; dsn: string | undefined }) {
  const found = useQuery(firstIssue(org, project.id)).data;
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = window.setTimeout(() => setLate(true), PATIENCE_MS);
    return () => window.clearTimeout(timer);
  }, []);

  return (
    <section aria-label="First event" className={found ? `${styles.box} ${styles.here}` : styles.box}>
      <div aria-live="polite" className={styles.state}>
        {found ? <Icon name="check" size={18} /> : <span aria-hidden="true" className={styles.pulse} />}
        <h2>{found ? "Event received" : "Waiting for the first event…"}</h2>
      </div>
      {found ? (
        <>
          <p className={styles.title}>{found.title}</p>
          <Link
            className={buttonClass("primary")}
            params={{ org, issue: found.id }}
            search={{}}
            to="/organizations/$org/issues/$issue/"
          >
            Open it
          </Link>
        </>
      ) : (
        <p className={styles.note}>It shows up here by itself, within a second or two of being sent.</p>
      )}
      {!found && (
        <details className={styles.hints} open={late}>
          <summary>Nothing arrives?</summary>
          <ul>
            <li>
              The program must reach {dsn ? <code>{originOf(dsn)}</code> : "this server"}. From a container or another
              machine, 127.0.0.1 is not this server.
            </li>
            <li>
              A short program may end before the event is sent: let the client flush before it exits, for example with{" "}
              <code>sentry_sdk.flush()</code> or <code>Sentry.close()</code>.
            </li>
            <li>
              Sample rates, <code>before_send</code> and ad blockers drop events silently. Set <code>debug=True</code>{" "}
              in the client to see what it does.
            </li>
            <li>A proxy in front of this server must pass on POST requests below /api/ and their size.</li>
          </ul>
        </details>
      )}
    </section>
  );
}

function originOf(dsn: string): string {
  try {
    return new URL(dsn).origin;
  } catch {
    return dsn;
  }
}
