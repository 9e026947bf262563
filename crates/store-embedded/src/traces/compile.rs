//! Search AST to queries of the index. The meaning is that of `nuthatch_query::matches`.

use std::ops::Range;

use nuthatch_protocol::{ProjectId, Timestamp, TraceId, TraceItemKind};
use nuthatch_query::{ItemField, Op, Term as Condition, row::id_of};
use nuthatch_store::traces::TraceQuery;
use tantivy::query::{AllQuery, EmptyQuery};

use super::{
    condition::ColumnQuery,
    schema::{Fields, TraceLayout},
};
use crate::index::{
    Layout,
    compile::{self, BoxQuery, all, any, any_term},
};

/// The query for one partition; its bounds in time are left out where all of the partition lies within them.
pub(super) fn compile(query: &TraceQuery, partition: &Range<Timestamp>) -> BoxQuery {
    let fields = Fields::get();
    let scopes = query.projects.iter().map(|project| fields.scope_term(*project, query.kind));
    let mut parts = vec![any_term(scopes.collect())];
    parts.extend(compile::within(fields.time, (query.from, query.until), partition));
    let filter = compile::expr(&query.filter, &|term| condition(term, &query.projects, query.kind));
    parts.push(filter);
    all(parts)
}

/// The items of a trace in some projects.
pub(super) fn of_trace(projects: &[ProjectId], trace: TraceId) -> BoxQuery {
    let fields = Fields::get();
    let kinds = [TraceItemKind::Span, TraceItemKind::Log, TraceItemKind::Metric];
    let scopes = projects.iter().flat_map(|project| kinds.map(|kind| fields.scope_term(*project, kind)));
    all(vec![any_term(vec![fields.trace_term(trace)]), any_term(scopes.collect())])
}

fn condition(Condition { key, op }: &Condition, projects: &[ProjectId], kind: TraceItemKind) -> BoxQuery {
    let fields = Fields::get();
    let column = |key: &str| -> BoxQuery { Box::new(ColumnQuery { key: key.to_owned(), op: op.clone() }) };
    match (ItemField::named(key), op) {
        (ItemField::Name, _) => compile::text(fields.words, op, || column(key)),
        (ItemField::Time, _) => compile::time(fields.time, op),
        (ItemField::Id | ItemField::Trace, Op::Exists) => Box::new(AllQuery),
        (ItemField::Id, Op::In(values)) => {
            let of_projects = |id| projects.iter().map(move |project| TraceLayout::key_term((*project, kind, id)));
            any(vec![any_term(values.iter().filter_map(id_of).flat_map(of_projects).collect()), column("span_id")])
        }
        (ItemField::Trace, Op::In(values)) => {
            let traces = values.iter().filter_map(id_of).map(|id| fields.trace_term(TraceId(id.0)));
            any_term(traces.collect())
        }
        (ItemField::Id | ItemField::Trace, _) => Box::new(EmptyQuery),
        _ => column(key),
    }
}
