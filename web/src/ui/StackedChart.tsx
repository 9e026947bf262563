import { useState } from "react";
import { compactNumber, exactNumber } from "@/domain/number";
import { bucketLabel } from "@/domain/time";
import styles from "./StackedChart.module.css";

const HEIGHT = 160;
/** Drawn in this width and stretched: bars are rectangles, stretching does them no harm. */
const WIDTH = 1_000;

export interface Layer {
  id: string;
  name: string;
  counts: number[];
}

interface Props {
  label: string;
  /** When each interval begins, in unix seconds. */
  times: number[];
  /** From the bottom up. */
  layers: Layer[];
  /** How a count is written, where it is none of things: `3.05 MB`. */
  write?: ((count: number) => string) | undefined;
}

/** What counts of several kinds add up to over time. The interval under the pointer, or that of the slider, is told in
 * words; the same numbers as a table for readers. */
export function StackedChart({ label, times, layers, write }: Props) {
  const exact = write ?? exactNumber;
  const [chosen, setChosen] = useState<number | null>(null);
  const at = chosen === null ? null : Math.min(chosen, times.length - 1);
  const width = (times[1] ?? 0) - (times[0] ?? 0);
  const sums = times.map((_, index) => layers.reduce((sum, { counts }) => sum + (counts[index] ?? 0), 0));
  const highest = Math.max(0, ...sums);
  const step = WIDTH / Math.max(1, times.length);
  const words = (index: number) => {
    const parts = layers.filter(({ counts }) => counts[index]).map(({ name, counts }) => [name, counts[index] ?? 0]);
    const told = parts.map(([name, value]) => `${String(name).toLowerCase()} ${exact(Number(value))}`).join(", ");
    return `${bucketLabel(times[index] ?? 0, width)} · ${told || "nothing"}`;
  };
  return (
    <figure aria-label={label} className={styles.chart}>
      <figcaption className={styles.caption}>
        <span>{label}</span>
        <span className={styles.value}>{at === null ? `peak ${(write ?? compactNumber)(highest)}` : words(at)}</span>
      </figcaption>
      <svg
        aria-hidden="true"
        className={styles.svg}
        onPointerLeave={() => setChosen(null)}
        onPointerMove={(event) => {
          const box = event.currentTarget.getBoundingClientRect();
          const index = Math.floor(((event.clientX - box.left) / box.width) * times.length);
          setChosen(Math.max(0, Math.min(times.length - 1, index)));
        }}
        preserveAspectRatio="none"
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      >
        {times.map((time, index) => {
          let top = HEIGHT;
          const bar = { x: index * step, width: Math.max(1, step - Math.min(4, step / 4)) };
          return (
            <g className={at === null || at === index ? undefined : styles.aside} key={time}>
              <rect className={styles.ground} height={2} {...bar} y={HEIGHT - 2} />
              {layers.map(({ id, counts }) => {
                const height = highest > 0 ? ((counts[index] ?? 0) / highest) * HEIGHT : 0;
                top -= height;
                return height > 0 && <rect className={styles[id]} height={height} key={id} {...bar} y={top} />;
              })}
            </g>
          );
        })}
      </svg>
      <input
        aria-label={`Interval of: ${label}`}
        aria-valuetext={words(at ?? times.length - 1)}
        className={styles.slider}
        max={times.length - 1}
        min={0}
        onBlur={() => setChosen(null)}
        onChange={(event) => setChosen(Number(event.target.value))}
        type="range"
        value={at ?? times.length - 1}
      />
      <div aria-hidden="true" className={styles.axis}>
        <span>{times[0] !== undefined && bucketLabel(times[0], width)}</span>
        <span>now</span>
      </div>
      <ul className={styles.legend}>
        {layers.map(({ id, name, counts }) => (
          <li key={id}>
            <span aria-hidden="true" className={`${styles.mark} ${styles[id]}`} />
            {name} <b>{exact(counts.reduce((sum, value) => sum + value, 0))}</b>
          </li>
        ))}
      </ul>
      <div className="quiet">
        <table>
          <caption>{label}</caption>
          <thead>
            <tr>
              <th scope="col">Time</th>
              {layers.map(({ id, name }) => (
                <th key={id} scope="col">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {times.map((time, index) => (
              <tr key={time}>
                <th scope="row">{bucketLabel(time, width)}</th>
                {layers.map(({ id, counts }) => (
                  <td key={id}>{exact(counts[index] ?? 0)}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </figure>
  );
}
