import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import type { FormEvent } from "react";
import type { Project } from "@/api/models";
import { project as projectQuery, updateProject } from "@/api/projects";
import { Button, buttonClass } from "@/ui/Button";
import { Field } from "@/ui/Field";
import { Page } from "@/ui/Page";
import { Skeleton } from "@/ui/Skeleton";
import { Failure } from "@/ui/State";
import { notify, notifyFailure } from "@/ui/toast";
import { useTitle } from "@/ui/useTitle";
import { AllowedDomains } from "./AllowedDomains";
import { ClientKeys } from "./ClientKeys";
import { ProjectTokens } from "./ProjectTokens";
import styles from "./SettingsPage.module.css";

const route = getRouteApi("/signed-in/settings/$org/projects/$project");

/** A project's name and the keys and tokens that its clients and detectors send with. */
export function ProjectPage() {
  const { org, project: slug } = route.useParams();
  const project = useQuery(projectQuery(org, slug));
  useTitle("Settings", project.data?.name);
  if (project.isError && !project.data) {
    return <Failure error={project.error} isPage retry={project.refetch} what="The project" />;
  }
  return (
    <Page
      action={
        <div className={styles.links}>
          <Link
            className={buttonClass("plain")}
            params={{ org }}
            search={{ project: slug }}
            to="/organizations/$org/stats/"
          >
            Stats
          </Link>
          <Link
            className={buttonClass("plain")}
            params={{ org, project: slug }}
            search={{}}
            to="/organizations/$org/projects/$project/getting-started/"
          >
            Set up
          </Link>
        </div>
      }
      lead={slug}
      title={project.data?.name ?? <Skeleton height={20} width={140} />}
    >
      {project.data && <General key={project.data.id} org={org} project={project.data} />}
      <EventRules org={org} slug={slug} />
      <ClientKeys org={org} slug={slug} />
      {project.data && <AllowedDomains key={`domains-${project.data.id}`} org={org} project={project.data} />}
      <ProjectTokens org={org} slug={slug} />
    </Page>
  );
}

/** Where it is chosen what becomes of the project's events. */
function EventRules({ org, slug }: { org: string; slug: string }) {
  const params = { org, project: slug };
  return (
    <section aria-labelledby="event-rules" className={styles.part}>
      <div className={styles.partHead}>
        <h2 id="event-rules">What becomes of events</h2>
      </div>
      <ul className={styles.rows}>
        <li className={styles.row}>
          <div className={styles.words}>
            <p className={styles.name}>
              <Link params={params} to="/settings/$org/projects/$project/security-and-privacy/">
                Security & privacy
              </Link>
            </p>
            <p className={styles.meta}>What is taken out of events before they are stored</p>
          </div>
        </li>
        <li className={styles.row}>
          <div className={styles.words}>
            <p className={styles.name}>
              <Link params={params} to="/settings/$org/projects/$project/filters/">
                Inbound filters
              </Link>
            </p>
            <p className={styles.meta}>Which events are dropped</p>
          </div>
        </li>
        <li className={styles.row}>
          <div className={styles.words}>
            <p className={styles.name}>
              <Link params={params} to="/settings/$org/projects/$project/quotas/">
                Quotas
              </Link>
            </p>
            <p className={styles.meta}>How many are taken</p>
          </div>
        </li>
      </ul>
    </section>
  );
}

function General({ org, project }: { org: string; project: Project }) {
  const client = useQueryClient();
  const save = useMutation({
    mutationFn: (name: string) => updateProject(org, project.slug, { name }),
    onSuccess: async ({ name }) => {
      notify(`Project is now called ${name}`);
      await client.invalidateQueries({ queryKey: projectQuery(org, project.slug).queryKey });
      await client.invalidateQueries({ queryKey: ["projects", org] });
    },
    onError: (error) => notifyFailure("The name was not saved.", error),
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    save.mutate(String(new FormData(event.currentTarget).get("name")).trim());
  };
  return (
    <form className={styles.inline} onSubmit={submit}>
      <Field defaultValue={project.name} label="Name" maxLength={64} name="name" required />
      <Button busy={save.isPending} type="submit">
        Save
      </Button>
    </form>
  );
}
