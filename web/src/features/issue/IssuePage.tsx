import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { useEffect } from "react";
import { ApiError } from "@/api/client";
import { issueEvent } from "@/api/events";
import { issueDetail } from "@/api/issues";
import { headline } from "@/domain/triage";
import { buttonClass } from "@/ui/Button";
import { Skeleton } from "@/ui/Skeleton";
import { Failure, State } from "@/ui/State";
import { useTitle } from "@/ui/useTitle";
import { EventBody } from "./EventBody";
import { EventNavigation } from "./EventNavigation";
import { IssueHeader } from "./IssueHeader";
import styles from "./IssuePage.module.css";
import { Side } from "./Side";
import { Trend } from "./Trend";
import { useIssueKeys } from "./useIssueKeys";

/** One issue through one of its events. Without an event in the address, the one that tells most. */
export function IssuePage() {
  const { org = "", issue: id = "", event: eventName = "recommended" } = useParams({ strict: false });
  const navigate = useNavigate();
  const detail = useQuery(issueDetail(org, id));
  const issue = detail.data;
  const found = useQuery({
    ...issueEvent(org, issue?.id ?? id, eventName),
    enabled: issue !== undefined || /^\d+$/.test(id),
    placeholderData: (before, query) =>
      query?.queryKey[2] === (issue?.id ?? id) ? keepPreviousData(before) : undefined,
  });
  const event = found.data;

  // A short id in the address, such as WEB-4: go on to the issue's own address.
  useEffect(() => {
    if (issue && issue.id !== id) {
      void navigate({
        to: "/organizations/$org/issues/$issue/",
        params: { org, issue: issue.id },
        search: {},
        replace: true,
      });
    }
  }, [issue, id, org, navigate]);

  const { type, message } = issue ? headline(issue) : { type: null, message: "" };
  useTitle(type && (message ? `${type}: ${message}`.slice(0, 120) : type), issue?.shortId);
  useIssueKeys(org, issue, event);

  if (detail.isError && !issue) {
    if (!isMissing(detail.error))
      return <Failure error={detail.error} isPage retry={detail.refetch} what="The issue" />;
    return (
      <State
        isPage
        action={
          <Link className={buttonClass("plain")} params={{ org }} search={{}} to="/organizations/$org/issues/">
            All issues
          </Link>
        }
        icon="search"
        title={`There is no issue ${id}`}
      >
        It may have been deleted or merged into another one.
      </State>
    );
  }
  if (!issue) return <LoadingIssue />;

  return (
    <article className={styles.page}>
      <IssueHeader issue={issue} org={org} />
      <div className={styles.columns}>
        <div className={styles.main}>
          <Trend issue={issue} />
          <EventNavigation busy={found.isPlaceholderData} event={event} eventName={eventName} issue={issue} org={org} />
          {event ? (
            <EventBody event={event} org={org} project={issue.project.slug} />
          ) : isMissing(found.error) ? (
            <State icon="inbox" title="This event is not stored">
              It may be older than what this server keeps, or one of so many that it was only counted. The issue's
              numbers count it all the same.
            </State>
          ) : found.isError ? (
            <Failure error={found.error} retry={found.refetch} what="The event" />
          ) : (
            <LoadingEvent />
          )}
        </div>
        <Side issue={issue} org={org} />
      </div>
    </article>
  );
}

function isMissing(error: Error | null): boolean {
  return error instanceof ApiError && error.status === 404;
}

function LoadingIssue() {
  return (
    <div aria-label="Loading the issue" className={styles.page} role="status">
      <div className={styles.loadingHeader}>
        <Skeleton height={14} width={120} />
        <Skeleton height={22} width="55%" />
        <Skeleton height={14} width="35%" />
      </div>
      <div className={styles.columns}>
        <div className={styles.main}>
          <div className={styles.loadingTrend}>
            <Skeleton height={84} />
          </div>
          <LoadingEvent />
        </div>
        <div className={styles.loadingSide}>
          <Skeleton height={90} />
          <Skeleton height={220} />
        </div>
      </div>
    </div>
  );
}

function LoadingEvent() {
  return (
    <div aria-label="Loading the event" className={styles.loadingEvent} role="status">
      <Skeleton height={64} />
      <Skeleton height={16} width={140} />
      <Skeleton height={260} />
      <Skeleton height={120} />
    </div>
  );
}
