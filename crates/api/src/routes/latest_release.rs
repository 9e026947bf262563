//! What `latest` means in a search: of each project the release that came last (`reference/web-api.md` §2.1).

use std::collections::HashMap;

use nuthatch_protocol::{ProjectId, Timestamp};
use nuthatch_query::{Expr, Op, Value};
use nuthatch_store::issues::{IssueCondition, IssueTest};

use crate::{Api, error::ApiError};

const LATEST: &str = "latest";

/// The latest releases of some projects, read when they are asked for.
pub(super) struct Latest<'a> {
    pub(super) api: &'a Api,
    pub(super) projects: &'a [ProjectId],
}

impl Latest<'_> {
    /// Puts them in the place of the word in a condition on events or their like.
    pub(super) async fn in_events(&self, expr: Expr) -> Result<Expr, ApiError> {
        if !names_latest(&expr) {
            return Ok(expr);
        }
        let versions = self.versions().await?;
        Ok(replaced(expr, &versions))
    }

    /// Puts them in the place of the word in a condition on issues.
    pub(super) async fn in_issues(&self, condition: &mut IssueCondition) -> Result<(), ApiError> {
        if let IssueTest::FirstRelease(any) = &mut condition.test
            && any.iter().any(|version| version == LATEST)
        {
            any.retain(|version| version != LATEST);
            any.extend(self.versions().await?);
        }
        Ok(())
    }

    async fn versions(&self) -> Result<Vec<String>, ApiError> {
        let mut latest: HashMap<ProjectId, (Timestamp, String)> = HashMap::new();
        for release in self.api.meta.releases(self.projects, None).await? {
            let newer = (release.date, release.version);
            let known = latest.entry(release.project_id).or_insert_with(|| newer.clone());
            if newer > *known {
                *known = newer;
            }
        }
        Ok(latest.into_values().map(|(_, version)| version).collect())
    }
}

fn is_latest(value: &Value) -> bool {
    matches!(value, Value::Text(text) if text == LATEST)
}

fn names_latest(expr: &Expr) -> bool {
    match expr {
        Expr::And(parts) | Expr::Or(parts) => parts.iter().any(names_latest),
        Expr::Not(part) => names_latest(part),
        Expr::Term(term) => term.key == "release" && matches!(&term.op, Op::In(values) if values.iter().any(is_latest)),
    }
}

fn replaced(expr: Expr, versions: &[String]) -> Expr {
    let all = |parts: Vec<Expr>| parts.into_iter().map(|part| replaced(part, versions)).collect();
    match expr {
        Expr::And(parts) => Expr::And(all(parts)),
        Expr::Or(parts) => Expr::Or(all(parts)),
        Expr::Not(part) => Expr::Not(Box::new(replaced(*part, versions))),
        Expr::Term(mut term) => {
            if let Op::In(values) = &mut term.op
                && term.key == "release"
                && values.iter().any(is_latest)
            {
                values.retain(|value| !is_latest(value));
                values.extend(versions.iter().cloned().map(Value::Text));
            }
            Expr::Term(term)
        }
    }
}
