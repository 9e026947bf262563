import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { createTeam, teams as teamsQuery } from "@/api/teams";
import { count } from "@/domain/number";
import { Button } from "@/ui/Button";
import { Chip } from "@/ui/Chip";
import { Dialog } from "@/ui/Dialog";
import { Field } from "@/ui/Field";
import { Page } from "@/ui/Page";
import { Skeleton } from "@/ui/Skeleton";
import { Failure, State } from "@/ui/State";
import { useTitle } from "@/ui/useTitle";
import styles from "./SettingsPage.module.css";

const route = getRouteApi("/signed-in/settings/$org/teams");

/** The teams of an organization. */
export function TeamsPage() {
  const { org } = route.useParams();
  const teams = useQuery(teamsQuery(org));
  const [creating, setCreating] = useState(false);
  useTitle("Teams");
  return (
    <Page
      action={
        <Button icon="plus" look="primary" onClick={() => setCreating(true)}>
          Create team
        </Button>
      }
      lead="A team takes care of projects, and issues can be assigned to it."
      title="Teams"
    >
      {teams.isPending && <Skeleton height={120} />}
      {teams.isError && !teams.data && <Failure error={teams.error} retry={teams.refetch} what="The teams" />}
      {teams.data?.length === 0 && (
        <State icon="user" title="No teams">
          Create one for people who take care of the same projects.
        </State>
      )}
      {teams.data && teams.data.length > 0 && (
        <ul className={styles.rows}>
          {teams.data.map((team) => (
            <li className={styles.row} key={team.id}>
              <div className={styles.words}>
                <p className={styles.name}>
                  <Link params={{ org, team: team.slug }} to="/settings/$org/teams/$team/">
                    {team.name}
                  </Link>{" "}
                  {team.isMember && <Chip tone="info">You are in it</Chip>}
                </p>
                <p className={styles.meta}>
                  <code>#{team.slug}</code>
                  <span>{count(team.memberCount, "member")}</span>
                  <span>{count(team.projects.length, "project")}</span>
                </p>
              </div>
            </li>
          ))}
        </ul>
      )}
      {creating && <CreateTeam onClose={() => setCreating(false)} org={org} />}
    </Page>
  );
}

function CreateTeam({ org, onClose }: { org: string; onClose: () => void }) {
  const client = useQueryClient();
  const navigate = route.useNavigate();
  const create = useMutation({
    mutationFn: (name: string) => createTeam(org, name),
    onSuccess: async ({ slug }) => {
      await client.invalidateQueries({ queryKey: teamsQuery(org).queryKey });
      await navigate({ to: "/settings/$org/teams/$team/", params: { org, team: slug } });
    },
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    create.mutate(String(new FormData(event.currentTarget).get("name")).trim());
  };
  return (
    <Dialog onClose={onClose} title="Create team">
      <form className={styles.form} onSubmit={submit}>
        <Field label="Name" maxLength={64} name="name" placeholder="Checkout" required />
        {create.isError && (
          <p className={styles.failure} role="alert">
            {create.error.message}
          </p>
        )}
        <div className={styles.buttons}>
          <Button onClick={onClose}>Cancel</Button>
          <Button busy={create.isPending} look="primary" type="submit">
            Create team
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
