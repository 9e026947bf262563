import { highlight } from "@/domain/highlight";
import styles from "./CodeBlock.module.css";
import { CopyButton } from "./CopyButton";

interface Props {
  text: string;
  label: string;
  /** Colours the code as this platform's; without it, plain. */
  platform?: string;
  wrap?: boolean;
}

/** Text to read and to copy as it is. */
export function CodeBlock({ text, label, platform, wrap = false }: Props) {
  return (
    <div className={styles.block}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard. */}
      <pre aria-label={label} className={wrap ? styles.wrap : undefined} role="region" tabIndex={0}>
        {platform === undefined
          ? text
          : text.split("\n").map((line, index) => (
              <span key={index}>
                <CodeLine platform={platform} text={line} />
                {"\n"}
              </span>
            ))}
      </pre>
      <div className={styles.copy}>
        <CopyButton label={`Copy ${label}`} text={text} />
      </div>
    </div>
  );
}

export function CodeLine({ text, platform }: { text: string; platform: string | null }) {
  return highlight(text, platform).map((token, index) =>
    token.kind === "plain" ? (
      token.text
    ) : (
      <span className={styles[token.kind]} key={index}>
        {token.text}
      </span>
    ),
  );
}
