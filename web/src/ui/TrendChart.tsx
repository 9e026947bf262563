import { useState } from "react";
import { compactNumber, count, exactNumber } from "@/domain/number";
import { bars, peak, type Series, total } from "@/domain/sparkline";
import { bucketLabel } from "@/domain/time";
import styles from "./TrendChart.module.css";

const HEIGHT = 64;
/** Drawn in this width and stretched: bars are rectangles, stretching does them no harm. */
const WIDTH = 1_000;

/** Bars of events over time with the value under the pointer told in words; the same numbers as a table for readers. */
export function TrendChart({ series, label }: { series: Series; label: string }) {
  const [at, setAt] = useState<number | null>(null);
  const drawn = bars(series, WIDTH, HEIGHT, 4);
  const width = (series[1]?.[0] ?? 0) - (series[0]?.[0] ?? 0);
  const pointed = at === null ? undefined : drawn[at];
  return (
    <figure aria-label={label} className={styles.chart}>
      <figcaption className={styles.caption}>
        <span>{label}</span>
        <span className={styles.value}>
          {pointed
            ? `${bucketLabel(pointed.time, width)} · ${count(pointed.count, "event")}`
            : `${count(total(series), "event")} · peak ${compactNumber(peak(series))}`}
        </span>
      </figcaption>
      <svg
        aria-hidden="true"
        className={styles.svg}
        onPointerLeave={() => setAt(null)}
        onPointerMove={(event) => {
          const box = event.currentTarget.getBoundingClientRect();
          const index = Math.floor(((event.clientX - box.left) / box.width) * series.length);
          setAt(Math.max(0, Math.min(series.length - 1, index)));
        }}
        preserveAspectRatio="none"
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      >
        {drawn.map((bar, index) => (
          <g className={index === at ? styles.pointed : undefined} key={bar.time}>
            <rect className={styles.ground} height={2} width={bar.width} x={bar.x} y={HEIGHT - 2} />
            <rect className={styles.bar} height={bar.height} width={bar.width} x={bar.x} y={bar.y} />
          </g>
        ))}
      </svg>
      <div aria-hidden="true" className={styles.axis}>
        <span>{series[0] && bucketLabel(series[0][0] ?? 0, width)}</span>
        <span>now</span>
      </div>
      <div className="quiet">
        <table>
          <caption>{label}</caption>
          <tbody>
            {drawn.map((bar) => (
              <tr key={bar.time}>
                <th scope="row">{bucketLabel(bar.time, width)}</th>
                <td>{exactNumber(bar.count)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </figure>
  );
}
