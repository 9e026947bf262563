//! One span, log line or metric (`reference/web-api.md` §4.1).

use axum::{
    Json,
    extract::{RawPathParams, State},
};
use nuthatch_protocol::{AttributeValue, EventId, SpanId, TraceId, TraceItem, TraceItemKind};
use nuthatch_store::traces::TRACE_ITEMS_MAX;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

use super::{item_search::wrong, paths::ProjectPath};
use crate::{
    Api,
    auth::{
        access::{InProject, Within, parameter},
        scope::EventRight,
    },
    error::{ApiError, ErrorBody},
    query::{Query, single},
    trace_items::{Dataset, value::attribute},
};

/// What the item is.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(super) struct WhichItem {
    /// `spans` (when absent), `logs` or `tracemetrics`.
    #[serde(deserialize_with = "single")]
    #[param(value_type = Option<String>)]
    item_type: Option<String>,
    /// Trace of a span that is named by its short id.
    #[serde(deserialize_with = "single")]
    #[param(value_type = Option<String>)]
    trace_id: Option<String>,
}

/// A span, log line or metric.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct TraceItemDetail {
    /// 32 hex digits.
    item_id: String,
    timestamp: String,
    attributes: Vec<NamedAttribute>,
    #[schema(value_type = Object)]
    meta: Map<String, Value>,
    links: Option<Value>,
}

/// An attribute.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct NamedAttribute {
    name: String,
    /// `str`, `int`, `float` or `bool`.
    #[serde(rename = "type")]
    of_type: &'static str,
    value: Value,
}

impl TraceItemDetail {
    fn new(item: &TraceItem) -> Self {
        let attribute = |(name, value): (&String, &AttributeValue)| NamedAttribute {
            name: name.clone(),
            of_type: match value {
                AttributeValue::Text(_) => "str",
                AttributeValue::Integer(_) => "int",
                AttributeValue::Double(_) => "float",
                AttributeValue::Boolean(_) => "bool",
            },
            value: attribute(value),
        };
        Self {
            item_id: item.id.to_string(),
            timestamp: item.timestamp.to_string(),
            attributes: item.attributes.iter().map(attribute).collect(),
            meta: Map::new(),
            links: None,
        }
    }
}

/// A span, log line or metric with all its attributes. A span is named by its own id and its trace, or, like the others,
/// by the 32 hex digits of the item.
#[utoipa::path(
    get, path = "/api/0/projects/{org}/{project}/trace-items/{item_id}/", operation_id = "getTraceItem", tag = "traces",
    params(ProjectPath, WhichItem, ("item_id" = String, Path, description = "32 or 16 hex digits")),
    responses((status = 200, body = TraceItemDetail), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn detail(
    State(api): State<Api>,
    place: Within<InProject, EventRight>,
    path: RawPathParams,
    Query(which): Query<WhichItem>,
) -> Result<Json<TraceItemDetail>, ApiError> {
    let named = Dataset::named(which.item_type.as_deref().unwrap_or("spans"));
    let kind = named.map_err(|message| wrong("item_type", message))?.kind();
    let text = parameter(&path, "item_id").unwrap_or_default();
    let trace = which.trace_id.as_deref().filter(|text| !text.is_empty());
    let project = place.project.id;
    let item = match (text.parse::<EventId>(), text.parse::<SpanId>(), trace) {
        (Ok(id), ..) => api.traces.get(project, kind, id).await?,
        (_, Ok(span), Some(trace)) => {
            let trace: TraceId = trace.parse().map_err(|error| wrong("trace_id", format!("{trace:?}: {error}")))?;
            let items = api.traces.trace(&[project], trace, TRACE_ITEMS_MAX).await?;
            items.into_iter().find(|item| item.kind == TraceItemKind::Span && item.span_id == Some(span))
        }
        _ => None,
    };
    Ok(Json(TraceItemDetail::new(&item.ok_or(ApiError::NotFound("trace item"))?)))
}
