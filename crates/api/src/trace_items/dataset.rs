//! What a table is made of.

use nuthatch_protocol::{TraceItem, TraceItemKind};
use nuthatch_query::{self as query, Expr, Op, Term};
use serde_json::{Value, json};

use super::value::shown_id;

/// A kind of rows, as requests name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dataset {
    /// `spans`
    Spans,
    /// `transactions`: the root spans.
    Transactions,
    /// `ourlogs` or `logs`
    Logs,
    /// `tracemetrics`
    Metrics,
}

impl Dataset {
    /// The dataset of a name.
    pub(crate) fn named(name: &str) -> Result<Self, String> {
        match name {
            "spans" => Ok(Self::Spans),
            "transactions" => Ok(Self::Transactions),
            "ourlogs" | "logs" => Ok(Self::Logs),
            "tracemetrics" => Ok(Self::Metrics),
            other => Err(format!("{other:?} is not spans, transactions, ourlogs or tracemetrics")),
        }
    }

    /// The name in answers.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Spans => "spans",
            Self::Transactions => "transactions",
            Self::Logs => "ourlogs",
            Self::Metrics => "tracemetrics",
        }
    }

    /// What its items are.
    pub(crate) fn kind(self) -> TraceItemKind {
        match self {
            Self::Spans | Self::Transactions => TraceItemKind::Span,
            Self::Logs => TraceItemKind::Log,
            Self::Metrics => TraceItemKind::Metric,
        }
    }

    /// The id that an item is shown with: a transaction's is that of its event, which can be opened.
    pub(crate) fn id(self, item: &TraceItem) -> Value {
        match item.event_id.filter(|_| self == Self::Transactions) {
            Some(event) => json!(event.to_string()),
            None => json!(shown_id(item)),
        }
    }

    /// What all its items meet.
    pub(crate) fn condition(self) -> Option<Expr> {
        let op = Op::In(vec![query::Value::Text("true".to_owned())]);
        (self == Self::Transactions).then(|| Expr::Term(Term { key: "is_transaction".to_owned(), op }))
    }
}
