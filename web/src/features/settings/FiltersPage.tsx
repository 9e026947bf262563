import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { ApiError } from "@/api/client";
import type { InboundFilter, ProjectDetail } from "@/api/models";
import { filters as filtersQuery, updateFilter, updateOptions } from "@/api/privacy";
import { project as projectQuery } from "@/api/projects";
import { Button } from "@/ui/Button";
import { Page } from "@/ui/Page";
import { Skeleton } from "@/ui/Skeleton";
import { Failure } from "@/ui/State";
import { notify, notifyFailure } from "@/ui/toast";
import { useTitle } from "@/ui/useTitle";
import styles from "./SettingsPage.module.css";
import { TextArea } from "./TextArea";

const route = getRouteApi("/signed-in/settings/$org/projects/$project/filters");

/** The filters in the words of their reader. */
const WORDS: Record<string, [name: string, about: string]> = {
  "browser-extensions": ["Browser extensions", "Errors that known extensions cause"],
  localhost: ["Localhost", "Events from the developers' own machines"],
  "filtered-transaction": ["Health checks", "Transactions such as GET /health"],
  "web-crawlers": ["Web crawlers", "Events from known crawlers"],
  "react-hydration-errors": ["Hydration errors", "Errors of React that say nothing about the cause"],
  "chunk-load-error": ["Chunk load errors", "Pages that are older than what is deployed"],
  "legacy-browsers": ["Legacy browsers", "Browsers that are too old to be supported"],
};

const LISTS = [
  ["filters:blacklisted_ips", "IP addresses, one a line", "Addresses, or networks such as 10.0.0.0/8"],
  ["filters:releases", "Releases, one a line", "Names, or globs such as 1.*"],
  ["filters:error_messages", "Error messages, one a line", "Globs of messages, or of Type: value, such as TypeError*"],
  ["filters:log_messages", "Log messages, one a line", "Globs of the bodies of log lines, such as heartbeat*"],
  ["filters:trace_metric_names", "Trace metrics, one a line", "Globs of names, such as debug.*"],
  [
    "sentry:csp_ignored_sources",
    "Sources of content policy reports, one a line",
    "Reports that this content violates the policy are dropped; such as cdn.example.com or https://*.example.com",
  ],
] as const;

/** Whether reports about well-known sources, such as extensions, are dropped. */
const CSP_DEFAULTS = "sentry:csp_ignored_sources_defaults";

/** Which events of a project are dropped. */
export function FiltersPage() {
  const { org, project: slug } = route.useParams();
  const project = useQuery(projectQuery(org, slug));
  const filters = useQuery(filtersQuery(org, slug));
  useTitle("Inbound filters", project.data?.name);
  const failed = [project, filters].find((query) => query.isError && !query.data);
  if (failed) return <Failure error={failed.error} isPage retry={failed.refetch} what="The filters" />;
  return (
    <Page
      lead={
        <>
          Dropped events of{" "}
          <Link params={{ org, project: slug }} to="/settings/$org/projects/$project/">
            {slug}
          </Link>{" "}
          make no issue and are not stored. A change counts from the next events on.
        </>
      }
      title="Inbound filters"
    >
      {filters.data ? <Switches filters={filters.data} org={org} slug={slug} /> : <Skeleton height={240} />}
      {project.data && <Lists key={project.data.id} org={org} project={project.data} />}
    </Page>
  );
}

function Switches({ org, slug, filters }: { org: string; slug: string; filters: InboundFilter[] }) {
  const client = useQueryClient();
  const change = useMutation({
    mutationFn: ({ id, active }: { id: string; active: boolean }) => updateFilter(org, slug, id, { active }),
    onSuccess: (_, { id, active }) => notify(`${WORDS[id]?.[0] ?? id}: ${active ? "filtered" : "kept"}`),
    onError: (error) => notifyFailure("The filter was not changed.", error),
    onSettled: () => client.invalidateQueries({ queryKey: filtersQuery(org, slug).queryKey }),
  });
  return (
    <ul className={styles.rows}>
      {filters.map(({ id, active }) => {
        const [name, about] = WORDS[id] ?? [id, ""];
        const listed = Array.isArray(active) ? active : [];
        return (
          <li className={styles.row} key={id}>
            <label className={styles.switch}>
              <input
                checked={Array.isArray(active) ? active.length > 0 : active}
                disabled={change.isPending}
                onChange={(event) => change.mutate({ id, active: event.target.checked })}
                type="checkbox"
              />
              <span>
                {name}
                <span className={styles.meta}>{listed.length > 0 ? `${about}: ${listed.join(", ")}` : about}</span>
              </span>
            </label>
          </li>
        );
      })}
    </ul>
  );
}

function Lists({ org, project }: { org: string; project: ProjectDetail }) {
  const client = useQueryClient();
  const [lists, setLists] = useState<Record<string, string>>(() =>
    Object.fromEntries(LISTS.map(([name]) => [name, String(project.options[name] ?? "")])),
  );
  const [dropsUsual, setDropsUsual] = useState(project.options[CSP_DEFAULTS] !== false);
  const save = useMutation({
    mutationFn: () => updateOptions(org, project.slug, { options: { ...lists, [CSP_DEFAULTS]: dropsUsual } }),
    onSuccess: async () => {
      notify("Lists saved");
      await client.invalidateQueries({ queryKey: projectQuery(org, project.slug).queryKey });
    },
  });
  const fields = save.error instanceof ApiError ? save.error.fields : {};
  const errorOf = (name: string) => Object.entries(fields).find(([place]) => place.startsWith(`options.${name}`))?.[1];
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    save.mutate();
  };
  return (
    <section aria-labelledby="lists" className={styles.part}>
      <div className={styles.partHead}>
        <h2 id="lists">Lists</h2>
      </div>
      <form className={styles.form} onSubmit={submit}>
        {LISTS.map(([name, label, note]) => (
          <TextArea
            error={errorOf(name)}
            key={name}
            label={label}
            note={note}
            onChange={(value) => setLists({ ...lists, [name]: value })}
            value={lists[name] ?? ""}
          />
        ))}
        <label className={styles.switch}>
          <input checked={dropsUsual} onChange={(event) => setDropsUsual(event.target.checked)} type="checkbox" />
          <span>
            Usual sources of content policy reports
            <span className={styles.meta}>Also drop reports about extensions, about: pages and the like</span>
          </span>
        </label>
        {save.isError && (
          <p className={styles.failure} role="alert">
            Not saved: {save.error.message}
          </p>
        )}
        <div className={styles.buttons}>
          <Button busy={save.isPending} look="primary" type="submit">
            Save lists
          </Button>
        </div>
      </form>
    </section>
  );
}
