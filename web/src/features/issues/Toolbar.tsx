import { Link } from "@tanstack/react-router";
import { type FormEvent, type RefObject, useEffect, useState } from "react";
import type { IssueSearch } from "@/api/issues";
import type { Project } from "@/api/models";
import { VIEWS, type ViewId, withView } from "@/domain/issueQuery";
import { compactNumber } from "@/domain/number";
import { Icon } from "@/ui/Icon";
import { Menu } from "@/ui/Menu";
import { KindMenu } from "./KindMenu";
import { DEFAULT_PERIOD, DEFAULT_SORT, type IssuesSearch, PERIODS, SORTS } from "./search";
import styles from "./Toolbar.module.css";

interface Props {
  org: string;
  /** The page's address. */
  search: IssuesSearch;
  request: IssueSearch;
  view: ViewId | null;
  /** How many issues each view has; `null` or absent while that is not known. */
  counts: (number | null)[];
  projects: Project[];
  searchBox: RefObject<HTMLInputElement | null>;
  /** What the server said to a search that it does not understand. */
  refusal: string | null;
  go: (change: Partial<IssuesSearch>) => void;
}

/** Views, search and filters of the list; each of them is in the address. */
export function Toolbar({ org, search, request, view, counts, projects, searchBox, refusal, go }: Props) {
  const sort = SORTS.find(({ value }) => value === request.sort);
  const period = PERIODS.find(({ value }) => value === request.statsPeriod);
  const [project, ...others] = request.project;
  const chosen = projects.find(({ id, slug }) => id === project || slug === project);
  return (
    <>
      <nav aria-label="Views" className={styles.tabs}>
        {VIEWS.map(({ id, name }, index) => (
          <Link
            aria-current={id === view ? "page" : undefined}
            className={styles.tab}
            key={id}
            params={{ org }}
            search={{ ...search, cursor: undefined, query: withView(request.query, id) }}
            to="/organizations/$org/issues/"
          >
            {name} <span className={styles.count}>{counts[index] != null && compactNumber(counts[index])}</span>
          </Link>
        ))}
      </nav>
      <div className={styles.tools}>
        <SearchBox box={searchBox} refusal={refusal} onSearch={(query) => go({ query })} query={request.query} />
        <div className={styles.filters}>
          {projects.length > 1 && (
            <Menu
              face={others.length > 0 ? `${request.project.length} projects` : (chosen?.name ?? "All projects")}
              icon="folder"
              items={[
                { label: "All projects", checked: project === undefined, onSelect: () => go({ project: undefined }) },
                ...projects.map(({ id, name }) => ({
                  label: name,
                  checked: others.length === 0 && chosen?.id === id,
                  onSelect: () => go({ project: id }),
                })),
              ]}
              label="Project"
            />
          )}
          <KindMenu onChange={(query) => go({ query })} org={org} query={request.query} />
          <Menu
            face={period?.name ?? request.statsPeriod}
            items={PERIODS.map(({ value, name }) => ({
              label: name,
              checked: value === request.statsPeriod,
              onSelect: () => go({ statsPeriod: value === DEFAULT_PERIOD ? undefined : value }),
            }))}
            label="Time range"
          />
          <Menu
            align="end"
            face={sort?.name ?? request.sort}
            icon="sort"
            items={SORTS.map(({ value, name }) => ({
              label: name,
              checked: value === request.sort,
              onSelect: () => go({ sort: value === DEFAULT_SORT ? undefined : value }),
            }))}
            label="Sort by"
          />
        </div>
      </div>
    </>
  );
}

interface SearchProps {
  query: string;
  box: RefObject<HTMLInputElement | null>;
  refusal: string | null;
  onSearch: (query: string) => void;
}

function SearchBox({ query, box, refusal, onSearch }: SearchProps) {
  const [text, setText] = useState(query);
  useEffect(() => setText(query), [query]);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onSearch(text.trim());
  };
  return (
    <search className={styles.search}>
      <form onSubmit={submit}>
        <Icon className={styles.glass} name="search" size={14} />
        <input
          aria-describedby={refusal ? "search-error" : undefined}
          aria-invalid={refusal ? true : undefined}
          aria-label="Search issues"
          autoComplete="off"
          className={styles.input}
          enterKeyHint="search"
          onChange={(event) => setText(event.target.value)}
          // What is typed next is a new word, not the end of the last one.
          onFocus={() => setText((current) => (current === "" || current.endsWith(" ") ? current : `${current} `))}
          onKeyDown={(event) => {
            if (event.key !== "Escape") return;
            setText(query);
            event.currentTarget.blur();
          }}
          placeholder="Search by text, or key:value such as level:error"
          ref={box}
          spellCheck={false}
          type="text"
          value={text}
        />
        {text === "" ? (
          <kbd className={styles.hint}>/</kbd>
        ) : (
          <button
            type="button"
            aria-label="Clear the search"
            className={styles.clear}
            onClick={() => {
              onSearch("");
              box.current?.focus();
            }}
          >
            <Icon name="close" size={12} />
          </button>
        )}
      </form>
      {refusal && (
        <p className={styles.error} id="search-error" role="alert">
          {refusal}
        </p>
      )}
    </search>
  );
}
