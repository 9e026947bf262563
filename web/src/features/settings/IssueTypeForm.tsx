import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useId, useState } from "react";
import { ApiError } from "@/api/client";
import { issueTypes as typesQuery, updateIssueType } from "@/api/issueTypes";
import type { IssueType, IssueTypeRequest } from "@/api/models";
import { useAccess } from "@/api/useAccess";
import { Button } from "@/ui/Button";
import { Field } from "@/ui/Field";
import { notify } from "@/ui/toast";
import { EvidenceFields } from "./EvidenceFields";
import styles from "./SettingsPage.module.css";

/** Switches of a type, each with what it does in the words of its reader. */
const SWITCHES = [
  ["isReleased", "Taken: occurrences of this type become issues"],
  ["isListed", "Listed: lists show its issues without being asked for the type"],
  ["autoResolves", "Resolved by silence, in projects that want that"],
  ["escalates", "Archived issues may escalate by their rate"],
  ["isEditable", "People may change status and priority"],
  ["notifies", "People are told about its issues"],
  ["hasDetector", "A detector owns its issues"],
] as const;

const NOISE = { ignoreLimit: 3, expirySecs: 86_400 };
const QUOTA = { limit: 5, windowSecs: 3_600, granularitySecs: 60 };

/** Changes the rules of a type. What the server refuses is said at the field. */
export function IssueTypeForm({ org, type }: { org: string; type: IssueType }) {
  const client = useQueryClient();
  const mayChange = useAccess(org, "org:write");
  const [evidence, setEvidence] = useState(type.evidence);
  const save = useMutation({
    mutationFn: (body: IssueTypeRequest) => updateIssueType(org, type.slug, body),
    onSuccess: async ({ name }) => {
      notify(`Rules of ${name} saved`);
      await client.invalidateQueries({ queryKey: typesQuery(org).queryKey });
    },
  });
  const errors = save.error instanceof ApiError ? save.error.fields : {};
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    save.mutate({ ...readForm(new FormData(event.currentTarget)), evidence });
  };
  return (
    <form noValidate onSubmit={submit}>
      {mayChange === false && (
        <p className={styles.note}>Only an owner of the organization (scope org:write) can change these rules.</p>
      )}
      <fieldset className={styles.bare} disabled={mayChange === false}>
        <div className={styles.pair}>
          <Field defaultValue={type.name} error={errors.name} label="Name" name="name" />
          <PrioritySelect value={type.defaultPriority} />
        </div>
        <TextArea error={errors.description} value={type.description} />
        <div className={styles.pair}>
          <Field defaultValue={type.category} error={errors.category} label="Category" name="category" />
          <Field
            defaultValue={type.formerCategory ?? ""}
            error={errors.formerCategory}
            hint="Searches for this one find it too"
            label="Former category"
            name="formerCategory"
          />
        </div>
        {type.limitsProducersOnly && (
          <p className={styles.note}>
            What applications report themselves becomes issues at once, and any number of them. The two limits below
            hold for occurrences that detectors send with this type.
          </p>
        )}
        <Optional isOn={type.noise !== null} label="Wait until it was seen often" name="noise">
          <div className={styles.pair}>
            <Field
              defaultValue={(type.noise ?? NOISE).ignoreLimit}
              error={errors["noise.ignoreLimit"]}
              label="The issue is made by sighting number"
              name="ignoreLimit"
              type="number"
            />
            <Field
              defaultValue={(type.noise ?? NOISE).expirySecs}
              error={errors["noise.expirySecs"]}
              label="Sightings are forgotten after, in seconds"
              name="expirySecs"
              type="number"
            />
          </div>
        </Optional>
        <Optional isOn={type.creationQuota !== null} label="Limit how many issues a project gets" name="quota">
          <div className={styles.pair}>
            <Field
              defaultValue={(type.creationQuota ?? QUOTA).limit}
              error={errors["creationQuota.limit"]}
              label="At most"
              name="limit"
              type="number"
            />
            <Field
              defaultValue={(type.creationQuota ?? QUOTA).windowSecs}
              error={errors["creationQuota.windowSecs"]}
              label="In a window of, in seconds"
              name="windowSecs"
              type="number"
            />
            <Field
              defaultValue={(type.creationQuota ?? QUOTA).granularitySecs}
              error={errors["creationQuota.granularitySecs"]}
              label="That moves in steps of, in seconds"
              name="granularitySecs"
              type="number"
            />
          </div>
        </Optional>
        <fieldset className={styles.switches}>
          <legend>Its issues</legend>
          {SWITCHES.map(([name, label]) => (
            <label key={name}>
              <input defaultChecked={type[name]} name={name} type="checkbox" />
              {label}
            </label>
          ))}
        </fieldset>
        <EvidenceFields errors={errors} fields={evidence} onChange={setEvidence} />
        {save.isError && (
          <p className={styles.failure} role="alert">
            {Object.keys(errors).length > 0 ? "Not saved: correct the fields that are marked." : save.error.message}
          </p>
        )}
        <div className={styles.buttons}>
          <Button busy={save.isPending} look="primary" type="submit">
            Save rules
          </Button>
        </div>
      </fieldset>
    </form>
  );
}

function readForm(form: FormData): IssueTypeRequest {
  const text = (name: string) => String(form.get(name) ?? "").trim();
  const number = (name: string) => Math.max(0, Math.trunc(Number(text(name))) || 0);
  return {
    name: text("name"),
    description: text("description"),
    category: text("category"),
    formerCategory: text("formerCategory") || null,
    defaultPriority: text("defaultPriority"),
    noise: form.has("noise") ? { ignoreLimit: number("ignoreLimit"), expirySecs: number("expirySecs") } : null,
    creationQuota: form.has("quota")
      ? { limit: number("limit"), windowSecs: number("windowSecs"), granularitySecs: number("granularitySecs") }
      : null,
    ...Object.fromEntries(SWITCHES.map(([name]) => [name, form.has(name)])),
  };
}

/** A rule that may be there or not: its fields follow its switch. */
function Optional({
  name,
  label,
  isOn,
  children,
}: {
  name: string;
  label: string;
  isOn: boolean;
  children: ReactNode;
}) {
  const [on, setOn] = useState(isOn);
  return (
    <div className={styles.optional}>
      <label className={styles.switch}>
        <input checked={on} name={name} onChange={(change) => setOn(change.target.checked)} type="checkbox" />
        {label}
      </label>
      {on && children}
    </div>
  );
}

function PrioritySelect({ value }: { value: string }) {
  return (
    <label className={styles.label}>
      Priority of new issues
      <select className={styles.select} defaultValue={value} name="defaultPriority">
        <option value="high">High</option>
        <option value="medium">Medium</option>
        <option value="low">Low</option>
      </select>
    </label>
  );
}

function TextArea({ value, error }: { value: string; error?: string }) {
  const id = useId();
  return (
    <div className={styles.label}>
      <label htmlFor={id}>Description</label>
      <textarea
        aria-describedby={`${id}-note`}
        aria-invalid={error ? true : undefined}
        className={styles.area}
        defaultValue={value}
        id={id}
        name="description"
        rows={3}
      />
      <p className={error ? styles.failure : styles.about} id={`${id}-note`}>
        {error ?? "What it means and what to do about it; shown on its issues"}
      </p>
    </div>
  );
}
