//! Sums of sessions (`reference/web-api.md` §4.4).

use std::{
    cmp::Ordering,
    collections::{BTreeMap, HashMap},
};

use axum::{
    Json,
    extract::{OriginalUri, State},
    response::IntoResponse,
};
use nuthatch_protocol::Timestamp;
use nuthatch_query::{Expr, Grammar, Op, Term, parse};
use nuthatch_store::sessions::{SessionGroup, SessionGrouping, SessionQuery, SessionSum};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::IntoParams;

use super::paths::OrganizationPath;
use crate::{
    Api,
    auth::{
        access::{InOrganization, Within, chosen},
        scope::OrganizationRight,
    },
    error::{ApiError, ErrorBody},
    health::{Field, Kind},
    page::cut,
    period::Period,
    query::{Paging, Query, single},
    series::{HOUR_SECS, Intervals},
    shape::session::{SessionStats, SessionStatsGroup},
};

/// Which sessions, and what is told of them. What may repeat is one of several.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", default)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(super) struct SessionSearch {
    /// `sum(session)`, `count_unique(user)`; `crash_rate`, `crash_free_rate`, `healthy_rate`, `unhealthy_rate`,
    /// `errored_rate`, `abnormal_rate` or `unhandled_rate` of `(session)` or `(user)`; `anr_rate()`; `avg`, `p50`, `p75`,
    /// `p90`, `p95`, `p99` or `max` of `(session.duration)`, in milliseconds, within two percent.
    field: Vec<String>,
    /// `project`, `release`, `environment`; `session.status`, which counts can be told apart by.
    group_by: Vec<String>,
    /// Slugs or ids; `-1` or absent: all.
    project: Vec<String>,
    /// Names of environments.
    environment: Vec<String>,
    /// Conditions on `release` and `environment`.
    #[serde(deserialize_with = "single")]
    #[param(value_type = Option<String>)]
    query: Option<String>,
    /// Length of an interval, in whole hours: `1h`, `1d`. By the hour up to seven days and then by the day when absent.
    #[serde(deserialize_with = "single")]
    #[param(value_type = Option<String>)]
    interval: Option<String>,
    /// `0`: no totals.
    #[serde(deserialize_with = "single")]
    #[param(value_type = Option<String>)]
    include_totals: Option<String>,
    /// `0`: no series.
    #[serde(deserialize_with = "single")]
    #[param(value_type = Option<String>)]
    include_series: Option<String>,
    /// One of the fields, with `-` in front for the greatest first; that of the first field when absent.
    #[serde(deserialize_with = "single")]
    #[param(value_type = Option<String>)]
    order_by: Option<String>,
}

/// How many sessions and users there were over the period (a day when absent), and how they fared. Sessions count in the
/// hour in which they began.
#[utoipa::path(
    get, path = "/api/0/organizations/{org}/sessions/", operation_id = "getSessionStats", tag = "releases",
    params(OrganizationPath, SessionSearch, Period, Paging),
    responses((status = 200, body = SessionStats), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn stats(
    State(api): State<Api>,
    place: Within<InOrganization, OrganizationRight>,
    OriginalUri(uri): OriginalUri,
    Query(search): Query<SessionSearch>,
    Query(period): Query<Period>,
    Query(paging): Query<Paging>,
) -> Result<impl IntoResponse, ApiError> {
    let fields = fields(&search.field)?;
    let (by, by_kind) = grouping(&search.group_by)?;
    if by_kind && let Some((name, _)) = fields.iter().find(|(_, field)| !field.has_kinds()) {
        return Err(ApiError::Invalid(format!("{name} cannot be grouped by session.status; only counts can")));
    }
    let order = Order::read(search.order_by.as_deref(), &fields)?;
    let intervals = Intervals::of_period(&period, search.interval.as_deref(), HOUR_SECS, api.now())?;
    let projects = place.projects(&api).await?;
    let text = search.query.unwrap_or_default();
    let query = SessionQuery {
        projects: chosen(&projects, &search.project)?.iter().map(|project| project.id).collect(),
        filter: filter(&text, &search.environment, api.now())?,
        from_hour: intervals.first / HOUR_SECS,
        until_hour: (intervals.first + intervals.count * intervals.secs) / HOUR_SECS,
        interval_hours: None,
        by,
        with_users: fields.iter().any(|(_, field)| field.needs_users()),
        with_durations: fields.iter().any(|(_, field)| field.needs_durations()),
    };
    let mut totals = api.meta.session_sums(&query).await?;
    if totals.is_empty() && by == SessionGrouping::default() {
        totals.push(SessionSum::default());
    }
    let kinds: Vec<Option<Kind>> = if by_kind { Kind::ALL.into_iter().map(Some).collect() } else { vec![None] };
    let mut groups: Vec<(SessionSum, Option<Kind>)> =
        totals.into_iter().flat_map(|sum| kinds.iter().map(move |kind| (sum.clone(), *kind))).collect();
    groups.sort_by(|a, b| order.compare(a, b));
    let (groups, links) = cut(groups, paging.cursor.as_deref(), paging.rows()?)?;

    let is_wanted = |flag: &Option<String>| flag.as_deref() != Some("0");
    let mut series: HashMap<SessionGroup, BTreeMap<i64, SessionSum>> = HashMap::new();
    if is_wanted(&search.include_series) {
        let query = SessionQuery { interval_hours: Some(intervals.secs / HOUR_SECS), ..query };
        for sum in api.meta.session_sums(&query).await? {
            series.entry(sum.group.clone()).or_default().insert(sum.start_hour, sum);
        }
    }
    let nothing = SessionSum::default();
    let start_hour = |n: i64| (intervals.first + n * intervals.secs) / HOUR_SECS;
    let groups = groups.into_iter().map(|(sum, kind)| {
        let of_group = series.get(&sum.group);
        let at = |n| of_group.and_then(|sums| sums.get(&start_hour(n))).unwrap_or(&nothing);
        let values = |field: &Field| (0..intervals.count).map(|n| field.of(at(n), kind)).collect();
        let named = |(name, field): &(String, Field)| (name.clone(), field.of(&sum, kind));
        SessionStatsGroup {
            by: words(&sum.group, kind),
            totals: fields.iter().filter(|_| is_wanted(&search.include_totals)).map(named).collect(),
            series: fields
                .iter()
                .filter(|_| is_wanted(&search.include_series))
                .map(|(name, field)| (name.clone(), values(field)))
                .collect(),
        }
    });
    let time = |n: i64| Timestamp::from_secs(intervals.first + n * intervals.secs).to_string();
    let stats = SessionStats {
        start: time(0),
        end: time(intervals.count),
        intervals: (0..intervals.count).map(time).collect(),
        groups: groups.collect(),
        query: text,
    };
    Ok((links.header(&api.public_url, &uri), Json(stats)))
}

fn fields(names: &[String]) -> Result<Vec<(String, Field)>, ApiError> {
    let read = |name: &String| {
        let field = name.parse().map_err(|()| ApiError::Invalid(format!("field {name:?} is not known")))?;
        Ok((name.clone(), field))
    };
    if names.is_empty() {
        return Err(ApiError::Invalid("field is missing; for instance field=sum(session)".to_owned()));
    }
    names.iter().map(read).collect()
}

fn grouping(names: &[String]) -> Result<(SessionGrouping, bool), ApiError> {
    let (mut by, mut by_kind) = (SessionGrouping::default(), false);
    for name in names {
        *match name.as_str() {
            "project" => &mut by.project,
            "release" => &mut by.release,
            "environment" => &mut by.environment,
            "session.status" => &mut by_kind,
            other => {
                let detail = format!("groupBy {other:?} is not project, release, environment or session.status");
                return Err(ApiError::Invalid(detail));
            }
        } = true;
    }
    Ok((by, by_kind))
}

/// The condition of a search text and names of environments, one of which it has to be.
pub(super) fn filter(text: &str, environments: &[String], now: Timestamp) -> Result<Expr, ApiError> {
    let search = parse(text, Grammar::Boolean, now).map_err(|error| ApiError::Invalid(error.to_string()))?;
    check(&search)?;
    let mut all = vec![search];
    if !environments.is_empty() {
        let names = environments.iter().map(|name| nuthatch_query::Value::Text(name.clone())).collect();
        all.push(Expr::Term(Term { key: "environment".to_owned(), op: Op::In(names) }));
    }
    Ok(Expr::And(all))
}

fn check(expr: &Expr) -> Result<(), ApiError> {
    match expr {
        Expr::And(parts) | Expr::Or(parts) => parts.iter().try_for_each(check),
        Expr::Not(part) => check(part),
        Expr::Term(term) if matches!(term.key.as_str(), "release" | "environment") => Ok(()),
        Expr::Term(term) => {
            Err(ApiError::Invalid(format!("{:?} is not release or environment, which sessions have", term.key)))
        }
    }
}

fn words(group: &SessionGroup, kind: Option<Kind>) -> BTreeMap<&'static str, Value> {
    let SessionGroup { project, release, environment } = group;
    let known = [
        ("project", project.map(|id| json!(id))),
        ("release", release.clone().map(Value::from)),
        ("environment", environment.clone().map(Value::from)),
        ("session.status", kind.map(|kind| json!(kind.as_str()))),
    ];
    known.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

/// In which order groups are listed.
struct Order {
    field: Field,
    greatest_first: bool,
}

impl Order {
    fn read(text: Option<&str>, fields: &[(String, Field)]) -> Result<Self, ApiError> {
        let Some(text) = text.filter(|text| !text.is_empty()) else {
            let field = fields.first().map_or(Field::AnrRate, |(_, field)| *field);
            return Ok(Self { field, greatest_first: true });
        };
        let name = text.strip_prefix('-').unwrap_or(text);
        let field = fields.iter().find(|(known, _)| known == name).map(|(_, field)| *field);
        let field = field.ok_or_else(|| ApiError::Invalid(format!("orderBy {name:?} is not one of the fields")))?;
        Ok(Self { field, greatest_first: name.len() < text.len() })
    }

    /// By value, without one at the end; then by name.
    fn compare(&self, a: &(SessionSum, Option<Kind>), b: &(SessionSum, Option<Kind>)) -> Ordering {
        let value = |(sum, kind): &(SessionSum, Option<Kind>)| self.field.of(sum, *kind).as_f64();
        let by_value = match (value(a), value(b)) {
            (Some(a), Some(b)) if self.greatest_first => b.total_cmp(&a),
            (Some(a), Some(b)) => a.total_cmp(&b),
            (a, b) => b.is_some().cmp(&a.is_some()),
        };
        by_value.then_with(|| (&a.0.group, a.1).cmp(&(&b.0.group, b.1)))
    }
}
