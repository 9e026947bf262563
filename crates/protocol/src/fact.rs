//! What a project has been seen to have: kept beside its settings, so that lists of projects need not look through what
//! it sent.

use std::collections::BTreeMap;

use crate::{ProjectId, Timestamp, TraceItem, TraceItemKind};

/// Something that a project has.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fact {
    /// Events of an environment.
    Environment(String),
    /// Transactions.
    Transactions,
    /// Log lines.
    Logs,
    /// Metrics.
    Metrics,
}

impl Fact {
    /// What an item of a trace shows that its project has; `None` for a span within a transaction.
    pub fn of_item(item: &TraceItem) -> Option<Self> {
        match item.kind {
            TraceItemKind::Span => item.is_segment.then_some(Self::Transactions),
            TraceItemKind::Log => Some(Self::Logs),
            TraceItemKind::Metric => Some(Self::Metrics),
        }
    }
}

/// Facts of projects, each with the day it was last seen on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facts(BTreeMap<(ProjectId, Fact), i64>);

impl Facts {
    /// A project was seen to have something at a time.
    pub fn saw(&mut self, project: ProjectId, fact: Fact, at: Timestamp) {
        let day = self.0.entry((project, fact)).or_insert(i64::MIN);
        *day = at.days().max(*day);
    }

    /// The facts of each project, with the day (since the epoch) they were last seen on.
    pub fn iter(&self) -> impl Iterator<Item = (ProjectId, &Fact, i64)> {
        self.0.iter().map(|((project, fact), day)| (*project, fact, *day))
    }

    /// Whether nothing was seen.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
