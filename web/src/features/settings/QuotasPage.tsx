import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";
import type { Quota } from "@/api/models";
import { projectKeys, projects as projectsQuery } from "@/api/projects";
import { deleteQuota, type QuotaOwner, quotas as quotasQuery } from "@/api/quotas";
import { useAccess } from "@/api/useAccess";
import { categoryName } from "@/domain/outcomes";
import { amount, limitText, usedPercent } from "@/domain/quota";
import { Button } from "@/ui/Button";
import { Chip } from "@/ui/Chip";
import { Dialog } from "@/ui/Dialog";
import { Page } from "@/ui/Page";
import { Skeleton } from "@/ui/Skeleton";
import { Failure, State } from "@/ui/State";
import { Time } from "@/ui/Time";
import { notify, notifyFailure } from "@/ui/toast";
import { useTitle } from "@/ui/useTitle";
import { QuotaForm } from "./QuotaForm";
import styles from "./QuotasPage.module.css";
import settings from "./SettingsPage.module.css";

const ofOrganization = getRouteApi("/signed-in/settings/$org/quotas");
const ofProject = getRouteApi("/signed-in/settings/$org/projects/$project/quotas");

/** How much an organization takes in all. */
export function OrganizationQuotasPage() {
  const { org } = ofOrganization.useParams();
  const mayChange = useAccess(org, "org:write");
  const names = useQuery(projectsQuery(org)).data ?? [];
  return (
    <Quotas
      lead="How much SDKs may send before the server answers 429. Each project can have quotas of its own, too."
      mayChange={mayChange}
      nameOf={(quota) => names.find(({ id }) => id === quota.scopeId)?.name}
      owner={{ org, project: null }}
      targets={names.map(({ id, name }) => ({ scope: "project", id, name }))}
    />
  );
}

/** How much a project takes. */
export function ProjectQuotasPage() {
  const { org, project } = ofProject.useParams();
  const mayChange = useAccess(org, "project:write");
  const keys = useQuery(projectKeys(org, project)).data ?? [];
  return (
    <Quotas
      lead={
        <>
          How much SDKs may send to{" "}
          <Link params={{ org, project }} to="/settings/$org/projects/$project/">
            {project}
          </Link>
          . The{" "}
          <Link params={{ org }} to="/settings/$org/quotas/">
            organization's quotas
          </Link>{" "}
          limit it as well.
        </>
      }
      mayChange={mayChange}
      nameOf={(quota) => keys.find(({ id }) => id === quota.scopeId)?.name}
      owner={{ org, project }}
      targets={keys.map(({ id, name }) => ({ scope: "key", id, name }))}
    />
  );
}

/** A project or key that a quota can be for. */
export interface Target {
  scope: string;
  id: string;
  name: string;
}

interface Props {
  owner: QuotaOwner;
  lead: React.ReactNode;
  /** `undefined` while that is not known. */
  mayChange: boolean | undefined;
  targets: Target[];
  nameOf: (quota: Quota) => string | undefined;
}

function Quotas({ owner, lead, mayChange, targets, nameOf }: Props) {
  const client = useQueryClient();
  const quotas = useQuery(quotasQuery(owner));
  const [edited, setEdited] = useState<Quota | "new" | null>(null);
  const [doomed, setDoomed] = useState<Quota | null>(null);
  useTitle("Quotas", owner.project ?? undefined);
  const reload = () => client.invalidateQueries({ queryKey: quotasQuery(owner).queryKey });
  const remove = useMutation({
    mutationFn: (quota: Quota) => deleteQuota(owner, quota.id),
    onSuccess: async () => {
      notify("Quota removed");
      await reload();
      // The button that had the focus went with its row.
      document.getElementById("main")?.focus({ preventScroll: true });
    },
    onError: (error) => notifyFailure("The quota was not removed.", error),
  });
  if (quotas.isError && !quotas.data) {
    return <Failure error={quotas.error} isPage retry={quotas.refetch} what="The quotas" />;
  }
  const add = mayChange && (
    <Button icon="plus" onClick={() => setEdited("new")}>
      Add quota
    </Button>
  );
  return (
    <Page action={quotas.data && quotas.data.length > 0 ? add : undefined} lead={lead} title="Quotas">
      {mayChange === false && (
        <p className={settings.note}>
          Only {owner.project === null ? "an owner of the organization (scope org:write)" : "scope project:write"} can
          change quotas.
        </p>
      )}
      {quotas.isPending && <Skeleton height={160} />}
      {quotas.data?.length === 0 && (
        <State action={add} icon="filter" title="No quota yet">
          <p>Everything that SDKs send is taken.</p>
        </State>
      )}
      {quotas.data && quotas.data.length > 0 && (
        <ul className={settings.rows}>
          {quotas.data.map((quota) => (
            <li className={settings.row} key={quota.id}>
              <div className={settings.words}>
                <p className={settings.name}>
                  {whatText(quota)}: {limitText(quota)} {quota.limit === 0 && <Chip tone="warning">Closed</Chip>}
                </p>
                <p className={settings.meta}>
                  <span>{scopeText(quota, owner, nameOf(quota))}</span>
                  <span>
                    counted as <code>{quota.reasonCode}</code>
                  </span>
                </p>
                <Usage quota={quota} />
              </div>
              {mayChange && (
                <div className={settings.links}>
                  <Button aria-label={`Change ${whatText(quota)}`} onClick={() => setEdited(quota)}>
                    Change
                  </Button>
                  <Button aria-label={`Remove ${whatText(quota)}`} look="danger" onClick={() => setDoomed(quota)}>
                    Remove
                  </Button>
                </div>
              )}
            </li>
          ))}
        </ul>
      )}
      {edited && (
        <QuotaForm
          onClose={() => setEdited(null)}
          onSaved={reload}
          owner={owner}
          quota={edited === "new" ? null : edited}
          targets={targets}
        />
      )}
      {doomed && (
        <Dialog onClose={() => setDoomed(null)} title="Remove this quota?">
          <div className={settings.form}>
            <p>
              {whatText(doomed)}: {limitText(doomed)}. From the next request on it does not count.
            </p>
            <div className={settings.buttons}>
              <Button onClick={() => setDoomed(null)}>Keep it</Button>
              <Button
                look="danger"
                onClick={() => {
                  remove.mutate(doomed);
                  setDoomed(null);
                }}
              >
                Remove quota
              </Button>
            </div>
          </div>
        </Dialog>
      )}
    </Page>
  );
}

/** What is used in the present window. */
function Usage({ quota }: { quota: Quota }) {
  if (!quota.usage) return null;
  const { used, resetsAt } = quota.usage;
  const share = usedPercent(used, quota.limit);
  const words = `${amount(used, quota.categories)} used now`;
  return (
    <div className={styles.usage}>
      {share !== null && (
        <span aria-hidden="true" className={styles.bar}>
          <span className={share >= 100 ? styles.full : styles.part} style={{ width: `${share}%` }} />
        </span>
      )}
      <span className={styles.words}>
        {share === null ? words : `${words}, ${share}%`}; begins anew <Time value={resetsAt} />
      </span>
    </div>
  );
}

function whatText(quota: Quota): string {
  return quota.categories.length === 0 ? "Everything" : quota.categories.map(categoryName).join(", ");
}

function scopeText(quota: Quota, owner: QuotaOwner, name: string | undefined): string {
  if (quota.scope === "organization") return "All projects together";
  if (quota.scope === "key") return quota.scopeId ? `Key ${name ?? quota.scopeId}` : "Each key";
  if (owner.project !== null) return "The project";
  return quota.scopeId ? `Project ${name ?? quota.scopeId}` : "Each project";
}
