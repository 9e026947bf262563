import { useMutation } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useState } from "react";
import { ApiError } from "@/api/client";
import type { ScrubbingSettings } from "@/api/models";
import { readLines, writeLines } from "@/domain/lines";
import { Button } from "@/ui/Button";
import { notify } from "@/ui/toast";
import { AddRule } from "./AddRule";
import styles from "./SettingsPage.module.css";
import { TextArea } from "./TextArea";

/** The switches of scrubbing, and what they do. */
export const SWITCHES = [
  ["dataScrubber", "Scrub events before they are stored"],
  ["dataScrubberDefaults", "Take out what is nearly always a secret: passwords, keys, tokens, card numbers"],
  ["scrubIPAddresses", "Take out IP addresses"],
] as const;

interface Props {
  legend: string;
  current: ScrubbingSettings;
  /** Saves the settings; what is wrong with them is an `ApiError` with the places. */
  save: (settings: ScrubbingSettings) => Promise<unknown>;
  /** Whether they may be changed; `undefined` while that is not known. */
  mayChange?: boolean | undefined;
  /** What is shown below, given the settings in hand. */
  children?: (settings: ScrubbingSettings) => ReactNode;
}

/** The settings of scrubbing, of a project or an organization. */
export function ScrubbingForm({ legend, current, save, mayChange = true, children }: Props) {
  const [on, setOn] = useState(() => Object.fromEntries(SWITCHES.map(([name]) => [name, current[name]])));
  const [sensitive, setSensitive] = useState(writeLines(current.sensitiveFields));
  const [safe, setSafe] = useState(writeLines(current.safeFields));
  const [rules, setRules] = useState(pretty(current.relayPiiConfig));
  const settings: ScrubbingSettings = {
    dataScrubber: on.dataScrubber ?? false,
    dataScrubberDefaults: on.dataScrubberDefaults ?? false,
    scrubIPAddresses: on.scrubIPAddresses ?? false,
    sensitiveFields: readLines(sensitive),
    safeFields: readLines(safe),
    relayPiiConfig: rules.trim() === "" ? null : rules,
  };
  const saving = useMutation({
    mutationFn: () => save(settings),
    onSuccess: () => notify("Settings saved"),
  });
  const fields = saving.error instanceof ApiError ? saving.error.fields : {};
  const faultOf = (setting: string) => {
    const fault = Object.entries(fields).find(([place]) => place.startsWith(setting));
    return fault && `${fault[0]}: ${fault[1]}`;
  };
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    saving.mutate();
  };
  return (
    <>
      <form className={styles.form} noValidate onSubmit={submit}>
        <fieldset className={styles.switches}>
          <legend>{legend}</legend>
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
        {saving.isError && (
          <p className={styles.failure} role="alert">
            Not saved: {saving.error.message}
          </p>
        )}
        {mayChange ? (
          <div className={styles.buttons}>
            <Button busy={saving.isPending} look="primary" type="submit">
              Save settings
            </Button>
          </div>
        ) : (
          mayChange === false && <p className={styles.about}>Owners of the organization may change this.</p>
        )}
      </form>
      {children?.(settings)}
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
