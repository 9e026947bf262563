import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { issueEvents } from "@/api/events";
import { issueDetail } from "@/api/issues";
import { absoluteTime } from "@/domain/time";
import { headline } from "@/domain/triage";
import { Pager } from "@/ui/Pager";
import { Skeleton } from "@/ui/Skeleton";
import { Failure, State } from "@/ui/State";
import { Cell, Table } from "@/ui/Table";
import { Time } from "@/ui/Time";
import { useTitle } from "@/ui/useTitle";
import styles from "./EventsPage.module.css";

const route = getRouteApi("/signed-in/organizations/$org/issues/$issue/events");

const COLUMNS = ["Environment", "Release", "User"];

/** All events of one issue, newest first. */
export function EventsPage() {
  const { org, issue: id } = route.useParams();
  const { cursor } = route.useSearch();
  const navigate = route.useNavigate();
  const issue = useQuery(issueDetail(org, id)).data;
  const page = useQuery({ ...issueEvents(org, id, cursor), placeholderData: keepPreviousData });
  useTitle("Events", issue && headline(issue).type, issue?.shortId);
  const go = (cursor: string) => navigate({ search: { cursor } });

  return (
    <div className={styles.page}>
      <header className={styles.header}>
        <nav aria-label="Breadcrumb">
          <Link params={{ org, issue: id }} search={{}} to="/organizations/$org/issues/$issue/">
            {issue ? issue.shortId : "Issue"}
          </Link>
        </nav>
        <h1>{issue ? `Events of ${headline(issue).type}` : "Events"}</h1>
      </header>
      {page.isError && !page.data && <Failure error={page.error} retry={page.refetch} what="The events" />}
      {page.isPending && (
        <div className={styles.loading}>
          <Skeleton height={320} />
        </div>
      )}
      {page.data?.events.length === 0 && (
        <State icon="inbox" title="No stored events">
          They may be older than what this server keeps.
        </State>
      )}
      {page.data && page.data.events.length > 0 && (
        <div className={styles.rows}>
          <Table
            cards
            columns={["Event", "Time", ...COLUMNS].map((name) => ({ name }))}
            label="Events of the issue"
            wrap
          >
            {page.data.events.map((event) => (
              <tr key={event.id}>
                <th scope="row">
                  <Link
                    className="mono"
                    params={{ org, issue: id, event: event.eventID }}
                    search={{}}
                    to="/organizations/$org/issues/$issue/events/$event/"
                  >
                    {event.eventID.slice(0, 8)}
                  </Link>{" "}
                  <span className={styles.title}>{event.title}</span>
                </th>
                <Cell name="Time">
                  <span className={styles.time}>
                    {absoluteTime(event.dateCreated)} <Time value={event.dateCreated} />
                  </span>
                </Cell>
                {COLUMNS.map((column) => (
                  <Cell key={column} name={column}>
                    {event.tags.find(({ key }) => key === column.toLowerCase())?.value ?? "–"}
                  </Cell>
                ))}
              </tr>
            ))}
          </Table>
        </div>
      )}
      {page.data && (
        <div className={styles.pages}>
          <Pager next={page.data.next} onGo={go} previous={page.data.previous} />
        </div>
      )}
    </div>
  );
}
