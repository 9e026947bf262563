//! OpenTelemetry's own protocol over HTTP: traces and logs (`reference/ingest-protocol.md` §2.10).

mod attributes;
mod logs;
mod schema;
mod spans;

use axum::{
    body::Body,
    extract::{Path, Request, State},
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, header, request::Parts};
use nuthatch_protocol::{DataCategory, ItemType};
use prost::Message;
use serde::de::DeserializeOwned;
use serde_json::Value;

use self::schema::{Encoding, LogRecord, OfResource, OfScope, Resource, Scope, Span};
use super::{LOGS, SPANS, containers, media_type, project_id, random_trace_id, without_limits};
use crate::{
    Intake,
    accept::{self, Taken},
    body,
    credentials::credentials,
    refusal::Refusal,
};

/// Largest request, in bytes after decompression.
const REQUEST_MAX_BYTES: usize = 12 << 20;

/// Largest entry, in bytes as written: bounds what one unfolds to.
const ENTRY_MAX_BYTES: usize = 1 << 20;

/// Largest description of a resource or a scope, in bytes as written: each of its entries repeats it.
const SHARED_MAX_BYTES: usize = 64 << 10;

/// Most bytes that the entries of a request are mapped to.
const MAPPED_MAX_BYTES: usize = 64 << 20;

/// Room that a request takes for that, as a multiple of the length of its entries, each with what it repeats. Usual requests
/// take less.
const UNFOLDING: usize = 5;

/// Maps one entry, given what it shares with others; an error says why it cannot be read.
type Map = dyn Fn(Encoding, &Bytes, &Attributes) -> Result<Value, String> + Send;

/// Attributes of items (§7.12).
type Attributes = serde_json::Map<String, Value>;

/// Takes spans.
pub(crate) async fn traces(
    State(intake): State<Intake>,
    Path(project): Path<String>,
    request: Request,
) -> Result<Response, Refusal> {
    let project = project_id(&project)?;
    let (parts, body) = request.into_parts();
    let auth = credentials(&parts)?.ok_or(Refusal::NoAuth)?;
    let map = |encoding: Encoding, entry: &Bytes, shared: &Attributes| -> Result<Value, String> {
        Ok(spans::span(&encoding.read::<Span>(entry)?, shared))
    };
    let taken = read(&intake, &parts, body, (ItemType::Span, SPANS), Box::new(map)).await;
    accept::process(&intake, Some(project), &parts, auth, taken, DataCategory::Span).await?;
    Ok(nothing_more(&parts.headers))
}

/// Takes log records.
pub(crate) async fn log_records(
    State(intake): State<Intake>,
    Path(project): Path<String>,
    request: Request,
) -> Result<Response, Refusal> {
    let project = project_id(&project)?;
    let (parts, body) = request.into_parts();
    let auth = credentials(&parts)?.ok_or(Refusal::NoAuth)?;
    let for_ids = intake.clone();
    let map = move |encoding: Encoding, entry: &Bytes, shared: &Attributes| -> Result<Value, String> {
        Ok(logs::line(&encoding.read::<LogRecord>(entry)?, shared, || random_trace_id(&for_ids)))
    };
    let taken = read(&intake, &parts, body, (ItemType::Log, LOGS), Box::new(map)).await;
    let answer = accept::process(&intake, Some(project), &parts, auth, taken, DataCategory::LogItem).await;
    without_limits(answer, None)?;
    Ok(nothing_more(&parts.headers))
}

async fn read(
    intake: &Intake,
    parts: &Parts,
    body: Body,
    (item_type, content_type): (ItemType, &str),
    map: Box<Map>,
) -> Result<Taken, Refusal> {
    let encoding = match media_type(&parts.headers).as_str() {
        "application/x-protobuf" => Encoding::Protobuf,
        "application/json" => Encoding::Json,
        _ => return Err(Refusal::MediaType { supported: "application/x-protobuf or application/json" }),
    };
    let config = &intake.inner.config;
    let body::Received { bytes, mut room } =
        body::read(&parts.headers, body, REQUEST_MAX_BYTES, &intake.inner.memory, config).await?;
    let repeated = unfolded_bytes(encoding, &bytes)?;
    room.grow(repeated.saturating_mul(UNFOLDING).min(MAPPED_MAX_BYTES), config).await?;
    // A large request takes a while to map.
    let mapped = tokio::task::spawn_blocking(move || entries(encoding, &bytes, &*map)).await;
    // The thread only fails to finish when the runtime is going down.
    let entries = mapped.map_err(|_| Refusal::Closed)??;
    Ok(Taken { envelopes: containers(&item_type, content_type, entries), room })
}

/// Bytes of the entries of a request as they are mapped: each with its resource and its scope.
fn unfolded_bytes(encoding: Encoding, body: &Bytes) -> Result<usize, Refusal> {
    let mut bytes = 0_usize;
    for of_resource in read_as::<schema::Request>(encoding, body)?.resources {
        let of_resource: OfResource = read_as(encoding, &of_resource)?;
        for of_scope in of_resource.scopes {
            let of_scope: OfScope = read_as(encoding, &of_scope)?;
            let shared = of_resource.resource.len() + of_scope.scope.len();
            bytes += of_scope.entries.iter().map(|entry| entry.len() + shared).sum::<usize>();
        }
    }
    Ok(bytes)
}

/// The entries of a request, mapped one by one, as JSON.
fn entries(encoding: Encoding, body: &Bytes, map: &Map) -> Result<Vec<String>, Refusal> {
    let (mut entries, mut bytes) = (Vec::new(), 0);
    for of_resource in read_as::<schema::Request>(encoding, body)?.resources {
        let of_resource: OfResource = read_as(encoding, &of_resource)?;
        let resource = bounded(&of_resource.resource, SHARED_MAX_BYTES)?;
        let resource = resource.map(|resource| read_as::<Resource>(encoding, resource)).transpose()?;
        for of_scope in of_resource.scopes {
            let of_scope: OfScope = read_as(encoding, &of_scope)?;
            let scope = bounded(&of_scope.scope, SHARED_MAX_BYTES)?;
            let scope = scope.map(|scope| read_as::<Scope>(encoding, scope)).transpose()?;
            let shared = attributes::shared(resource.as_ref(), scope.as_ref());
            for entry in of_scope.entries {
                // One that is empty is an entry all the same.
                bounded(&entry, ENTRY_MAX_BYTES)?;
                let entry = map(encoding, &entry, &shared).map_err(Refusal::Store)?.to_string();
                bytes += entry.len();
                if bytes > MAPPED_MAX_BYTES {
                    return Err(Refusal::BodyTooLarge { bytes_max: MAPPED_MAX_BYTES });
                }
                entries.push(entry);
            }
        }
    }
    Ok(entries)
}

fn read_as<M: Message + Default + DeserializeOwned>(encoding: Encoding, bytes: &Bytes) -> Result<M, Refusal> {
    encoding.read(bytes).map_err(Refusal::Store)
}

/// A piece, if it is there and no larger than it may be.
fn bounded(piece: &Bytes, bytes_max: usize) -> Result<Option<&Bytes>, Refusal> {
    if piece.len() > bytes_max {
        return Err(Refusal::BodyTooLarge { bytes_max });
    }
    Ok(Some(piece).filter(|piece| !piece.is_empty()))
}

/// An empty response message: everything was taken.
fn nothing_more(request: &HeaderMap) -> Response {
    let (media_type, body) = match media_type(request).as_str() {
        "application/json" => ("application/json", "{}"),
        _ => ("application/x-protobuf", ""),
    };
    ([(header::CONTENT_TYPE, HeaderValue::from_static(media_type))], body).into_response()
}

#[cfg(test)]
mod tests;
