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
use serde_json::{Value, json};

use self::schema::{Encoding, LogRecord, OfResource, OfScope, PartialSuccess, Resource, Scope, Span};
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
    let read = read(&intake, &parts, body, (ItemType::Span, SPANS), Box::new(map)).await;
    let (taken, rejected) = apart(read);
    accept::process(&intake, Some(project), &parts, auth, taken, DataCategory::Span).await?;
    Ok(answer(&parts.headers, "rejectedSpans", rejected))
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
    let read = read(&intake, &parts, body, (ItemType::Log, LOGS), Box::new(map)).await;
    let (taken, rejected) = apart(read);
    let accepted = accept::process(&intake, Some(project), &parts, auth, taken, DataCategory::LogItem).await;
    without_limits(accepted, None)?;
    Ok(answer(&parts.headers, "rejectedLogRecords", rejected))
}

/// The span of an item `otel_span`, as JSON: one span by itself, in JSON.
pub(super) fn span_of_item(payload: &Bytes) -> Result<String, Refusal> {
    bounded(payload, ENTRY_MAX_BYTES)?;
    Ok(spans::span(&read_as::<Span>(Encoding::Json, payload)?, &Attributes::new()).to_string())
}

/// The log line of an item `otel_log`, as JSON: one record by itself, in JSON.
pub(super) fn line_of_item(intake: &Intake, payload: &Bytes) -> Result<String, Refusal> {
    bounded(payload, ENTRY_MAX_BYTES)?;
    let record = read_as::<LogRecord>(Encoding::Json, payload)?;
    Ok(logs::line(&record, &Attributes::new(), || random_trace_id(intake)).to_string())
}

/// What was read, and what of it was not taken.
fn apart(read: Result<(Taken, Option<PartialSuccess>), Refusal>) -> (Result<Taken, Refusal>, Option<PartialSuccess>) {
    match read {
        Ok((taken, rejected)) => (Ok(taken), rejected),
        Err(refusal) => (Err(refusal), None),
    }
}

async fn read(
    intake: &Intake,
    parts: &Parts,
    body: Body,
    (item_type, content_type): (ItemType, &str),
    map: Box<Map>,
) -> Result<(Taken, Option<PartialSuccess>), Refusal> {
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
    let Entries { mapped, unread, fault } = mapped.map_err(|_| Refusal::Closed)??;
    let rejected = fault.map(|fault| {
        let causes = fault.causes().join(", ");
        let error_message = format!("entries that cannot be read are dropped; the first one: {fault}: {causes}");
        PartialSuccess { rejected: i64::try_from(unread).unwrap_or(i64::MAX), error_message }
    });
    Ok((Taken { unread, ..Taken::all(containers(&item_type, content_type, mapped), room) }, rejected))
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

/// The entries of a request.
#[derive(Debug, Default)]
struct Entries {
    /// Those that can be read, as JSON.
    mapped: Vec<String>,
    /// How many cannot.
    unread: u64,
    /// What is wrong with the first of these.
    fault: Option<Refusal>,
}

/// Maps the entries of a request one by one. One that cannot be read does not hurt its neighbours; a request of which
/// nothing can be read is refused.
fn entries(encoding: Encoding, body: &Bytes, map: &Map) -> Result<Entries, Refusal> {
    let (mut entries, mut bytes) = (Entries::default(), 0);
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
                let mapped = bounded(&entry, ENTRY_MAX_BYTES)
                    .and_then(|_| map(encoding, &entry, &shared).map_err(Refusal::Store));
                let mapped = match mapped {
                    Ok(mapped) => mapped.to_string(),
                    Err(fault) => {
                        entries.unread += 1;
                        entries.fault.get_or_insert(fault);
                        continue;
                    }
                };
                bytes += mapped.len();
                if bytes > MAPPED_MAX_BYTES {
                    return Err(Refusal::BodyTooLarge { bytes_max: MAPPED_MAX_BYTES });
                }
                entries.mapped.push(mapped);
            }
        }
    }
    match entries.fault {
        Some(fault) if entries.mapped.is_empty() => Err(fault),
        _ => Ok(entries),
    }
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

/// The answer to a request that was taken: an empty message, or what of it was not. `rejected_key` is what JSON calls the
/// number of these.
fn answer(request: &HeaderMap, rejected_key: &str, rejected: Option<PartialSuccess>) -> Response {
    let (media_type, body) = match media_type(request).as_str() {
        "application/json" => ("application/json", rejected.map_or_else(|| json!({}), |rejected| {
            // JSON writes numbers of 64 bits as text.
            let PartialSuccess { rejected, error_message } = rejected;
            json!({ "partialSuccess": { (rejected_key): rejected.to_string(), "errorMessage": error_message } })
        }).to_string().into_bytes()),
        _ => ("application/x-protobuf", schema::Response { partial_success: rejected }.encode_to_vec()),
    };
    ([(header::CONTENT_TYPE, HeaderValue::from_static(media_type))], body).into_response()
}

#[cfg(test)]
mod tests;
