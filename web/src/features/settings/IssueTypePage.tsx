import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";
import { removeIssueType, issueTypes as typesQuery } from "@/api/issueTypes";
import type { IssueType } from "@/api/models";
import { useAccess } from "@/api/useAccess";
import { Button, buttonClass } from "@/ui/Button";
import { Chip } from "@/ui/Chip";
import { Dialog } from "@/ui/Dialog";
import { Page } from "@/ui/Page";
import { Skeleton } from "@/ui/Skeleton";
import { Failure, State } from "@/ui/State";
import { notify, notifyFailure } from "@/ui/toast";
import { useTitle } from "@/ui/useTitle";
import { IssueTypeForm } from "./IssueTypeForm";
import styles from "./SettingsPage.module.css";

const route = getRouteApi("/signed-in/settings/$org/issue-types/$type");

/** The rules of one issue type. */
export function IssueTypePage() {
  const { org, type: slug } = route.useParams();
  const types = useQuery(typesQuery(org));
  const type = types.data?.find((each) => each.slug === slug);
  useTitle(type?.name ?? slug, "Issue types");
  if (types.isError && !types.data) {
    return <Failure error={types.error} isPage retry={types.refetch} what="The issue type" />;
  }
  if (types.data && !type) {
    return (
      <State
        isPage
        action={
          <Link className={buttonClass("plain")} params={{ org }} to="/settings/$org/issue-types/">
            All issue types
          </Link>
        }
        icon="search"
        title={`There is no issue type ${slug}`}
      >
        It may have been removed.
      </State>
    );
  }
  return (
    <Page
      action={
        <Link
          className={buttonClass("plain")}
          params={{ org }}
          search={{ query: `issue.type:${slug}` }}
          to="/organizations/$org/issues/"
        >
          Its issues
        </Link>
      }
      lead={type ? <TypeLead type={type} /> : slug}
      title={type?.name ?? <Skeleton height={20} width={180} />}
    >
      {type ? <IssueTypeForm key={JSON.stringify(type)} org={org} type={type} /> : <Skeleton height={420} />}
      {type && (type.isOverridden || !type.isBuiltIn) && <Removal org={org} type={type} />}
    </Page>
  );
}

function TypeLead({ type }: { type: IssueType }) {
  return (
    <>
      <code>{type.slug}</code>, number {type.type}{" "}
      {type.isBuiltIn ? type.isOverridden && <Chip tone="warning">Changed</Chip> : <Chip tone="info">Own</Chip>}
    </>
  );
}

/** Takes the definition away: resets a built-in type, removes an own one. */
function Removal({ org, type }: { org: string; type: IssueType }) {
  const client = useQueryClient();
  const navigate = route.useNavigate();
  const mayChange = useAccess(org, "org:write");
  const [asking, setAsking] = useState(false);
  const isReset = type.isBuiltIn;
  const remove = useMutation({
    mutationFn: () => removeIssueType(org, type.slug),
    onSuccess: async () => {
      notify(isReset ? `${type.name} has its own rules again` : `Issue type ${type.name} removed`);
      if (!isReset) await navigate({ to: "/settings/$org/issue-types/", params: { org } });
      await client.invalidateQueries({ queryKey: typesQuery(org).queryKey });
    },
    onError: (error) => notifyFailure(isReset ? "The rules were not reset." : "The type was not removed.", error),
    onSettled: () => setAsking(false),
  });
  const verb = isReset ? "Reset rules" : "Remove type";
  return (
    <section aria-labelledby="removal" className={styles.part}>
      <h2 id="removal">{isReset ? "Built-in rules" : "Remove this type"}</h2>
      <p className={styles.about}>
        {isReset
          ? "Give the type the rules back that it came with. Issues stay as they are."
          : "A type can be removed while it has no issues."}
      </p>
      <Button disabled={mayChange === false} look="danger" onClick={() => setAsking(true)}>
        {verb}
      </Button>
      {asking && (
        <Dialog onClose={() => setAsking(false)} title={`${isReset ? "Reset the rules of" : "Remove"} ${type.name}?`}>
          <div className={styles.form}>
            <p>
              {isReset
                ? "What your organization changed is lost."
                : `Occurrences of ${type.slug} are refused from then on.`}
            </p>
            <div className={styles.buttons}>
              <Button onClick={() => setAsking(false)}>Cancel</Button>
              <Button busy={remove.isPending} look="danger" onClick={() => remove.mutate()}>
                {verb}
              </Button>
            </div>
          </div>
        </Dialog>
      )}
    </section>
  );
}
