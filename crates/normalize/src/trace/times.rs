//! How long spans take by themselves and together (`reference/ingest-protocol.md` §12.12).

use std::collections::{BTreeMap, HashMap};

use nuthatch_protocol::Timestamp;
use serde_json::{Map, Value, json};

use super::span;

/// Operations that the breakdown counts together, by their beginnings.
const OPS: [&str; 5] = ["http", "db", "browser", "resource", "ui"];

/// Start and end, in microseconds.
type Interval = (i64, i64);

/// Writes `exclusive_time` of each span and of the root: its duration without what its direct children cover.
/// Milliseconds.
pub(super) fn exclusive(spans: &mut [Value], root: &mut Map<String, Value>, (start, end): (Timestamp, Timestamp)) {
    let mut intervals: HashMap<u64, Vec<Interval>> = HashMap::new();
    for span in spans.iter().filter_map(Value::as_object) {
        let Some(interval) = interval(span) else { continue };
        if let Some(parent) = id(span, "parent_span_id").filter(|parent| Some(*parent) != id(span, "span_id")) {
            intervals.entry(parent).or_default().push(interval);
        }
    }
    // Once for each id, as any number of spans may have it.
    let children: HashMap<u64, Covered> = intervals.into_iter().map(|(id, all)| (id, Covered::by(all))).collect();
    let write = |span: &mut Map<String, Value>, (start, end): Interval| {
        let below = id(span, "span_id").and_then(|id| children.get(&id));
        let covered = below.map_or(0, |below| below.within((start, end)));
        let own = end.saturating_sub(start).saturating_sub(covered).max(0);
        span.insert("exclusive_time".to_owned(), json!(own as f64 / 1000.0));
    };
    for span in spans.iter_mut().filter_map(Value::as_object_mut) {
        if let Some(interval) = interval(span) {
            write(span, interval);
        }
    }
    write(root, (start.0, end.0));
}

/// The breakdown by operation: `ops.<name>` for the known ones, and `total.time` for all; `None` without spans.
pub(super) fn span_ops(spans: &[Value]) -> Option<Map<String, Value>> {
    let mut groups: BTreeMap<(bool, &str), Vec<Interval>> = BTreeMap::new();
    for span in spans.iter().filter_map(Value::as_object) {
        let Some(op) = span.get("op").and_then(Value::as_str) else { continue };
        let known = OPS.iter().find(|known| op.starts_with(**known));
        let group = known.map_or((false, op), |known| (true, *known));
        groups.entry(group).or_default().extend(interval(span));
    }
    let millis = |micros: i64| json!({ "value": micros as f64 / 1000.0, "unit": "millisecond" });
    let mut breakdown = Map::new();
    let mut total = 0_i64;
    for ((is_known, op), intervals) in groups {
        let time = Covered::by(intervals).total();
        total = total.saturating_add(time);
        if is_known {
            breakdown.insert(format!("ops.{op}"), millis(time));
        }
    }
    if spans.is_empty() {
        return None;
    }
    breakdown.insert("total.time".to_owned(), millis(total));
    Some(breakdown)
}

fn interval(span: &Map<String, Value>) -> Option<Interval> {
    span::times(span).map(|(start, end)| (start.0, end.0))
}

fn id(span: &Map<String, Value>, key: &str) -> Option<u64> {
    u64::from_str_radix(span.get(key)?.as_str()?, 16).ok()
}

/// The time that intervals cover together.
struct Covered {
    /// In order and apart from each other, with how much those before cover.
    parts: Vec<(Interval, i64)>,
}

impl Covered {
    fn by(mut intervals: Vec<Interval>) -> Self {
        intervals.retain(|(start, end)| start < end);
        intervals.sort_unstable();
        let mut parts: Vec<(Interval, i64)> = Vec::new();
        for (start, end) in intervals {
            match parts.last_mut() {
                Some(((_, reached), _)) if start <= *reached => *reached = end.max(*reached),
                last => {
                    let before =
                        last.map_or(0, |((from, until), before)| before.saturating_add(until.saturating_sub(*from)));
                    parts.push(((start, end), before));
                }
            }
        }
        Self { parts }
    }

    fn total(&self) -> i64 {
        self.until(i64::MAX)
    }

    /// How much they cover of an interval.
    fn within(&self, (start, end): Interval) -> i64 {
        self.until(end).saturating_sub(self.until(start)).max(0)
    }

    /// How much they cover before a time.
    fn until(&self, time: i64) -> i64 {
        let begun = self.parts.partition_point(|((start, _), _)| *start < time);
        let last = begun.checked_sub(1).and_then(|index| self.parts.get(index));
        last.map_or(0, |((start, end), before)| before.saturating_add(time.min(*end).saturating_sub(*start)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_covered_is_each_moment_that_some_interval_holds(
            intervals in prop::collection::vec((0_i64..40, 0_i64..40), 0..8), start in 0_i64..40, end in 0_i64..40,
        ) {
            let is_covered = |moment: &i64| intervals.iter().any(|(from, until)| (*from..*until).contains(moment));
            let covered = Covered::by(intervals.clone());
            prop_assert_eq!(covered.total(), (0..40).filter(is_covered).count() as i64);
            prop_assert_eq!(covered.within((start, end)), (start..end).filter(is_covered).count() as i64);
        }
    }
}
