import type { ReactNode } from "react";
import { Button } from "./Button";
import { Icon, type IconName } from "./Icon";
import styles from "./State.module.css";

interface Props {
  icon: IconName;
  title: string;
  children?: ReactNode;
  /** The one thing to do next. */
  action?: ReactNode;
  /** Whether it is all there is: then its title is the page's. */
  isPage?: boolean;
}

/** What stands where a list or a page would be: nothing there, and what to do about it. */
export function State({ icon, title, children, action, isPage = false }: Props) {
  const Title = isPage ? "h1" : "h2";
  return (
    <div className={styles.state}>
      <Icon className={styles.icon} name={icon} size={24} />
      <Title className={styles.title}>{title}</Title>
      {children && <div className={styles.text}>{children}</div>}
      {action && <div className={styles.action}>{action}</div>}
    </div>
  );
}

interface FailureProps {
  what: string;
  error: unknown;
  retry?: () => void;
  isPage?: boolean;
}

/** What failed, why, and the way to try again; the request's id is what an operator finds in the log. */
export function Failure({ what, error, retry, isPage }: FailureProps) {
  const requestId = error instanceof Error && "requestId" in error ? error.requestId : null;
  return (
    <div role="alert">
      <State
        action={retry && <Button onClick={retry}>Try again</Button>}
        icon="alert"
        isPage={isPage}
        title={`${what} could not be loaded`}
      >
        <p>{error instanceof Error ? error.message : "Something unexpected happened."}</p>
        {typeof requestId === "string" && (
          <p>
            Request <code>{requestId}</code>
          </p>
        )}
      </State>
    </div>
  );
}
