//! From a body to the log and an answer (`reference/ingest-protocol.md` §10).

use axum::body::Body;
use bytes::Bytes;
use http::request::Parts;
use nuthatch_protocol::{Auth, Envelope, EnvelopeHeader, EventId, IngestRecord, ProjectId, record::IngestHeader};
use nuthatch_store::{StoreError, log::NewRecord, projects::ProjectKey};
use tokio::time::{sleep, timeout};

use crate::{
    Intake, body,
    credentials::{client_ip, credentials},
    plan::{self, IdSource, Verdict},
    refusal::Refusal,
    store_payload,
    telemetry::Telemetry,
};

/// Pause before another attempt to append to a log that is not available.
const APPEND_PAUSE: std::time::Duration = std::time::Duration::from_millis(50);

/// Takes an envelope; the id of its event, if it has one.
pub(crate) async fn envelope(
    intake: &Intake,
    project: Option<ProjectId>,
    parts: &Parts,
    body: Body,
) -> Result<Option<EventId>, Refusal> {
    let auth = credentials(parts)?;
    let config = &intake.inner.config;
    let received = body::read(&parts.headers, body, config.envelope_max_bytes, &intake.inner.memory, config).await?;
    let auth = match auth {
        Some(auth) => auth,
        None => auth_of_envelope(&received.bytes)?,
    };
    if received.bytes.is_empty() {
        return Err(Refusal::Empty);
    }
    let envelope = Envelope::parse(&received.bytes)?;
    check_dsn(&envelope.header, &auth, project)?;
    let id = process(intake, project, parts, auth, envelope).await?;
    drop(received.room);
    Ok(id)
}

/// Takes one event of the older protocol (`reference/ingest-protocol.md` §2.2), from the body or, when given, from
/// the query.
pub(crate) async fn event(
    intake: &Intake,
    project: Option<ProjectId>,
    parts: &Parts,
    body: Body,
    in_query: Option<Bytes>,
) -> Result<Option<EventId>, Refusal> {
    let auth = credentials(parts)?.ok_or(Refusal::NoAuth)?;
    let config = &intake.inner.config;
    let limit = config.event_max_bytes;
    let received = body::read(&parts.headers, body, limit, &intake.inner.memory, config).await?;
    let envelope = store_payload::envelope(&in_query.unwrap_or(received.bytes), limit)?;
    let id = process(intake, project, parts, auth, envelope).await?;
    drop(received.room);
    Ok(id)
}

/// The credentials in the envelope's own header, which count when there are no others.
fn auth_of_envelope(body: &Bytes) -> Result<Auth, Refusal> {
    let header = Envelope::parse_header(body).map_err(|_| Refusal::NoAuth)?;
    let dsn = header.dsn.ok_or(Refusal::NoAuth)?;
    Ok(Auth { key: dsn.public_key, version: None, client: None })
}

fn check_dsn(header: &EnvelopeHeader, auth: &Auth, project: Option<ProjectId>) -> Result<(), Refusal> {
    match &header.dsn {
        Some(dsn) if dsn.public_key != auth.key => Err(Refusal::DsnMismatch),
        Some(dsn) if project.is_some_and(|project| project != dsn.project_id) => Err(Refusal::DsnMismatch),
        _ => Ok(()),
    }
}

async fn process(
    intake: &Intake,
    project: Option<ProjectId>,
    parts: &Parts,
    auth: Auth,
    envelope: Envelope,
) -> Result<Option<EventId>, Refusal> {
    let key = intake.inner.keys.authorize(auth.key, project).await?;
    plan::check_limits(&envelope, &intake.inner.config)?;
    let event_id = match plan::event_id(&envelope) {
        IdSource::Header(id) | IdSource::Payload(id) => id,
        IdSource::Random => (intake.inner.new_event_id)(),
        IdSource::None => {
            envelope.items.iter().for_each(|item| Telemetry::skipped(&item.item_type));
            return Ok(None);
        }
    };
    let sent_at = envelope.header.sent_at;
    for item in envelope.items {
        let Verdict::Append(topic) = plan::verdict(&item) else {
            Telemetry::skipped(&item.item_type);
            continue;
        };
        let header = IngestHeader {
            project_id: key.project_id,
            key_id: key.id,
            event_id,
            item_type: item.item_type.as_str().to_owned(),
            received: intake.inner.clock.now(),
            sent_at,
            client_ip: client_ip(parts, intake.inner.config.trust_forwarded_for),
            client: auth.client.clone(),
            version: auth.version.clone().unwrap_or_else(|| "7".to_owned()),
        };
        let bytes = item.payload.len();
        let record = IngestRecord { header, payload: item.payload };
        append(intake, topic, &key, NewRecord { key: event_id.0, value: record.encode() }).await?;
        intake.inner.telemetry.accepted(bytes);
    }
    Ok(Some(event_id))
}

/// Appends durably. SDKs drop what is answered with 503, so a log that is not available is given time to come back.
async fn append(
    intake: &Intake,
    topic: nuthatch_protocol::Topic,
    key: &ProjectKey,
    record: NewRecord,
) -> Result<(), Refusal> {
    let log = &intake.inner.log;
    let partition = partition_of(key.project_id, log.partitions(topic));
    let attempts = async {
        loop {
            match log.append(topic, partition, vec![record.clone()]).await {
                Ok(_) => return Ok(()),
                Err(error @ StoreError::Unavailable { .. }) => {
                    tracing::warn!(%error, "intake waits for the log");
                    sleep(APPEND_PAUSE).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
    };
    timeout(intake.inner.config.append_wait, attempts).await.unwrap_or(Err(Refusal::Unavailable))
}

/// The partition of a project's records: always the same one, so that its events keep their order.
pub fn partition_of(project: ProjectId, partitions: nuthatch_protocol::Partition) -> nuthatch_protocol::Partition {
    // The remainder is below a partition number.
    (project.0 % u64::from(partitions.max(1))) as nuthatch_protocol::Partition
}
