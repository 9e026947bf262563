//! Search of releases by what their names say (`reference/web-api.md` §3.10). Bare words are sought in the whole name.

use std::borrow::Cow;

use nuthatch_protocol::Timestamp;
use nuthatch_query::{Expr, FREE_TEXT, Found, Grammar, Op, Pattern, Term, Value, parse};

use crate::{
    error::ApiError,
    shape::version::{VersionInfo, VersionOrder},
};

/// Reads the search text of releases; an empty one asks for everything.
pub(crate) fn read(text: &str, now: Timestamp) -> Result<Expr, ApiError> {
    let expr = parse(text, Grammar::Releases, now).map_err(|error| ApiError::Invalid(error.to_string()))?;
    check(&expr)?;
    Ok(expr)
}

/// Refuses what names of releases do not tell.
fn check(expr: &Expr) -> Result<(), ApiError> {
    match expr {
        Expr::And(parts) | Expr::Or(parts) => parts.iter().try_for_each(check),
        Expr::Not(part) => check(part),
        Expr::Term(Term { key, op }) => match key.as_str() {
            FREE_TEXT | "release" | "version" | "release.package" | "release.build" => Ok(()),
            "release.version" => match values(op).iter().find(|value| VersionOrder::read(&value.to_text()).is_none()) {
                None => Ok(()),
                Some(other) => Err(ApiError::Invalid(format!(
                    "release.version: {:?} is not a version such as 1.2.3",
                    other.to_text()
                ))),
            },
            other => Err(ApiError::Invalid(format!(
                "releases are not searched by {other:?}, but by release, release.version, release.package and \
                 release.build"
            ))),
        },
    }
}

/// What is compared with.
fn values(op: &Op) -> &[Value] {
    match op {
        Op::In(values) => values,
        Op::Lt(value) | Op::Le(value) | Op::Gt(value) | Op::Ge(value) => std::slice::from_ref(value),
        Op::Like(_) | Op::Contains(_) | Op::Exists => &[],
    }
}

/// Whether the release of a name is meant.
pub(crate) fn finds(expr: &Expr, name: &str) -> bool {
    match expr {
        Expr::And(parts) => parts.iter().all(|part| finds(part, name)),
        Expr::Or(parts) => parts.iter().any(|part| finds(part, name)),
        Expr::Not(part) => !finds(part, name),
        Expr::Term(term) => meets(term, name),
    }
}

fn meets(Term { key, op }: &Term, name: &str) -> bool {
    let text = |text: Option<&str>| text.map_or(Found::Absent, |text| Found::Text(Cow::Borrowed(text))).meets(op);
    match (key.as_str(), op) {
        (FREE_TEXT, Op::Contains(sought)) => name.to_lowercase().contains(&sought.to_lowercase()),
        (FREE_TEXT, Op::Like(pattern)) => Pattern::new(&format!("*{pattern}*")).matches(name),
        ("release.package", _) => text(VersionInfo::read(name).and_then(|info| info.package).as_deref()),
        ("release.build", _) => text(VersionInfo::read(name).and_then(|info| info.version.build_code).as_deref()),
        ("release.version", _) => {
            let raw = VersionInfo::read(name).map(|info| info.version.raw);
            raw.is_some_and(|raw| version_meets(op, &raw))
        }
        _ => text(Some(name)),
    }
}

fn version_meets(op: &Op, raw: &str) -> bool {
    if let Op::Like(pattern) = op {
        return Pattern::new(pattern).matches(raw);
    }
    let Some(version) = VersionOrder::read(raw) else { return false };
    let against = |value: &Value, test: fn(&VersionOrder, &VersionOrder) -> bool| {
        VersionOrder::read(&value.to_text()).is_some_and(|other| test(&version, &other))
    };
    match op {
        Op::In(values) => values.iter().any(|value| against(value, VersionOrder::eq)),
        Op::Lt(value) => against(value, VersionOrder::lt),
        Op::Le(value) => against(value, VersionOrder::le),
        Op::Gt(value) => against(value, VersionOrder::gt),
        Op::Ge(value) => against(value, VersionOrder::ge),
        Op::Exists => true,
        Op::Like(_) | Op::Contains(_) => false,
    }
}
