import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";
import type { InboundFilter, InboundFilterRequest } from "@/api/models";
import { filters as filtersQuery, updateFilter } from "@/api/privacy";
import { project as projectQuery } from "@/api/projects";
import { Page } from "@/ui/Page";
import { Skeleton } from "@/ui/Skeleton";
import { Failure } from "@/ui/State";
import { notify, notifyFailure } from "@/ui/toast";
import { useTitle } from "@/ui/useTitle";
import { FilterLists } from "./FilterLists";
import { LegacyBrowsers } from "./LegacyBrowsers";
import styles from "./SettingsPage.module.css";

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

const LEGACY = "legacy-browsers";

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
      {project.data && <FilterLists key={project.data.id} org={org} project={project.data} />}
    </Page>
  );
}

function Switches({ org, slug, filters }: { org: string; slug: string; filters: InboundFilter[] }) {
  const client = useQueryClient();
  /** The browsers that were chosen when the filter was switched off: they are chosen again when it is switched on. */
  const [chosen, setChosen] = useState<string[]>();
  const change = useMutation({
    mutationFn: ({ id, ...state }: { id: string } & InboundFilterRequest) => updateFilter(org, slug, id, state),
    onSuccess: (_, { id, active, subfilters }) => {
      const isOn = subfilters ? subfilters.length > 0 : active;
      notify(`${WORDS[id]?.[0] ?? id}: ${isOn ? "filtered" : "kept"}`);
    },
    onError: (error) => notifyFailure("The filter was not changed.", error),
    onSettled: () => client.invalidateQueries({ queryKey: filtersQuery(org, slug).queryKey }),
  });
  return (
    <ul className={styles.rows}>
      {filters.map(({ id, active }) => {
        const [name, about] = WORDS[id] ?? [id, ""];
        const isOn = Array.isArray(active) ? active.length > 0 : active;
        const flip = () => {
          if (isOn && Array.isArray(active)) setChosen(active);
          const again = id === LEGACY && !isOn && chosen;
          change.mutate(again ? { id, subfilters: again } : { id, active: !isOn });
        };
        return (
          <li className={styles.row} key={id}>
            <div className={styles.words}>
              <label className={styles.switch}>
                <input checked={isOn} disabled={change.isPending} onChange={flip} type="checkbox" />
                <span>
                  {name}
                  <span className={styles.meta}>{about}</span>
                </span>
              </label>
              {id === LEGACY && (
                <LegacyBrowsers
                  active={active}
                  disabled={change.isPending}
                  onChoose={(subfilters) => change.mutate({ id, subfilters })}
                />
              )}
            </div>
          </li>
        );
      })}
    </ul>
  );
}
