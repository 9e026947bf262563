import { useState } from "react";
import { KINDS, METHODS, withRule } from "@/domain/scrubRule";
import { Button } from "@/ui/Button";
import { Field } from "@/ui/Field";
import { notifyFailure } from "@/ui/toast";
import styles from "./SettingsPage.module.css";

const FIRST = { method: "mask", type: "creditcard", source: "$string", pattern: "" };

/** Puts a rule together from its parts and adds it to the text of the rules. */
export function AddRule({ text, onAdd }: { text: string; onAdd: (text: string) => void }) {
  const [rule, setRule] = useState(FIRST);
  const change = (part: Partial<typeof FIRST>) => setRule({ ...rule, ...part });
  const add = () => {
    const next = withRule(text, rule);
    if (next === null) return notifyFailure("The rules are not valid JSON: correct them first");
    onAdd(next);
    setRule(FIRST);
  };
  const isComplete = rule.source.trim() !== "" && (rule.type !== "pattern" || rule.pattern !== "");
  return (
    <fieldset className={styles.evidence}>
      <legend>Add a rule</legend>
      <div className={styles.pair}>
        <label className={styles.label}>
          Method
          <select
            className={styles.select}
            onChange={(event) => change({ method: event.target.value })}
            value={rule.method}
          >
            {METHODS.map(([value, label]) => (
              <option key={value} value={value}>
                {label}
              </option>
            ))}
          </select>
        </label>
        <label className={styles.label}>
          What
          <select
            className={styles.select}
            onChange={(event) => change({ type: event.target.value })}
            value={rule.type}
          >
            {KINDS.map(([value, label]) => (
              <option key={value} value={value}>
                {label}
              </option>
            ))}
          </select>
        </label>
        <Field label="Where" onChange={(event) => change({ source: event.target.value })} value={rule.source} />
        {rule.type === "pattern" && (
          <Field
            label="Regular expression"
            onChange={(event) => change({ pattern: event.target.value })}
            value={rule.pattern}
          />
        )}
      </div>
      <div className={styles.buttons}>
        <Button disabled={!isComplete} icon="plus" onClick={add}>
          Add rule
        </Button>
      </div>
    </fieldset>
  );
}
