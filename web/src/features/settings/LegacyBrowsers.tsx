import { chosenBrowsers, LEGACY_BROWSERS } from "@/domain/legacyBrowsers";
import styles from "./SettingsPage.module.css";

interface Props {
  active: boolean | string[];
  disabled: boolean;
  onChoose: (browsers: string[]) => void;
}

/** Which browsers the filter of old ones is about. */
export function LegacyBrowsers({ active, disabled, onChoose }: Props) {
  const chosen = chosenBrowsers(active);
  const nameOf = (browser: string) => LEGACY_BROWSERS.find(({ id }) => id === browser)?.name ?? browser;
  return (
    <details className={styles.more}>
      <summary>Which browsers: {chosen.map(nameOf).join(", ") || "none"}</summary>
      <fieldset className={styles.parts}>
        <legend className="quiet">Old browsers that are filtered</legend>
        {LEGACY_BROWSERS.map(({ id, name }) => (
          <label key={id}>
            <input
              checked={chosen.includes(id)}
              disabled={disabled}
              onChange={({ target }) =>
                onChoose(target.checked ? [...chosen, id] : chosen.filter((browser) => browser !== id))
              }
              type="checkbox"
            />
            {name}
          </label>
        ))}
      </fieldset>
    </details>
  );
}
