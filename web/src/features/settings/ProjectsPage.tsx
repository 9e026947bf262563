import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { createProject, projects as projectsQuery } from "@/api/projects";
import { Button, buttonClass } from "@/ui/Button";
import { Chip } from "@/ui/Chip";
import { Dialog } from "@/ui/Dialog";
import { Field } from "@/ui/Field";
import { Page } from "@/ui/Page";
import { Skeleton } from "@/ui/Skeleton";
import { Failure, State } from "@/ui/State";
import { Time } from "@/ui/Time";
import { useTitle } from "@/ui/useTitle";
import { PLATFORM_NAMES } from "./platforms";
import styles from "./SettingsPage.module.css";

const route = getRouteApi("/signed-in/organizations/$org/projects");

export function ProjectsPage() {
  const { org } = route.useParams();
  const projects = useQuery(projectsQuery(org));
  const [creating, setCreating] = useState(false);
  useTitle("Projects");
  return (
    <Page
      action={
        <Button icon="plus" look="primary" onClick={() => setCreating(true)}>
          Create project
        </Button>
      }
      lead="A project receives the errors of one application."
      title="Projects"
    >
      {projects.isPending && <Skeleton height={168} />}
      {projects.isError && !projects.data && (
        <Failure error={projects.error} retry={projects.refetch} what="The projects" />
      )}
      {projects.data?.length === 0 && (
        <State icon="folder" title="No project yet">
          Create one to get the address that your application sends to.
        </State>
      )}
      {projects.data && projects.data.length > 0 && (
        <ul className={styles.rows}>
          {projects.data.map(({ id, slug, name, platform, firstEvent }) => (
            <li className={styles.row} key={id}>
              <div className={styles.words}>
                <p className={styles.name}>
                  <Link params={{ org }} search={{ project: id }} to="/organizations/$org/issues/">
                    {name}
                  </Link>
                </p>
                <p className={styles.meta}>
                  <span>{PLATFORM_NAMES.find((each) => each.id === platform)?.name ?? platform ?? "No platform"}</span>
                  {firstEvent ? (
                    <span>
                      first event <Time value={firstEvent} />
                    </span>
                  ) : (
                    <Chip tone="warning">No event yet</Chip>
                  )}
                </p>
              </div>
              <div className={styles.links}>
                <Link
                  className={buttonClass("plain")}
                  params={{ org, project: slug }}
                  search={{}}
                  to="/organizations/$org/projects/$project/getting-started/"
                >
                  Set up
                </Link>
                <Link
                  className={buttonClass("plain")}
                  params={{ org, project: slug }}
                  to="/settings/$org/projects/$project/"
                >
                  Settings
                </Link>
              </div>
            </li>
          ))}
        </ul>
      )}
      {creating && <CreateProject onClose={() => setCreating(false)} org={org} />}
    </Page>
  );
}

function CreateProject({ org, onClose }: { org: string; onClose: () => void }) {
  const client = useQueryClient();
  const navigate = route.useNavigate();
  const create = useMutation({
    mutationFn: ({ name, platform }: { name: string; platform: string }) => createProject(org, name, platform),
    onSuccess: async (project) => {
      await client.invalidateQueries({ queryKey: projectsQuery(org).queryKey });
      await navigate({
        to: "/organizations/$org/projects/$project/getting-started/",
        params: { org, project: project.slug },
        search: {},
      });
    },
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    create.mutate({ name: String(form.get("name")).trim(), platform: String(form.get("platform")) });
  };
  return (
    <Dialog onClose={onClose} title="Create project">
      <form className={styles.form} onSubmit={submit}>
        <Field autoFocus label="Name" maxLength={64} name="name" placeholder="web" required />
        <label className={styles.label}>
          Platform
          <select className={styles.select} defaultValue="python" name="platform">
            {PLATFORM_NAMES.map(({ id, name }) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </select>
        </label>
        {create.isError && (
          <p className={styles.failure} role="alert">
            {create.error.message}
          </p>
        )}
        <div className={styles.buttons}>
          <Button onClick={onClose}>Cancel</Button>
          <Button busy={create.isPending} look="primary" type="submit">
            Create project
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
