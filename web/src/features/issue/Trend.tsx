import type { IssueDetail } from "@/api/models";
import { Segmented } from "@/ui/Segmented";
import { TrendChart } from "@/ui/TrendChart";
import { usePreference } from "@/ui/usePreference";
import styles from "./Trend.module.css";

const SPANS = ["30d", "24h"] as const;
const NAMES = { "30d": "Last 30 days", "24h": "Last 24 hours" };

/** Events over time; the span is remembered. */
export function Trend({ issue }: { issue: IssueDetail }) {
  const [span, setSpan] = usePreference("trend", SPANS);
  return (
    <section aria-label="Trend" className={styles.trend}>
      <TrendChart label={NAMES[span]} series={issue.stats?.[span] ?? []} />
      <div className={styles.choice}>
        <Segmented
          label="Time range of the trend"
          onChange={setSpan}
          options={[
            { value: "24h", name: "24 h" },
            { value: "30d", name: "30 d" },
          ]}
          value={span}
        />
      </div>
    </section>
  );
}
