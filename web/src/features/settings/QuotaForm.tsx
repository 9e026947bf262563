import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useId, useState } from "react";
import { ApiError } from "@/api/client";
import type { Quota, QuotaRequest } from "@/api/models";
import { type QuotaOwner, saveQuota } from "@/api/quotas";
import { readWhole } from "@/domain/number";
import { categoryName } from "@/domain/outcomes";
import { areBytes, BYTE_UNITS, inByteUnit, LIMITABLE, WINDOWS, windowName } from "@/domain/quota";
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
  const [categories, setCategories] = useState(quota?.categories ?? ["error"]);
  const [fault, setFault] = useState<string>();
  const isBytes = areBytes(categories);
  const save = useMutation({
    mutationFn: (body: QuotaRequest) => saveQuota(owner, quota?.id ?? null, body),
    onSuccess: () => {
      notify(quota ? "Quota saved" : "Quota added");
      onSaved();
      onClose();
    },
  });
  const refused = save.error instanceof ApiError ? save.error.fields : {};
  const errors: Record<string, string> = fault === undefined ? refused : { limit: fault };
  const categoryError = Object.entries(errors).find(([place]) => place.startsWith("categories"))?.[1];
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const limit = readLimit(form, mode);
    setFault(typeof limit === "string" ? limit : undefined);
    if (typeof limit !== "string") save.mutate({ ...readForm(form, mode), categories, limit });
  };
  return (
    <Dialog onClose={onClose} title={quota ? "Change quota" : "Add quota"}>
      <form className={styles.form} noValidate onSubmit={submit}>
        <ScopeSelect error={errors.scopeId ?? errors.scope} owner={owner} quota={quota} targets={targets} />
        <Select label="Accept" onChange={setMode} options={MODES} value={mode} />
        {mode !== "close" && (
          <div className={styles.pair}>
            {mode === "limit" && (
              <LimitField error={errors.limit} isBytes={isBytes} key={String(isBytes)} limit={quota?.limit || 1000} />
            )}
            <WindowSelect error={errors.window} seconds={quota?.window ?? 3_600} />
          </div>
        )}
        <fieldset className={quotas.categories}>
          <legend>Kinds of data</legend>
          {LIMITABLE.flatMap(({ categories }) => categories).map((category) => (
            <label key={category}>
              <input
                checked={categories.includes(category)}
                onChange={({ target }) =>
                  setCategories(categories.filter((each) => each !== category).concat(target.checked ? category : []))
                }
                type="checkbox"
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
        {(save.isError || fault !== undefined) && (
          <p className={styles.failure} role="alert">
            {Object.keys(errors).length > 0 ? "Not saved: correct the fields that are marked." : save.error?.message}
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

/** The most that is accepted: a number, and of bytes the unit as well. */
function LimitField({ limit, isBytes, error }: { limit: number; isBytes: boolean; error?: string }) {
  const { value, unit } = isBytes ? inByteUnit(limit) : { value: limit, unit: 1 };
  return (
    <>
      <Field
        defaultValue={value}
        error={error}
        inputMode={isBytes ? "decimal" : "numeric"}
        label="At most"
        name="limit"
        step="any"
        type="number"
      />
      {isBytes && (
        <Select
          label="Unit"
          name="unit"
          options={BYTE_UNITS.map(({ name, size }) => [String(size), name] as const)}
          value={String(unit)}
        />
      )}
    </>
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
  return <Select error={error} label="Applies to" name="scope" options={options} value={chosen ?? ""} />;
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

/** The limit as the server has it, or what is wrong with what was typed. */
function readLimit(form: FormData, mode: string): number | null | string {
  if (mode !== "limit") return mode === "count" ? null : 0;
  return readWhole(String(form.get("limit") ?? ""), 1, Number(form.get("unit") ?? 1));
}

function readForm(form: FormData, mode: string): QuotaRequest {
  const text = (name: string) => String(form.get(name) ?? "").trim();
  const [scope = "", scopeId = ""] = text("scope").split(":");
  return {
    scope,
    scopeId: scopeId || null,
    window: mode === "close" ? null : Number(text("window")),
    reasonCode: text("reasonCode") || null,
  };
}
