import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useId, useState } from "react";
import { ApiError } from "@/api/client";
import type { Quota, QuotaRequest } from "@/api/models";
import { type QuotaOwner, saveQuota } from "@/api/quotas";
import { categoryName } from "@/domain/outcomes";
import { LIMITABLE, WINDOWS, windowName } from "@/domain/quota";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { Field } from "@/ui/Field";
import { notify } from "@/ui/toast";
import type { Target } from "./QuotasPage";
import quotas from "./QuotasPage.module.css";
import styles from "./SettingsPage.module.css";

interface Props {
  owner: QuotaOwner;
  /** The one to change; none: a new one. */
  quota: Quota | null;
  targets: Target[];
  onSaved: () => void;
  onClose: () => void;
}

const MODES = [
  ["limit", "At most a number in each window"],
  ["count", "Any number, but count them"],
  ["close", "None at all"],
] as const;

/** Adds or changes a quota. What the server refuses is said at the field. */
export function QuotaForm({ owner, quota, targets, onSaved, onClose }: Props) {
  const [mode, setMode] = useState(quota?.limit === 0 ? "close" : quota?.limit === null ? "count" : "limit");
  const save = useMutation({
    mutationFn: (body: QuotaRequest) => saveQuota(owner, quota?.id ?? null, body),
    onSuccess: () => {
      notify(quota ? "Quota saved" : "Quota added");
      onSaved();
      onClose();
    },
  });
  const errors = save.error instanceof ApiError ? save.error.fields : {};
  const categoryError = Object.entries(errors).find(([place]) => place.startsWith("categories"))?.[1];
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    save.mutate(readForm(new FormData(event.currentTarget), mode));
  };
  return (
    <Dialog onClose={onClose} title={quota ? "Change quota" : "Add quota"}>
      <form className={styles.form} noValidate onSubmit={submit}>
        <ScopeSelect error={errors.scopeId ?? errors.scope} owner={owner} quota={quota} targets={targets} />
        <Select label="Takes" onChange={setMode} options={MODES} value={mode} />
        {mode !== "close" && (
          <div className={styles.pair}>
            {mode === "limit" && (
              <Field
                defaultValue={quota?.limit || 1000}
                error={errors.limit}
                inputMode="numeric"
                label="At most"
                min={1}
                name="limit"
                type="number"
              />
            )}
            <WindowSelect error={errors.window} seconds={quota?.window ?? 3_600} />
          </div>
        )}
        <fieldset className={quotas.categories}>
          <legend>Of</legend>
          {LIMITABLE.flatMap(({ categories }) => categories).map((category) => (
            <label key={category}>
              <input
                defaultChecked={quota ? quota.categories.includes(category) : category === "error"}
                name="category"
                type="checkbox"
                value={category}
              />
              {categoryName(category)}
            </label>
          ))}
        </fieldset>
        {categoryError ? (
          <p className={styles.failure}>{categoryError}</p>
        ) : (
          mode === "close" && <p className={styles.about}>Nothing chosen: everything.</p>
        )}
        <Field
          defaultValue={quota?.reasonCode ?? ""}
          error={errors.reasonCode}
          hint="The word that statistics and SDKs get; empty: the usual one"
          label="Reason"
          maxLength={64}
          name="reasonCode"
        />
        {save.isError && (
          <p className={styles.failure} role="alert">
            {Object.keys(errors).length > 0 ? "Not saved: correct the fields that are marked." : save.error.message}
          </p>
        )}
        <div className={styles.buttons}>
          <Button onClick={onClose}>Cancel</Button>
          <Button busy={save.isPending} look="primary" type="submit">
            {quota ? "Save quota" : "Add quota"}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

/** What counts together: the owner as a whole, each of its parts, or one of them. */
function ScopeSelect({
  owner,
  quota,
  targets,
  error,
}: Pick<Props, "owner" | "quota" | "targets"> & { error?: string }) {
  const isProject = owner.project !== null;
  const whole = isProject ? ["project:", "The project"] : ["organization:", "All projects together"];
  const options = [
    whole,
    ...(isProject ? [] : [["project:", "Each project on its own"]]),
    ["key:", "Each key on its own"],
    ...targets.map(({ scope, id, name }) => [`${scope}:${id}`, `${scope === "key" ? "Key" : "Project"} ${name}`]),
  ] as [string, string][];
  const chosen = quota ? `${quota.scope}:${quota.scopeId ?? ""}` : whole[0];
  // One that is gone is still what the quota says.
  if (!options.some(([value]) => value === chosen)) options.push([chosen ?? "", "Something that is gone"]);
  return <Select error={error} label="Counts" name="scope" options={options} value={chosen ?? ""} />;
}

function WindowSelect({ seconds, error }: { seconds: number; error?: string }) {
  const known = WINDOWS.map((window) => [String(window.seconds), `Each ${window.name.toLowerCase()}`] as const);
  const own = WINDOWS.some((window) => window.seconds === seconds)
    ? []
    : [[String(seconds), windowName(seconds)] as const];
  return <Select error={error} label="Window" name="window" options={[...known, ...own]} value={String(seconds)} />;
}

function Select({
  label,
  name,
  options,
  value,
  onChange,
  error,
}: {
  label: string;
  name?: string;
  options: readonly (readonly [string, string])[];
  value: string;
  onChange?: (value: string) => void;
  error?: string;
}) {
  const id = useId();
  return (
    <div className={styles.label}>
      <label htmlFor={id}>{label}</label>
      <select
        aria-describedby={error ? `${id}-note` : undefined}
        aria-invalid={error ? true : undefined}
        className={styles.select}
        defaultValue={value}
        id={id}
        name={name}
        onChange={(event) => onChange?.(event.target.value)}
      >
        {options.map(([each, words]) => (
          <option key={each} value={each}>
            {words}
          </option>
        ))}
      </select>
      {error && (
        <p className={styles.failure} id={`${id}-note`}>
          {error}
        </p>
      )}
    </div>
  );
}

function readForm(form: FormData, mode: string): QuotaRequest {
  const text = (name: string) => String(form.get(name) ?? "").trim();
  const [scope = "", scopeId = ""] = text("scope").split(":");
  const limit = Math.max(0, Math.trunc(Number(text("limit"))) || 0);
  return {
    scope,
    scopeId: scopeId || null,
    categories: form.getAll("category").map(String),
    limit: mode === "limit" ? limit : mode === "count" ? null : 0,
    window: mode === "close" ? null : Number(text("window")),
    reasonCode: text("reasonCode") || null,
  };
}
