import { useMutation } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useState } from "react";
import { ApiError } from "@/api/client";
import type { ScrubbingSettings } from "@/api/models";
import { changed } from "@/domain/changed";
import { jsonFaults, listFaults } from "@/domain/faults";
import { readLines, writeLines } from "@/domain/lines";
import { Button } from "@/ui/Button";
import { notify } from "@/ui/toast";
import { AddRule } from "./AddRule";
import styles from "./SettingsPage.module.css";
import { TextArea } from "./TextArea";
import { UnsavedChanges } from "./UnsavedChanges";
import { useFaultFocus } from "./useFaultFocus";

/** The switches of scrubbing, and what they do. */
export const SWITCHES = [
  ["dataScrubber", "Scrub events before they are stored"],
  ["dataScrubberDefaults", "Take out what is nearly always a secret: passwords, keys, tokens, card numbers"],
  ["scrubIPAddresses", "Take out IP addresses"],
] as const;

interface Props {
  legend: string;
  current: ScrubbingSettings;
  /** Saves what was changed, and has the new settings in `current` when it is done; what is wrong with them is an
   * `ApiError` with the places. */
  save: (changes: Partial<ScrubbingSettings>) => Promise<unknown>;
  /** Whether they may be changed; `undefined` while that is not known. */
  mayChange?: boolean | undefined;
  /** What is shown below, given the settings in hand. */
  children?: (settings: ScrubbingSettings) => ReactNode;
}

/** What is in the fields. */
interface Texts {
  dataScrubber: boolean;
  dataScrubberDefaults: boolean;
  scrubIPAddresses: boolean;
  sensitiveFields: string;
  safeFields: string;
  relayPiiConfig: string;
}

function textsOf({ sensitiveFields, safeFields, relayPiiConfig, ...switches }: ScrubbingSettings): Texts {
  const { dataScrubber, dataScrubberDefaults, scrubIPAddresses } = switches;
  return {
    ...{ dataScrubber, dataScrubberDefaults, scrubIPAddresses },
    sensitiveFields: writeLines(sensitiveFields),
    safeFields: writeLines(safeFields),
    relayPiiConfig: pretty(relayPiiConfig),
  };
}

function settingsOf(texts: Texts): ScrubbingSettings {
  return {
    ...texts,
    sensitiveFields: readLines(texts.sensitiveFields),
    safeFields: readLines(texts.safeFields),
    relayPiiConfig: texts.relayPiiConfig.trim() === "" ? null : texts.relayPiiConfig,
  };
}

/** The settings of scrubbing, of a project or an organization. Only what was changed is sent: the rest may have been
 * changed by somebody else since. */
export function ScrubbingForm({ legend, current, save, mayChange = true, children }: Props) {
  const [edits, setEdits] = useState<Partial<Texts>>({});
  const before = textsOf(current);
  const texts = { ...before, ...edits };
  const settings = settingsOf(texts);
  const changes = changed(settingsOf(before), settings);
  const isDirty = Object.keys(changes).length > 0;
  const saving = useMutation({
    mutationFn: (_sent: Texts) => save(changes),
    onSuccess: () => {
      notify("Settings saved");
      setEdits({});
    },
  });
  const fields = saving.error instanceof ApiError ? saving.error.fields : {};
  const form = useFaultFocus(saving.error);
  const edit = (part: Partial<Texts>) => setEdits({ ...edits, ...part });
  // A fault is one of the text that was sent, until that is edited.
  const area = (name: "sensitiveFields" | "safeFields" | "relayPiiConfig", faults: typeof listFaults) => ({
    error: saving.variables?.[name] === texts[name] ? faults(fields, name, texts[name]) : undefined,
    onChange: (text: string) => edit({ [name]: text }),
    readOnly: mayChange === false,
    value: texts[name],
  });
  const isAsSent = JSON.stringify(saving.variables) === JSON.stringify(texts);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    saving.mutate(texts);
  };
  return (
    <>
      {mayChange === false && (
        <p className={styles.note}>Only an owner of the organization (scope org:write) can change this.</p>
      )}
      <form className={styles.form} noValidate onSubmit={submit} ref={form}>
        <fieldset className={styles.switches} disabled={mayChange === false}>
          <legend>{legend}</legend>
          {SWITCHES.map(([name, label]) => (
            <label key={name}>
              <input
                checked={texts[name]}
                onChange={(event) => edit({ [name]: event.target.checked })}
                type="checkbox"
              />
              {label}
            </label>
          ))}
        </fieldset>
        <TextArea
          {...area("sensitiveFields", listFaults)}
          label="Sensitive words, one a line"
          note="What has one of them in its name or in its text is taken out"
        />
        <TextArea
          {...area("safeFields", listFaults)}
          label="Safe fields, one a line"
          note="Names, or selectors such as extra.author, that the settings above leave alone"
        />
        <TextArea
          {...area("relayPiiConfig", jsonFaults)}
          isCode
          label="Advanced rules"
          note="JSON with rules, and applications that say by selectors where each is applied"
          rows={10}
        />
        {mayChange && <AddRule onAdd={(rules) => edit({ relayPiiConfig: rules })} text={texts.relayPiiConfig} />}
        {saving.isError && isAsSent && (
          <p className={styles.failure} role="alert">
            {Object.keys(fields).length > 0
              ? "Not saved: correct the fields that are marked."
              : `Not saved: ${saving.error.message}`}
          </p>
        )}
        {mayChange && (
          <div className={styles.buttons}>
            <Button busy={saving.isPending} disabled={!isDirty} look="primary" type="submit">
              Save settings
            </Button>
          </div>
        )}
      </form>
      <UnsavedChanges exist={isDirty} />
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
