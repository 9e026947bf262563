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
    let mut children: HashMap<u64, Vec<Interval>> = HashMap::new();
    for span in spans.iter().filter_map(Value::as_object) {
        let Some(interval) = interval(span) else { continue };
        if let Some(parent) = id(span, "parent_span_id").filter(|parent| Some(*parent) != id(span, "span_id")) {
            children.entry(parent).or_default().push(interval);
        }
    }
    let mut write = |span: &mut Map<String, Value>, (start, end): Interval| {
        let below = id(span, "span_id").and_then(|id| children.get_mut(&id));
        let covered = below.map_or(0, |below| {
            let within = below.iter().map(|(from, until)| ((*from).max(start), (*until).min(end)));
            union(within.collect())
        });
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
        let time = union(intervals);
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
fn union(mut intervals: Vec<Interval>) -> i64 {
    intervals.retain(|(start, end)| start < end);
    intervals.sort_unstable();
    let (mut covered, mut reached) = (0_i64, i64::MIN);
    for (start, end) in intervals {
        covered = covered.saturating_add(end.saturating_sub(start.max(reached)).max(0));
        reached = reached.max(end);
    }
    covered
}
