import { compactNumber, count, exactNumber } from "@/domain/number";
import { bars, barsPath, peak, type Series, total } from "@/domain/sparkline";
import styles from "./Sparkline.module.css";

const WIDTH = 120;
const HEIGHT = 22;

/** Small bars of a row: the trend and its highest value, nothing to press. */
export function Sparkline({ series, period, noun = "event" }: { series: Series; period: string; noun?: string }) {
  const drawn = bars(series, WIDTH, HEIGHT, 1.5);
  return (
    <span
      aria-label={`${count(total(series), noun)} in ${period}, at most ${exactNumber(peak(series))} at a time`}
      className={styles.spark}
      role="img"
    >
      <svg aria-hidden="true" height={HEIGHT} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} width={WIDTH}>
        <path className={styles.ground} d={`M0 ${HEIGHT - 0.5}H${WIDTH}`} />
        <path className={styles.bars} d={barsPath(drawn)} />
      </svg>
      <span aria-hidden="true" className={styles.peak}>
        {compactNumber(peak(series))}
      </span>
    </span>
  );
}
