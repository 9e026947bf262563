import type { IssueType } from "@/api/models";
import { Button, IconButton } from "@/ui/Button";
import { Field } from "@/ui/Field";
import styles from "./SettingsPage.module.css";

type EvidenceField = IssueType["evidence"][number];

const FORMATS = [
  ["text", "Text"],
  ["code", "Code"],
  ["number", "Number"],
  ["duration_ms", "Duration, from milliseconds"],
  ["bytes", "Size, from bytes"],
  ["time", "Time"],
  ["url", "Web address"],
] as const;

interface Props {
  fields: EvidenceField[];
  errors: Record<string, string>;
  onChange: (fields: EvidenceField[]) => void;
}

/** Which evidence the issue page shows, in this order, and how. */
export function EvidenceFields({ fields, errors, onChange }: Props) {
  const change = (index: number, part: Partial<EvidenceField>) =>
    onChange(fields.map((field, at) => (at === index ? { ...field, ...part } : field)));
  return (
    <fieldset className={styles.evidence}>
      <legend>Evidence</legend>
      <p className={styles.about}>What is not named here is shown after it, as it comes.</p>
      {fields.map((field, index) => (
        <div className={styles.evidenceRow} key={index}>
          <Field
            error={errors[`evidence[${index}].key`]}
            label={`Key ${index + 1}`}
            onChange={(event) => change(index, { key: event.target.value })}
            value={field.key}
          />
          <Field
            error={errors[`evidence[${index}].label`]}
            label={`Label ${index + 1}`}
            onChange={(event) => change(index, { label: event.target.value || null })}
            value={field.label ?? ""}
          />
          <label className={styles.label}>
            {`Shown as ${index + 1}`}
            <select
              className={styles.select}
              onChange={(event) => change(index, { format: event.target.value })}
              value={field.format}
            >
              {FORMATS.map(([value, name]) => (
                <option key={value} value={value}>
                  {name}
                </option>
              ))}
            </select>
          </label>
          <IconButton
            icon="close"
            label={`Remove evidence ${index + 1}`}
            onClick={() => onChange(fields.filter((_, at) => at !== index))}
          />
        </div>
      ))}
      {errors.evidence && <p className={styles.failure}>{errors.evidence}</p>}
      <div>
        <Button icon="plus" onClick={() => onChange([...fields, { key: "", label: null, format: "text" }])}>
          Add evidence
        </Button>
      </div>
    </fieldset>
  );
}
