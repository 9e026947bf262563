import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { ApiError } from "@/api/client";
import { freshIssues, issueCounts, issueList } from "@/api/issues";
import type { Issue } from "@/api/models";
import { projects as projectsQuery } from "@/api/projects";
import { useIssueUpdate } from "@/api/useIssueUpdate";
import { VIEWS, viewOf, withView } from "@/domain/issueQuery";
import { count } from "@/domain/number";
import { MOVES, type Status } from "@/domain/triage";
import { Button } from "@/ui/Button";
import { Failure, State } from "@/ui/State";
import { useShortcuts } from "@/ui/shortcuts";
import { notifyAction, notifyFailure } from "@/ui/toast";
import { useTitle } from "@/ui/useTitle";
import { EmptyIssues } from "./EmptyIssues";
import styles from "./IssuesPage.module.css";
import { IssueTable, LoadingTable } from "./IssueTable";
import { newCount, stillInView, withFreshNumbers } from "./rows";
import { type IssuesSearch, toRequest } from "./search";
import { Toolbar } from "./Toolbar";
import { useRows } from "./useRows";

const route = getRouteApi("/signed-in/organizations/$org/issues");

export function IssuesPage() {
  const { org } = route.useParams();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const searchBox = useRef<HTMLInputElement>(null);

  const request = toRequest(search);
  const view = viewOf(request.query);
  const list = useQuery(issueList(org, request));
  const isFirstPage = request.cursor === undefined;
  const fresh = useQuery({ ...freshIssues(org, request), enabled: isFirstPage && list.isSuccess }).data;
  const views = VIEWS.map(({ id }) => withView(request.query, id));
  const counts = useQuery(issueCounts(org, views, request)).data;
  const projects = useQuery({ ...projectsQuery(org), placeholderData: keepPreviousData });

  const loaded = list.data?.issues ?? [];
  const issues = withFreshNumbers(stillInView(loaded, view), fresh?.issues ?? []);
  const arrived = isFirstPage && fresh && !list.isPlaceholderData ? newCount(loaded, fresh.issues) : 0;
  // An empty list has no rows that could move: what arrives is shown at once.
  const showAtOnce = arrived > 0 && issues.length === 0;
  const { refetch } = list;
  useEffect(() => {
    if (showAtOnce) void refetch();
  }, [showAtOnce, refetch]);

  const go = (change: Partial<IssuesSearch>) =>
    navigate({ search: (before) => ({ ...before, cursor: undefined, ...change }) });

  const open = (issue: Issue) =>
    navigate({ to: "/organizations/$org/issues/$issue/", params: { org, issue: issue.id }, search: {} });

  const rows = useRows(issues, open);
  const update = useIssueUpdate(org);
  const move = (status: Status) => {
    const chosen = rows.chosen.filter((issue) => issue.isEditable && issue.status !== status);
    if (rows.chosen.some((issue) => !issue.isEditable)) {
      notifyFailure("The status of some of these issues follows what produces them; it stays.");
    }
    if (chosen.length === 0) return;
    const { done, substatus, body } = MOVES[status];
    const subject = chosen.length === 1 ? chosen[0]?.shortId : count(chosen.length, "issue");
    notifyAction(`${subject} ${done}`, update(chosen, { body, patch: { status, substatus, statusDetails: {} } }));
    rows.clear();
  };

  useTitle(VIEWS.find(({ id }) => id === view)?.name ?? request.query, "Issues");
  useShortcuts("Issues", [
    { key: "e", label: "Resolve", run: () => move("resolved") },
    { key: "a", label: "Archive", run: () => move("ignored") },
    { key: "/", label: "Search", run: () => searchBox.current?.focus() },
  ]);

  const body = () => {
    if (isRefusal(list.error)) {
      return (
        <State icon="search" title="This search can't be understood">
          Nothing was looked for. The message under the search box says what to change.
        </State>
      );
    }
    if (list.isError && !list.data) return <Failure error={list.error} retry={list.refetch} what="The issues" />;
    if (!list.data) return <LoadingTable />;
    if (issues.length === 0 && isFirstPage) {
      return (
        <EmptyIssues
          go={go}
          org={org}
          projects={projects.data ?? null}
          query={request.query}
          statsPeriod={request.statsPeriod}
          projectIds={request.project}
        />
      );
    }
    return <IssueTable issues={issues} move={move} org={org} period={request.groupStatsPeriod} rows={rows} />;
  };

  return (
    <div className={styles.page}>
      <header className={styles.header}>
        <h1>Issues</h1>
      </header>
      <Toolbar
        refusal={isRefusal(list.error) ? list.error.message : null}
        counts={counts ?? []}
        go={go}
        projects={projects.data ?? []}
        org={org}
        request={request}
        search={search}
        searchBox={searchBox}
        view={view}
      />
      <div aria-busy={list.isFetching} className={list.isPlaceholderData ? styles.stale : styles.list}>
        {arrived > 0 && issues.length > 0 && (
          <div className={styles.arrived}>
            <button
              type="button"
              onClick={() => {
                window.scrollTo({ top: 0 });
                void list.refetch();
              }}
            >
              {arrived} new
            </button>
          </div>
        )}
        {body()}
      </div>
      <p aria-live="polite" className="quiet">
        {arrived > 0 ? `${count(arrived, "new issue")} arrived` : ""}
      </p>
      {list.data && (list.data.previous || list.data.next) && (
        <nav aria-label="Pages" className={styles.pages}>
          <Button
            disabled={!list.data.previous}
            icon="chevronLeft"
            onClick={() => go({ cursor: list.data.previous ?? undefined })}
          >
            Previous
          </Button>
          <Button
            disabled={!list.data.next}
            icon="chevronRight"
            onClick={() => go({ cursor: list.data.next ?? undefined })}
          >
            Next
          </Button>
        </nav>
      )}
    </div>
  );
}

/** The server understood the request, but not the search in it. */
function isRefusal(error: Error | null): error is ApiError {
  return error instanceof ApiError && error.status === 400;
}
