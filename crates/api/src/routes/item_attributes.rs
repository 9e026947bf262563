//! Names and values of the attributes of spans, log lines and metrics (`reference/web-api.md` §4.1): what search fields
//! complete.

use axum::{
    Json,
    extract::{OriginalUri, RawPathParams, State},
    response::IntoResponse,
};
use nuthatch_query::{AttributeType, FieldValue};
use nuthatch_store::traces::{AttributeKey, KEYS_MAX};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    item_search::{ItemSearch, wrong},
    paths::OrganizationPath,
};
use crate::{
    Api,
    auth::{
        access::{InOrganization, Within, parameter},
        scope::EventRight,
    },
    error::{ApiError, ErrorBody},
    page::cut,
    period::Period,
    query::{Paging, Query, single},
    trace_items::column::stored_name,
};

/// Which names or values.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", default)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(super) struct AttributeSearch {
    /// `string` (when absent), `number` or `boolean`; of names.
    #[serde(deserialize_with = "single")]
    #[param(value_type = Option<String>)]
    attribute_type: Option<String>,
    /// Part of the name or value.
    #[serde(deserialize_with = "single")]
    #[param(value_type = Option<String>)]
    substring_match: Option<String>,
}

impl AttributeSearch {
    fn is_part_of(&self, text: &str) -> bool {
        text.to_lowercase().contains(&self.substring_match.as_deref().unwrap_or_default().to_lowercase())
    }
}

/// The name of an attribute.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ItemAttribute {
    key: String,
    name: String,
    attribute_type: &'static str,
    attribute_source: AttributeSource,
}

/// Where an attribute comes from.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AttributeSource {
    /// `user`: it was sent.
    source_type: &'static str,
}

/// A value of an attribute.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AttributeValueCount {
    key: String,
    name: String,
    value: String,
    count: u64,
}

fn type_name(of_type: AttributeType) -> &'static str {
    match of_type {
        AttributeType::Text => "string",
        AttributeType::Number => "number",
        AttributeType::Boolean => "boolean",
    }
}

/// Names of attributes, most frequent first.
#[utoipa::path(
    get, path = "/api/0/organizations/{org}/trace-items/attributes/", operation_id = "listTraceItemAttributes",
    tag = "traces", params(OrganizationPath, ItemSearch, AttributeSearch, Period, Paging),
    responses((status = 200, body = [ItemAttribute]), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn keys(
    State(api): State<Api>,
    place: Within<InOrganization, EventRight>,
    OriginalUri(uri): OriginalUri,
    Query(search): Query<ItemSearch>,
    Query(wanted): Query<AttributeSearch>,
    Query(period): Query<Period>,
    Query(paging): Query<Paging>,
) -> Result<impl IntoResponse, ApiError> {
    let of_type = match wanted.attribute_type.as_deref().unwrap_or("string") {
        "string" => AttributeType::Text,
        "number" => AttributeType::Number,
        "boolean" => AttributeType::Boolean,
        other => return Err(wrong("attributeType", format!("{other:?} is not string, number or boolean"))),
    };
    let selected = search.select(&api, &place, &period).await?;
    let mut keys = match &selected.query {
        Some(query) => api.traces.attribute_keys(query).await?,
        None => Vec::new(),
    };
    keys.retain(|key| key.of_type == of_type && wanted.is_part_of(&key.name));
    let (keys, links) = cut(keys, paging.cursor.as_deref(), paging.rows()?)?;
    let row = |key: AttributeKey| ItemAttribute {
        name: key.name.clone(),
        key: key.name,
        attribute_type: type_name(key.of_type),
        attribute_source: AttributeSource { source_type: "user" },
    };
    Ok((links.header(&api.public_url, &uri), Json(keys.into_iter().map(row).collect::<Vec<_>>())))
}

/// Values of an attribute or field, most frequent first.
#[utoipa::path(
    get, path = "/api/0/organizations/{org}/trace-items/attributes/{key}/values/",
    operation_id = "listTraceItemAttributeValues", tag = "traces",
    params(OrganizationPath, ItemSearch, AttributeSearch, Period, Paging, ("key" = String, Path, description = "Name")),
    responses((status = 200, body = [AttributeValueCount]), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
#[expect(clippy::too_many_arguments, reason = "one extractor each")]
pub(super) async fn values(
    State(api): State<Api>,
    place: Within<InOrganization, EventRight>,
    OriginalUri(uri): OriginalUri,
    path: RawPathParams,
    Query(search): Query<ItemSearch>,
    Query(wanted): Query<AttributeSearch>,
    Query(period): Query<Period>,
    Query(paging): Query<Paging>,
) -> Result<impl IntoResponse, ApiError> {
    let key = parameter(&path, "key").unwrap_or_default();
    let selected = search.select(&api, &place, &period).await?;
    let found = match &selected.query {
        Some(query) => api.traces.attribute_values(query, stored_name(key), KEYS_MAX).await?,
        None => Vec::new(),
    };
    let row = |(value, count): (FieldValue, u64)| {
        let value = match value {
            FieldValue::Text(text) => text,
            FieldValue::Number(number) => number.to_string(),
            FieldValue::Boolean(value) => value.to_string(),
        };
        AttributeValueCount { key: key.to_owned(), name: key.to_owned(), value, count }
    };
    let mut rows: Vec<AttributeValueCount> = found.into_iter().map(row).collect();
    rows.retain(|row| wanted.is_part_of(&row.value));
    let (rows, links) = cut(rows, paging.cursor.as_deref(), paging.rows()?)?;
    Ok((links.header(&api.public_url, &uri), Json(rows)))
}
