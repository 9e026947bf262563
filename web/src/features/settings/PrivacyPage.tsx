import { useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import type { OrganizationDetail } from "@/api/models";
import { organizationOptions, updateOptions, updateOrganizationOptions } from "@/api/privacy";
import { project as projectQuery } from "@/api/projects";
import { useAccess } from "@/api/useAccess";
import { Page } from "@/ui/Page";
import { Skeleton } from "@/ui/Skeleton";
import { Failure } from "@/ui/State";
import { useTitle } from "@/ui/useTitle";
import { ScrubbingForm, SWITCHES } from "./ScrubbingForm";
import { ScrubbingPreview } from "./ScrubbingPreview";
import styles from "./SettingsPage.module.css";

const ofProject = getRouteApi("/signed-in/settings/$org/projects/$project/security-and-privacy");
const ofOrganization = getRouteApi("/signed-in/settings/$org/security-and-privacy");

/** What is taken out of a project's events. */
export function PrivacyPage() {
  const { org, project: slug } = ofProject.useParams();
  const client = useQueryClient();
  const project = useQuery(projectQuery(org, slug));
  const organization = useQuery(organizationOptions(org));
  useTitle("Security & privacy", project.data?.name);
  if (project.isError && !project.data) {
    return <Failure error={project.error} isPage retry={project.refetch} what="The project" />;
  }
  return (
    <Page
      lead={
        <>
          What is taken out of the events of{" "}
          <Link params={{ org, project: slug }} to="/settings/$org/projects/$project/">
            {slug}
          </Link>{" "}
          is neither stored nor indexed. A change counts from the next events on. The{" "}
          <Link params={{ org }} to="/settings/$org/security-and-privacy/">
            organization's settings
          </Link>{" "}
          hold as well.
        </>
      }
      title="Security & privacy"
    >
      {organization.data && <Required organization={organization.data} />}
      {project.data ? (
        <ScrubbingForm
          current={project.data}
          key={project.data.id}
          legend="Scrubbing"
          save={async (changes) => {
            client.setQueryData(projectQuery(org, slug).queryKey, await updateOptions(org, slug, changes));
          }}
        >
          {(settings) => <ScrubbingPreview org={org} settings={settings} slug={slug} />}
        </ScrubbingForm>
      ) : (
        <Skeleton height={320} />
      )}
    </Page>
  );
}

/** What the organization requires of the project; nothing when it requires nothing. */
function Required({ organization }: { organization: OrganizationDetail }) {
  const { sensitiveFields, safeFields, relayPiiConfig } = organization;
  const lines = [
    ...SWITCHES.filter(([name]) => organization[name]).map(([, label]) => label),
    ...(sensitiveFields.length > 0 ? [`Sensitive words: ${sensitiveFields.join(", ")}`] : []),
    ...(safeFields.length > 0 ? [`Safe fields: ${safeFields.join(", ")}`] : []),
    ...(relayPiiConfig === null ? [] : ["Advanced rules, which come before the project's"]),
  ];
  if (lines.length === 0) return null;
  return (
    <section aria-labelledby="required">
      <h2 id="required">Required by the organization</h2>
      <ul className={styles.about}>
        {lines.map((line) => (
          <li key={line}>{line}</li>
        ))}
      </ul>
    </section>
  );
}

/** What is taken out of the events of all projects of an organization. */
export function OrganizationPrivacyPage() {
  const { org } = ofOrganization.useParams();
  const client = useQueryClient();
  const organization = useQuery(organizationOptions(org));
  const mayChange = useAccess(org, "org:write");
  useTitle("Security & privacy", organization.data?.name);
  if (organization.isError && !organization.data) {
    return <Failure error={organization.error} isPage retry={organization.refetch} what="The organization" />;
  }
  return (
    <Page
      lead="What is taken out of the events of all projects, whatever each of them chooses. A change counts from the next events on."
      title="Security & privacy"
    >
      {organization.data ? (
        <ScrubbingForm
          current={organization.data}
          key={organization.data.id}
          legend="Required of all projects"
          mayChange={mayChange}
          save={async (changes) => {
            client.setQueryData(organizationOptions(org).queryKey, await updateOrganizationOptions(org, changes));
          }}
        />
      ) : (
        <Skeleton height={320} />
      )}
    </Page>
  );
}
