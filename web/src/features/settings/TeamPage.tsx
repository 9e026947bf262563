import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import type { Team } from "@/api/models";
import { members as membersQuery, projects as projectsQuery } from "@/api/projects";
import { deleteTeam, renameTeam, setMembership, setTeamProject, teamMembers, teams as teamsQuery } from "@/api/teams";
import { useAccess } from "@/api/useAccess";
import { Button, buttonClass } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { Field } from "@/ui/Field";
import { Page } from "@/ui/Page";
import { Skeleton } from "@/ui/Skeleton";
import { Failure, State } from "@/ui/State";
import { notify, notifyFailure } from "@/ui/toast";
import { useTitle } from "@/ui/useTitle";
import styles from "./SettingsPage.module.css";

const route = getRouteApi("/signed-in/settings/$org/teams/$team");

/** One team: its name, who is in it, which projects it takes care of. */
export function TeamPage() {
  const { org, team: slug } = route.useParams();
  const teams = useQuery(teamsQuery(org));
  const team = teams.data?.find((each) => each.slug === slug);
  useTitle(team?.name ?? slug, "Teams");
  if (teams.isError && !teams.data) {
    return <Failure error={teams.error} isPage retry={teams.refetch} what="The team" />;
  }
  if (teams.data && !team) {
    return (
      <State
        isPage
        action={
          <Link className={buttonClass("plain")} params={{ org }} to="/settings/$org/teams/">
            All teams
          </Link>
        }
        icon="search"
        title={`There is no team ${slug}`}
      >
        It may have been removed.
      </State>
    );
  }
  return (
    <Page lead={`#${slug}`} title={team?.name ?? <Skeleton height={20} width={140} />}>
      {team ? (
        <>
          <Name key={team.name} org={org} team={team} />
          <Members org={org} team={team} />
          <Projects org={org} team={team} />
          <Removal org={org} team={team} />
        </>
      ) : (
        <Skeleton height={320} />
      )}
    </Page>
  );
}

interface Props {
  org: string;
  team: Team;
}

function Name({ org, team }: Props) {
  const client = useQueryClient();
  const save = useMutation({
    mutationFn: (name: string) => renameTeam(org, team.slug, name),
    onSuccess: ({ name }) => {
      notify(`Team is now called ${name}`);
      return client.invalidateQueries({ queryKey: teamsQuery(org).queryKey });
    },
    onError: (error) => notifyFailure("The name was not saved.", error),
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    save.mutate(String(new FormData(event.currentTarget).get("name")).trim());
  };
  return (
    <form className={styles.inline} onSubmit={submit}>
      <Field defaultValue={team.name} label="Name" maxLength={64} name="name" required />
      <Button busy={save.isPending} type="submit">
        Save
      </Button>
    </form>
  );
}

/** Everybody in the organization, those in the team ticked. */
function Members({ org, team }: Props) {
  const client = useQueryClient();
  const everybody = useQuery(membersQuery(org));
  const inTeam = useQuery(teamMembers(org, team.slug));
  const ids = new Set(inTeam.data?.map(({ id }) => id));
  const set = useMutation({
    mutationFn: ({ id, isIn }: { id: string; isIn: boolean }) => setMembership(org, team.slug, id, isIn),
    onError: (error) => notifyFailure("The members were not changed.", error),
    onSettled: async () => {
      await client.invalidateQueries({ queryKey: teamMembers(org, team.slug).queryKey });
      await client.invalidateQueries({ queryKey: teamsQuery(org).queryKey });
    },
  });
  const failed = inTeam.isError ? inTeam : everybody;
  return (
    <section aria-labelledby="members" className={styles.part}>
      <h2 id="members">Members</h2>
      {failed.isError && <Failure error={failed.error} retry={failed.refetch} what="The members" />}
      {everybody.data && inTeam.data ? (
        <Choices
          busy={set.isPending}
          choices={everybody.data.map(({ id, name, email }) => ({ id, label: name || email, chosen: ids.has(id) }))}
          legend="In the team"
          onChange={(id, isIn) => set.mutate({ id, isIn })}
        />
      ) : (
        !failed.isError && <Skeleton height={72} />
      )}
    </section>
  );
}

function Projects({ org, team }: Props) {
  const client = useQueryClient();
  const projects = useQuery(projectsQuery(org));
  const slugs = new Set(team.projects.map(({ slug }) => slug));
  const set = useMutation({
    mutationFn: ({ slug, has }: { slug: string; has: boolean }) => setTeamProject(org, team.slug, slug, has),
    onError: (error) => notifyFailure("The projects were not changed.", error),
    onSettled: () => client.invalidateQueries({ queryKey: teamsQuery(org).queryKey }),
  });
  return (
    <section aria-labelledby="projects" className={styles.part}>
      <h2 id="projects">Projects</h2>
      {projects.isError && !projects.data && (
        <Failure error={projects.error} retry={projects.refetch} what="The projects" />
      )}
      {projects.isPending && <Skeleton height={72} />}
      {projects.data && (
        <Choices
          busy={set.isPending}
          choices={projects.data.map(({ slug, name }) => ({ id: slug, label: name, chosen: slugs.has(slug) }))}
          legend="The team takes care of"
          onChange={(slug, has) => set.mutate({ slug, has })}
        />
      )}
    </section>
  );
}

function Choices({
  legend,
  choices,
  busy,
  onChange,
}: {
  legend: string;
  choices: { id: string; label: string; chosen: boolean }[];
  busy: boolean;
  onChange: (id: string, chosen: boolean) => void;
}) {
  return (
    <fieldset className={styles.switches} disabled={busy}>
      <legend>{legend}</legend>
      {choices.map(({ id, label, chosen }) => (
        <label key={id}>
          <input checked={chosen} onChange={(change) => onChange(id, change.target.checked)} type="checkbox" />
          {label}
        </label>
      ))}
    </fieldset>
  );
}

function Removal({ org, team }: Props) {
  const client = useQueryClient();
  const navigate = route.useNavigate();
  const mayRemove = useAccess(org, "team:admin");
  const [asking, setAsking] = useState(false);
  const remove = useMutation({
    mutationFn: () => deleteTeam(org, team.slug),
    onSuccess: async () => {
      notify(`Team ${team.name} removed`);
      await navigate({ to: "/settings/$org/teams/", params: { org } });
      await client.invalidateQueries({ queryKey: teamsQuery(org).queryKey });
    },
    onError: (error) => notifyFailure("The team was not removed.", error),
    onSettled: () => setAsking(false),
  });
  return (
    <section aria-labelledby="removal" className={styles.part}>
      <h2 id="removal">Remove this team</h2>
      <p className={styles.about}>
        {mayRemove === false
          ? "Only an owner of the organization can remove a team."
          : "Its members and projects stay; its issues are assigned to nobody."}
      </p>
      <Button disabled={mayRemove === false} look="danger" onClick={() => setAsking(true)}>
        Remove team
      </Button>
      {asking && (
        <Dialog onClose={() => setAsking(false)} title={`Remove ${team.name}?`}>
          <div className={styles.form}>
            <p>This can't be undone.</p>
            <div className={styles.buttons}>
              <Button onClick={() => setAsking(false)}>Cancel</Button>
              <Button busy={remove.isPending} look="danger" onClick={() => remove.mutate()}>
                Remove team
              </Button>
            </div>
          </div>
        </Dialog>
      )}
    </section>
  );
}
