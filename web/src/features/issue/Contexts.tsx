import type { JsonObject } from "@/domain/json";
import { KeyValues } from "@/ui/KeyValues";
import styles from "./Contexts.module.css";
import { Section } from "./Section";

const NAMES: Record<string, string> = {
  app: "Application",
  client_os: "Client system",
  gpu: "Graphics",
  os: "System",
};

/** What the client told about its surroundings, one box for each. */
export function Contexts({ contexts }: { contexts: [string, JsonObject][] }) {
  return (
    <Section size={contexts.length} title="Contexts">
      <div className={styles.boxes}>
        {contexts.map(([name, context]) => {
          const rows = Object.entries(context).filter(([key, value]) => value !== null && key !== "type");
          if (rows.length === 0) return null;
          return (
            <section className={styles.box} key={name}>
              <h3>{NAMES[name] ?? name.charAt(0).toUpperCase() + name.slice(1).replaceAll("_", " ")}</h3>
              <KeyValues rows={rows} />
            </section>
          );
        })}
      </div>
    </Section>
  );
}
