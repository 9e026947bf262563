// What became of what the shop sent: intervals up to now, the same numbers every time.
import { NOW } from "./fixtures.mjs";

const KINDS = [
  ["error", "accepted", "", 40],
  ["error", "invalid", "duplicate", 3],
  ["error", "invalid", "invalid_json", 1],
  ["error", "filtered", "browser-extensions", 4],
  ["error", "rate_limited", "key_quota", 2],
  ["error", "client_discard", "before_send", 6],
  ["session", "invalid", "invalid_session", 90],
  ["attachment", "invalid", "too_large:event", 52_000],
  ["occurrence", "filtered", "noise", 9],
  ["unknown", "invalid", "invalid_envelope", 1],
];
const MINUTES = { m: 1, h: 60, d: 1440 };
const minutes = (text) => Number(text.slice(0, -1)) * MINUTES[text.at(-1)];

export function outcomeStats(scenario, url) {
  const interval = minutes(url.searchParams.get("interval")) * 60_000;
  const count = Math.round((minutes(url.searchParams.get("statsPeriod")) * 60_000) / interval) + 1;
  const last = Math.floor(NOW / interval) * interval;
  const intervals = Array.from({ length: count }, (_, n) => new Date(last - (count - 1 - n) * interval).toISOString());
  const series = (weight, kind) =>
    intervals.map((_, n) =>
      Math.max(0, Math.round(weight * (1 + Math.sin(n / 3 + kind) * 0.6) * ((n * 7 + kind) % 5 ? 1 : 0.2))),
    );
  const groups = KINDS.map(([category, outcome, reason, weight], kind) => {
    const counts = series(weight, kind);
    const total = counts.reduce((sum, each) => sum + each, 0);
    return {
      by: { category, outcome, reason },
      totals: { "sum(quantity)": total },
      series: { "sum(quantity)": counts },
    };
  });
  const isOfErrors = ({ by }) => url.searchParams.get("project") !== "storefront" || by.category === "error";
  return {
    start: intervals[0],
    end: new Date(last + interval).toISOString(),
    intervals,
    groups: scenario === "full" ? groups.filter(isOfErrors) : [],
  };
}
