import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { ApiError } from "@/api/client";
import { createIssueType, issueTypes as typesQuery } from "@/api/issueTypes";
import type { IssueType } from "@/api/models";
import { count } from "@/domain/number";
import { words } from "@/domain/words";
import { Button } from "@/ui/Button";
import { Chip } from "@/ui/Chip";
import { Dialog } from "@/ui/Dialog";
import { Field } from "@/ui/Field";
import { Page } from "@/ui/Page";
import { Skeleton } from "@/ui/Skeleton";
import { Failure, State } from "@/ui/State";
import { useTitle } from "@/ui/useTitle";
import styles from "./SettingsPage.module.css";

const route = getRouteApi("/signed-in/settings/$org/issue-types");

/** The kinds of issues an organization has: own ones first, then those it changed, then the others. */
export function IssueTypesPage() {
  const { org } = route.useParams();
  const types = useQuery(typesQuery(org));
  const [text, setText] = useState("");
  const [creating, setCreating] = useState(false);
  useTitle("Issue types");

  const needle = text.trim().toLowerCase();
  const found = (types.data ?? [])
    .filter(({ name, slug, category }) => [name, slug, category].some((part) => part.toLowerCase().includes(needle)))
    .toSorted((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name));
  return (
    <Page
      action={
        <Button icon="plus" look="primary" onClick={() => setCreating(true)}>
          Create type
        </Button>
      }
      lead="What detectors report becomes issues by the rules of its type. Change those of built-in types, or define your own."
      title="Issue types"
    >
      {types.data && (
        <input
          aria-label="Search issue types"
          className={styles.filter}
          onChange={(change) => setText(change.target.value)}
          placeholder="Search by name, slug or category"
          type="search"
          value={text}
        />
      )}
      {types.isPending && <Skeleton height={420} />}
      {types.isError && !types.data && <Failure error={types.error} retry={types.refetch} what="The issue types" />}
      {types.data && found.length === 0 && (
        <State icon="search" title="No type matches">
          Search for a part of a name, slug or category.
        </State>
      )}
      {found.length > 0 && (
        <ul className={styles.rows}>
          {found.map((type) => (
            <li className={styles.row} key={type.slug}>
              <div className={styles.words}>
                <p className={styles.name}>
                  <Link params={{ org, type: type.slug }} to="/settings/$org/issue-types/$type/">
                    {type.name}
                  </Link>{" "}
                  {!type.isBuiltIn && <Chip tone="info">Own</Chip>}
                  {type.isOverridden && <Chip tone="warning">Changed</Chip>}
                </p>
                <p className={styles.meta}>
                  <code>{type.slug}</code>
                  <span>{words(type.category)}</span>
                  <span>{words(type.defaultPriority)} priority</span>
                  <span>{noiseText(type)}</span>
                  <span>{quotaText(type)}</span>
                </p>
              </div>
            </li>
          ))}
        </ul>
      )}
      {creating && <CreateIssueType onClose={() => setCreating(false)} org={org} />}
    </Page>
  );
}

function rank({ isBuiltIn, isOverridden }: IssueType): number {
  if (!isBuiltIn) return 0;
  return isOverridden ? 1 : 2;
}

function noiseText({ noise }: IssueType): string {
  return noise === null ? "from the first sighting" : `from sighting ${noise.ignoreLimit.toLocaleString("en-US")} on`;
}

function quotaText({ creationQuota, limitsProducersOnly }: IssueType): string {
  // An application's own errors are never refused for being new.
  if (creationQuota === null || limitsProducersOnly) return "any number of issues";
  const { limit, windowSecs } = creationQuota;
  const window = windowSecs === 3_600 ? "an hour" : `in ${count(windowSecs, "second")}`;
  return `at most ${count(limit, "issue")} ${window}`;
}

function CreateIssueType({ org, onClose }: { org: string; onClose: () => void }) {
  const client = useQueryClient();
  const navigate = route.useNavigate();
  const create = useMutation({
    mutationFn: (body: { name: string; slug: string; category: string }) => createIssueType(org, body),
    onSuccess: async ({ slug }) => {
      await client.invalidateQueries({ queryKey: typesQuery(org).queryKey });
      await navigate({ to: "/settings/$org/issue-types/$type/", params: { org, type: slug } });
    },
  });
  const fields = create.error instanceof ApiError ? create.error.fields : {};
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const text = (name: string) => String(form.get(name)).trim();
    create.mutate({ name: text("name"), slug: text("slug"), category: text("category") });
  };
  return (
    <Dialog onClose={onClose} title="Create issue type">
      <form className={styles.form} onSubmit={submit}>
        <Field
          autoFocus
          error={fields.name}
          label="Name"
          maxLength={100}
          name="name"
          placeholder="Disk full"
          required
        />
        <Field
          error={fields.slug}
          hint="What occurrences and searches call it; it can't be changed later"
          label="Slug"
          maxLength={64}
          name="slug"
          placeholder="disk_full"
          required
        />
        <Field error={fields.category} label="Category" maxLength={64} name="category" placeholder="outage" required />
        {create.isError && Object.keys(fields).length === 0 && (
          <p className={styles.failure} role="alert">
            {create.error.message}
          </p>
        )}
        <div className={styles.buttons}>
          <Button onClick={onClose}>Cancel</Button>
          <Button busy={create.isPending} look="primary" type="submit">
            Create type
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
