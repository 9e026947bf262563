//! A trace as a tree (`reference/web-api.md` §4.3).

use std::collections::{BTreeMap, HashMap, HashSet};

use nuthatch_protocol::{AttributeValue, SpanId, TraceItem, TraceItemKind};
use nuthatch_query::item_field::milliseconds;
use nuthatch_store::projects::Project;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::value::{attribute, end};

/// What a trace begins with: a span that has no known parent, or what happened in none.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum TraceRoot {
    Span(Box<TraceNode>),
    Event(Box<TraceEvent>),
}

/// An error, or what a detector found.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct TraceEvent {
    /// `error` or `occurrence`
    pub(crate) event_type: &'static str,
    /// 32 hex digits.
    pub(crate) event_id: String,
    pub(crate) issue_id: u64,
    pub(crate) short_id: String,
    pub(crate) level: String,
    /// The title of the event.
    pub(crate) description: String,
    pub(crate) culprit: String,
    /// Number of the type of its issue.
    pub(crate) issue_type: u32,
    /// Seconds since the epoch.
    pub(crate) start_timestamp: f64,
    pub(crate) transaction: Option<String>,
    pub(crate) project_id: u64,
    pub(crate) project_slug: String,
    /// The span that it happened in.
    #[serde(skip)]
    pub(crate) span_id: Option<SpanId>,
}

impl TraceEvent {
    fn is_error(&self) -> bool {
        self.event_type == "error"
    }
}

/// A span with those that are part of it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TraceNode {
    /// `span`
    event_type: &'static str,
    /// Id of the span.
    event_id: String,
    /// Id of the transaction event, of root spans that came as one.
    transaction_id: Option<String>,
    project_id: u64,
    project_slug: String,
    op: Option<String>,
    name: String,
    description: Option<String>,
    transaction: Option<String>,
    parent_span_id: Option<String>,
    /// Seconds since the epoch.
    start_timestamp: f64,
    /// Seconds since the epoch.
    end_timestamp: f64,
    /// Milliseconds.
    duration: f64,
    is_transaction: bool,
    sdk_name: Option<String>,
    profile_id: Option<String>,
    profiler_id: Option<String>,
    /// By name.
    #[schema(value_type = Object)]
    measurements: BTreeMap<String, Value>,
    /// By their start.
    #[schema(no_recursion)]
    children: Vec<TraceNode>,
    /// By their time.
    errors: Vec<TraceEvent>,
    /// By their time.
    occurrences: Vec<TraceEvent>,
    /// The attributes that were asked for.
    #[schema(value_type = Object)]
    additional_attributes: BTreeMap<String, Value>,
}

impl TraceNode {
    fn new(item: &TraceItem, projects: &[Project], additional: &[String]) -> Self {
        let text = |key: &str| match item.attributes.get(key) {
            Some(AttributeValue::Text(text)) => Some(text.clone()),
            _ => None,
        };
        let measurement = |(key, value): (&String, &AttributeValue)| {
            Some((key.strip_prefix("measurements.")?.to_owned(), attribute(value)))
        };
        let asked = |key: &String| Some((key.clone(), attribute(item.attributes.get(key)?)));
        let project = projects.iter().find(|project| project.id == item.project_id);
        Self {
            event_type: "span",
            event_id: item.span_id.map(|id| id.to_string()).unwrap_or_default(),
            transaction_id: item.event_id.map(|id| id.to_string()),
            project_id: item.project_id.0,
            project_slug: project.map(|project| project.slug.clone()).unwrap_or_default(),
            op: text("span.op"),
            name: item.name.clone(),
            description: text("span.description").or_else(|| Some(item.name.clone())),
            transaction: text("transaction"),
            parent_span_id: item.parent_span_id.map(|id| id.to_string()),
            start_timestamp: item.timestamp.as_secs_f64(),
            end_timestamp: end(item).as_secs_f64(),
            duration: milliseconds(item.duration_us.unwrap_or_default()),
            is_transaction: item.is_segment,
            sdk_name: text("sdk.name"),
            profile_id: text("profile.id").or_else(|| text("profile_id")),
            profiler_id: text("profiler.id").or_else(|| text("profiler_id")),
            measurements: item.attributes.iter().filter_map(measurement).collect(),
            children: Vec::new(),
            errors: Vec::new(),
            occurrences: Vec::new(),
            additional_attributes: additional.iter().filter_map(asked).collect(),
        }
    }
}

/// Deepest nesting that is shown; what is deeper is a root of its own.
const DEPTH_MAX: usize = 200;

/// The roots of a trace, whose spans and events come in the order of time. A span whose parent is not there is a root; so
/// is one of spans that are each other's parents. An event is part of the span that it happened in; without one it is a
/// root, behind the spans.
pub(crate) fn roots(
    spans: &[TraceItem],
    events: Vec<TraceEvent>,
    projects: &[Project],
    additional: &[String],
) -> Vec<TraceRoot> {
    let mut at: HashMap<SpanId, usize> = HashMap::new();
    for (n, span) in spans.iter().enumerate() {
        if let Some(id) = span.span_id {
            at.entry(id).or_insert(n);
        }
    }
    let parents = spans.iter().map(|span| span.parent_span_id.and_then(|id| at.get(&id)).copied()).collect();
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); spans.len()];
    let mut roots = Vec::new();
    for (n, parent) in opened(parents).into_iter().enumerate() {
        match parent {
            Some(parent) => children[parent].push(n),
            None => roots.push(n),
        }
    }
    let mut within: HashMap<usize, Vec<TraceEvent>> = HashMap::new();
    let mut outside = Vec::new();
    for event in events {
        match event.span_id.and_then(|id| at.get(&id)) {
            Some(span) => within.entry(*span).or_default().push(event),
            None => outside.push(TraceRoot::Event(Box::new(event))),
        }
    }
    let node = |n: usize| {
        let mut node = TraceNode::new(spans.get(n)?, projects, additional);
        let events = within.get(&n).cloned().unwrap_or_default();
        (node.errors, node.occurrences) = events.into_iter().partition(TraceEvent::is_error);
        Some(node)
    };
    let grown = roots.into_iter().filter_map(|root| grow(root, &children, &node));
    grown.map(|node| TraceRoot::Span(Box::new(node))).chain(outside).collect()
}

/// Parents without those that close a ring or lead deeper than [`DEPTH_MAX`].
fn opened(mut parents: Vec<Option<usize>>) -> Vec<Option<usize>> {
    let mut depths: Vec<Option<usize>> = vec![None; parents.len()];
    for start in 0..parents.len() {
        let (mut path, mut seen, mut next) = (Vec::new(), HashSet::new(), Some(start));
        while let Some(n) = next.filter(|n| depths[*n].is_none() && seen.insert(*n)) {
            path.push(n);
            next = parents[n];
        }
        let mut above = next.and_then(|n| depths[n]);
        while let Some(n) = path.pop() {
            let depth = above.map_or(0, |above| above + 1) % DEPTH_MAX;
            if depth == 0 {
                parents[n] = None;
            }
            depths[n] = Some(depth);
            above = Some(depth);
        }
    }
    parents
}

/// A span with all below it; [`opened`] bounds the depth.
fn grow(n: usize, children: &[Vec<usize>], node: &impl Fn(usize) -> Option<TraceNode>) -> Option<TraceNode> {
    let mut grown = node(n)?;
    grown.children = children[n].iter().filter_map(|child| grow(*child, children, node)).collect();
    Some(grown)
}

/// How much there is of a trace.
#[derive(Debug, Default)]
pub(crate) struct TraceMeta {
    pub(crate) spans: usize,
    pub(crate) logs: usize,
    pub(crate) metrics: usize,
    pub(crate) errors: usize,
    pub(crate) occurrences: usize,
    pub(crate) by_op: BTreeMap<String, usize>,
    /// Transaction events with the number of spans that are their children.
    pub(crate) transactions: Vec<(String, usize)>,
}

impl TraceMeta {
    /// Counts the items and events of a trace.
    pub(crate) fn of(items: &[TraceItem], events: &[TraceEvent]) -> Self {
        let errors = events.iter().filter(|event| event.is_error()).count();
        let mut meta = Self { errors, occurrences: events.len() - errors, ..Self::default() };
        let mut children: HashMap<SpanId, usize> = HashMap::new();
        for item in items {
            match item.kind {
                TraceItemKind::Log => meta.logs += 1,
                TraceItemKind::Metric => meta.metrics += 1,
                TraceItemKind::Span => {
                    meta.spans += 1;
                    if let Some(AttributeValue::Text(op)) = item.attributes.get("span.op") {
                        *meta.by_op.entry(op.clone()).or_default() += 1;
                    }
                    if let Some(parent) = item.parent_span_id {
                        *children.entry(parent).or_default() += 1;
                    }
                }
            }
        }
        let transaction = |item: &TraceItem| {
            let count = item.span_id.and_then(|id| children.get(&id)).copied().unwrap_or_default();
            Some((item.event_id?.to_string(), count))
        };
        meta.transactions = items.iter().filter_map(transaction).collect();
        meta
    }

    /// As it is answered. Older clients read the names in snake case.
    pub(crate) fn json(&self) -> Value {
        let children: Vec<Value> = self
            .transactions
            .iter()
            .map(|(id, count)| json!({ "transaction.event_id": id, "count()": count }))
            .collect();
        json!({
            "errorsCount": self.errors, "performanceIssuesCount": self.occurrences, "spansCount": self.spans, "logsCount": self.logs,
            "metricsCount": self.metrics, "spansCountMap": self.by_op, "transactionChildCountMap": children,
            "errors": self.errors, "performance_issues": self.occurrences, "span_count": self.spans, "logs": self.logs,
            "span_count_map": self.by_op, "transaction_child_count_map": children,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_span_is_in_one_tree_of_bounded_depth() {
        for seed in 1..50_usize {
            let parent = |n: usize| (!(n * seed).is_multiple_of(7)).then_some((n * n * seed + 13 * seed) % 600);
            let opened = opened((0..600).map(parent).collect());
            for n in 0..600 {
                let (mut steps, mut at) = (0, n);
                while let Some(parent) = opened[at] {
                    at = parent;
                    steps += 1;
                    assert!(steps < DEPTH_MAX, "{seed}");
                }
            }
        }
    }

    #[test]
    fn rings_and_long_chains_are_cut() {
        assert_eq!(opened(vec![Some(1), Some(2), Some(0)]).iter().filter(|parent| parent.is_none()).count(), 1);
        assert_eq!(opened(vec![Some(0)]), [None]);
        let chain = (0..1000_usize).map(|n| n.checked_sub(1)).collect();
        assert_eq!(opened(chain).iter().filter(|parent| parent.is_none()).count(), 5);
        let chain = (1..=1000_usize).map(|n| (n < 1000).then_some(n)).collect();
        assert_eq!(opened(chain).iter().filter(|parent| parent.is_none()).count(), 5);
    }
}
