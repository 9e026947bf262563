import { useState } from "react";
import type { Frame } from "@/domain/event";
import { dedent, frameLocation, framePlace, hasDetails } from "@/domain/stacktrace";
import { Chip } from "@/ui/Chip";
import { CodeLine } from "@/ui/CodeBlock";
import { CopyButton } from "@/ui/CopyButton";
import { Icon } from "@/ui/Icon";
import { Value } from "@/ui/ValueTree";
import styles from "./FrameItem.module.css";

interface Props {
  frame: Frame;
  platform: string | null;
  opened: boolean;
  id: string;
}

export function FrameItem({ frame, platform, opened, id }: Props) {
  const [open, setOpen] = useState(opened || location.hash === `#${id}`);
  const details = hasDetails(frame);
  const place = framePlace(frame);
  const words = (
    <>
      <span className={styles.function}>{frame.function ?? "<anonymous>"}</span>
      <span className={styles.in}> in </span>
      <span className={styles.place} data-tip={frame.absPath ?? frame.module ?? undefined}>
        <bdi>{place}</bdi>
      </span>
      {frame.line !== null && (
        <span className={styles.line}>
          :{frame.line}
          {frame.column !== null && `:${frame.column}`}
        </span>
      )}
    </>
  );
  return (
    <li className={frame.inApp ? styles.frame : `${styles.frame} ${styles.library}`} id={id}>
      <div className={styles.head}>
        {details ? (
          <button type="button" aria-expanded={open} className={styles.toggle} onClick={() => setOpen(!open)}>
            <Icon name={open ? "chevronDown" : "chevronRight"} size={12} />
            <span className={styles.words}>{words}</span>
          </button>
        ) : (
          <span className={styles.toggle}>
            <span className={styles.noMark} />
            <span className={styles.words}>{words}</span>
          </span>
        )}
        <span className={styles.tools}>
          <CopyButton
            label="Copy location"
            text={frameLocation({ ...frame, filename: frame.absPath ?? frame.filename })}
          />
        </span>
        {frame.inApp && <Chip tone="info">In app</Chip>}
      </div>
      {open && details && (
        <div className={styles.details}>
          <Source frame={frame} platform={platform} />
          <Locals vars={frame.vars} />
        </div>
      )}
    </li>
  );
}

function Source({ frame, platform }: { frame: Frame; platform: string | null }) {
  if (frame.context.length === 0) return null;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
    <div aria-label={`Source of ${framePlace(frame)}`} className={styles.source} role="region" tabIndex={0}>
      <table>
        <tbody>
          {dedent(frame.context).map(([line, text]) => (
            <tr className={line === frame.line ? styles.failing : undefined} key={line}>
              <th scope="row">{line}</th>
              <td>
                {text === "" ? "\u00a0" : <CodeLine platform={platform} text={text} />}
                {line === frame.line && <span className="quiet"> (the failing line)</span>}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Locals({ vars }: { vars: Frame["vars"] }) {
  const entries = Object.entries(vars ?? {});
  if (entries.length === 0) return null;
  return (
    <dl aria-label="Local variables" className={styles.locals}>
      {entries.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>
            <Value depth={1} value={value} />
          </dd>
        </div>
      ))}
    </dl>
  );
}
