import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { ApiError } from "@/api/client";
import type { ProjectDetail } from "@/api/models";
import { updateOptions } from "@/api/privacy";
import { project as projectQuery } from "@/api/projects";
import { readLines, writeLines } from "@/domain/lines";
import { Button } from "@/ui/Button";
import { Page } from "@/ui/Page";
import { Skeleton } from "@/ui/Skeleton";
import { Failure } from "@/ui/State";
import { notify } from "@/ui/toast";
import { useTitle } from "@/ui/useTitle";
import { AddRule } from "./AddRule";
import { ScrubbingPreview } from "./ScrubbingPreview";
import styles from "./SettingsPage.module.css";
import { TextArea } from "./TextArea";

const route = getRouteApi("/signed-in/settings/$org/projects/$project/security-and-privacy");

const SWITCHES = [
  ["dataScrubber", "Scrub events before they are stored"],
  ["dataScrubberDefaults", "Take out what is nearly always a secret: passwords, keys, tokens, card numbers"],
  ["scrubIPAddresses", "Take out IP addresses"],
] as const;

/** What is taken out of a project's events. */
export function PrivacyPage() {
  const { org, project: slug } = route.useParams();
  const project = useQuery(projectQuery(org, slug));
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
          is neither stored nor indexed. A change counts from the next events on.
        </>
      }
      title="Security & privacy"
    >
      {project.data ? <Settings key={project.data.id} org={org} project={project.data} /> : <Skeleton height={320} />}
    </Page>
  );
}

function Settings({ org, project }: { org: string; project: ProjectDetail }) {
  const client = useQueryClient();
  const [on, setOn] = useState(() => Object.fromEntries(SWITCHES.map(([name]) => [name, project[name]])));
  const [sensitive, setSensitive] = useState(writeLines(project.sensitiveFields));
  const [safe, setSafe] = useState(writeLines(project.safeFields));
  const [rules, setRules] = useState(pretty(project.relayPiiConfig));
  const settings = {
    ...on,
    sensitiveFields: readLines(sensitive),
    safeFields: readLines(safe),
    relayPiiConfig: rules.trim() === "" ? null : rules,
  };
  const save = useMutation({
    mutationFn: () => updateOptions(org, project.slug, settings),
    onSuccess: async () => {
      notify("Settings saved");
      await client.invalidateQueries({ queryKey: projectQuery(org, project.slug).queryKey });
    },
  });
  const fields = save.error instanceof ApiError ? save.error.fields : {};
  const faultOf = (setting: string) => {
    const fault = Object.entries(fields).find(([place]) => place.startsWith(setting));
    return fault && `${fault[0]}: ${fault[1]}`;
  };
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    save.mutate();
  };
  return (
    <>
      <form className={styles.form} noValidate onSubmit={submit}>
        <fieldset className={styles.switches}>
          <legend>Scrubbing</legend>
          {SWITCHES.map(([name, label]) => (
            <label key={name}>
              <input
                checked={on[name] ?? false}
                onChange={(event) => setOn({ ...on, [name]: event.target.checked })}
                type="checkbox"
              />
              {label}
            </label>
          ))}
        </fieldset>
        <TextArea
          error={faultOf("sensitiveFields")}
          label="Sensitive words, one a line"
          note="What has one of them in its name or in its text is taken out"
          onChange={setSensitive}
          value={sensitive}
        />
        <TextArea
          error={faultOf("safeFields")}
          label="Safe fields, one a line"
          note="Names, or selectors such as extra.author, that the settings above leave alone"
          onChange={setSafe}
          value={safe}
        />
        <TextArea
          error={faultOf("relayPiiConfig")}
          isCode
          label="Advanced rules"
          note="JSON with rules, and applications that say by selectors where each is applied"
          onChange={setRules}
          rows={10}
          value={rules}
        />
        <AddRule onAdd={setRules} text={rules} />
        {save.isError && (
          <p className={styles.failure} role="alert">
            Not saved: {save.error.message}
          </p>
        )}
        <div className={styles.buttons}>
          <Button busy={save.isPending} look="primary" type="submit">
            Save settings
          </Button>
        </div>
      </form>
      <ScrubbingPreview org={org} settings={settings} slug={project.slug} />
    </>
  );
}

function pretty(config: string | null): string {
  if (config === null) return "";
  try {
    return JSON.stringify(JSON.parse(config), null, 2);
  } catch {
    return config;
  }
}
