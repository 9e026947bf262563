//! From a body to the log and an answer (`reference/ingest-protocol.md` §10).

use std::collections::BTreeMap;

use axum::body::Body;
use bytes::Bytes;
use futures_util::future::join_all;
use http::request::Parts;
use nuthatch_protocol::{
    Auth, DataCategory, Envelope, EnvelopeHeader, EventId, IngestRecord, Item, ItemAttributes, ItemType, Origin,
    Outcome, OutcomeKey, ProjectId, Topic, record::IngestHeader,
};
use nuthatch_store::{log::NewRecord, projects::ProjectKey};

use crate::{
    Intake, beside, body,
    client_report::Reported,
    crash,
    credentials::{client_hints, client_ip, credentials, user_agent},
    durable::durably,
    endpoint::items,
    entries,
    keys::Grant,
    limits,
    plan::{self, IdSource, Plan, Verdict},
    profiles,
    quotas::{self, LimitsMet},
    refusal::Refusal,
    store_payload,
    telemetry::Telemetry,
    uploads,
};

/// The word of the ledger for entries that could not be read.
const UNREAD: &str = "invalid_entry";

/// Takes an envelope; the id of its event, if it has one.
pub(crate) async fn envelope(
    intake: &Intake,
    project: Option<ProjectId>,
    parts: &Parts,
    body: Body,
) -> Result<Option<EventId>, Refusal> {
    let mut auth = credentials(parts)?;
    let taken = read_envelope(intake, project, parts, body, &mut auth).await;
    let Some(auth) = auth else { return Err(taken.err().unwrap_or(Refusal::NoAuth)) };
    process(intake, project, parts, auth, taken, DataCategory::Unknown).await
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
    let taken = read_event(intake, parts, body, in_query).await;
    process(intake, project, parts, auth, taken, DataCategory::Error).await
}

/// What a request carries, and the room its body takes.
pub(crate) struct Taken {
    /// Most requests are one envelope. Those that bring several events are one for each.
    pub(crate) envelopes: Vec<Envelope>,
    /// Given back when the envelopes have been handled.
    pub(crate) room: body::Room,
    /// Entries that were dropped because they could not be read, while others could.
    pub(crate) unread: u64,
}

impl Taken {
    /// One envelope.
    pub(crate) fn one(envelope: Envelope, room: body::Room) -> Self {
        Self::all(vec![envelope], room)
    }

    /// All that was sent.
    pub(crate) fn all(envelopes: Vec<Envelope>, room: body::Room) -> Self {
        Self { envelopes, room, unread: 0 }
    }
}

/// Reads an envelope, and whose it is when only it says so.
async fn read_envelope(
    intake: &Intake,
    project: Option<ProjectId>,
    parts: &Parts,
    body: Body,
    auth: &mut Option<Auth>,
) -> Result<Taken, Refusal> {
    let config = &intake.inner.config;
    let received = body::read(&parts.headers, body, config.envelope_max_bytes, &intake.inner.memory, config).await?;
    let auth = match auth {
        Some(auth) => auth,
        None => auth.insert(auth_of_envelope(&received.bytes)?),
    };
    if received.bytes.is_empty() {
        return Err(Refusal::Empty);
    }
    let envelope = Envelope::parse(&received.bytes)?;
    check_dsn(&envelope.header, auth, project)?;
    let mut room = received.room;
    let envelopes = items::translated(intake, envelope, &mut room).await?;
    Ok(Taken::all(envelopes, room))
}

async fn read_event(intake: &Intake, parts: &Parts, body: Body, in_query: Option<Bytes>) -> Result<Taken, Refusal> {
    let config = &intake.inner.config;
    let limit = config.event_max_bytes;
    let received = body::read(&parts.headers, body, limit, &intake.inner.memory, config).await?;
    let envelope = store_payload::envelope(&in_query.unwrap_or(received.bytes), limit)?;
    Ok(Taken::one(envelope, received.room))
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

/// Handles what was read, or counts that it could not be: as one unit of `unreadable`, because what it holds is not known.
/// The id is that of the first envelope that has one; of several, one that is taken makes the request accepted, unless the
/// server failed to take another, which the client then has to send again. So what is not taken of a request is counted
/// when nothing of it failed: sent again, it would count again.
pub(crate) async fn process(
    intake: &Intake,
    project: Option<ProjectId>,
    parts: &Parts,
    auth: Auth,
    taken: Result<Taken, Refusal>,
    unreadable: DataCategory,
) -> Result<Option<EventId>, Refusal> {
    let recorder = &intake.inner.recorder;
    let authorized = intake.inner.keys.authorize(auth.key, project).await;
    let Taken { envelopes, mut room, unread } = match taken {
        Ok(taken) => taken,
        Err(refusal) => {
            if let (Ok(grant), Some(reason)) = (authorized, refusal.reason()) {
                let unit = origin(intake, &grant.key).key(unreadable, Outcome::Invalid, reason);
                recorder.record(vec![(unit, 1)]).await?;
            }
            return Err(refusal);
        }
    };
    let grant = authorized?;
    let (mut complete, mut uses) = (Vec::with_capacity(envelopes.len()), uploads::InUse::new(intake));
    for mut envelope in envelopes {
        uploads::resolve(intake, grant.key.project_id, &mut envelope, &mut uses).await?;
        let mut envelope = crash::complete(envelope, &mut room, &intake.inner.config).await?;
        envelope.items.iter_mut().for_each(entries::count);
        complete.push(profiles::identified(envelope).await?);
    }
    let take = async |envelope| {
        let mut counted = Vec::new();
        (take(intake, &grant, parts, &auth, envelope, &mut counted).await, counted)
    };
    // Together, so that they share group commits.
    let (answers, counted): (Vec<_>, Vec<_>) = join_all(complete.into_iter().map(take)).await.into_iter().unzip();
    let (mut taken, mut refused) = (None, None);
    for answer in answers {
        match answer {
            Ok(id) => taken = Some(taken.flatten().or(id)),
            Err(refusal) if refusal.status().is_server_error() => return Err(refusal),
            Err(refusal) => refused = refused.or(Some(refusal)),
        }
    }
    let mut counted: Vec<_> = counted.into_iter().flatten().collect();
    if unread > 0 {
        counted.push((origin(intake, &grant.key).key(unreadable, Outcome::Invalid, UNREAD), unread));
    }
    recorder.record(counted).await?;
    match (taken, refused) {
        (Some(id), _) => Ok(id),
        (None, Some(refusal)) => Err(refusal),
        (None, None) => Ok(None),
    }
}

/// Handles one envelope of a request that may send, and adds what it counts as that is not taken.
async fn take(
    intake: &Intake,
    grant: &Grant,
    parts: &Parts,
    auth: &Auth,
    mut envelope: Envelope,
    counted: &mut Vec<(OutcomeKey, u64)>,
) -> Result<Option<EventId>, Refusal> {
    let key = &grant.key;
    let origin = origin(intake, key);
    if !grant.origins.allow(&parts.headers) {
        return Err(refuse(&envelope.items, origin, counted, Refusal::Origin));
    }
    let has_room = intake.inner.log.has_room();
    let plan = Plan::of(&envelope.items);
    let mut admission = intake.inner.quotas.admit(&grant.quotas, &envelope.items, has_room, &*intake.inner.clock);
    let origin = Origin { received: admission.received, ..origin };
    LimitsMet::note(parts, std::mem::take(&mut admission.limits));
    let leaves_nothing = admission.leaves_nothing(&envelope.items);
    counted.extend(drop_limited(&mut envelope.items, &admission, origin));
    if leaves_nothing {
        counted.extend(envelope.items.iter().flat_map(|item| skipped(plan, item, origin)));
        let refusal = if has_room { Refusal::RateLimited } else { Refusal::LogFull };
        return Err(refuse(&envelope.items, origin, counted, refusal));
    }
    if let Err(refusal) = limits::check(&envelope, &intake.inner.config) {
        intake.inner.quotas.give_back(&admission);
        return Err(refuse(&envelope.items, origin, counted, refusal));
    }
    let event_id = match plan::event_id(&envelope) {
        IdSource::Header(id) | IdSource::Payload(id) => Some(id),
        IdSource::Random => Some((intake.inner.new_event_id)()),
        IdSource::None => None,
    };
    let sent_at = envelope.header.sent_at;
    let replay_id = envelope.header.trace.and_then(|trace| trace.replay_id);
    let profile_id = profiles::of_transaction(&envelope.items);
    let (mut appends, mut reported) = (BTreeMap::<Topic, Appended>::new(), Reported::default());
    // Where the items that are left stood in the envelope.
    let places = (0..).filter(|place| admission.reason(*place).is_none());
    let (mut bytes, mut uploaded) = (Vec::with_capacity(envelope.items.len()), Vec::new());
    for (place, item) in places.zip(envelope.items) {
        match plan.verdict(&item) {
            Verdict::Append(topic) => {
                // What belongs to no event has an id of its own, and several of them in an envelope have different ones.
                let event_id =
                    event_id.filter(|_| item.has_event_id()).unwrap_or_else(|| (intake.inner.new_event_id)());
                bytes.push(item.payload.len());
                let kept = beside::keep(intake, key.project_id, origin.received, &item).await;
                let beside::Kept { payload, blob } = kept.inspect_err(|_| intake.inner.quotas.give_back(&admission))?;
                let header = IngestHeader {
                    project_id: key.project_id,
                    key_id: key.id,
                    event_id,
                    item_type: item.item_type.as_str().to_owned(),
                    attributes: ItemAttributes {
                        replay_id,
                        profile_id: profile_id.filter(|_| item.item_type == ItemType::Transaction),
                        ..item.attributes
                    },
                    blob,
                    letter_id: None,
                    // An upload was received when it began.
                    received: item.upload.map_or(origin.received, |upload| upload.received),
                    sent_at,
                    user_agent: user_agent(parts),
                    client_hints: client_hints(parts),
                    client_ip: client_ip(parts, intake.inner.config.trust_forwarded_for),
                    client: auth.client.clone(),
                    version: auth.version.clone().unwrap_or_else(|| "7".to_owned()),
                };
                uploaded.extend(item.upload);
                let topic = lane(intake, topic, key.project_id, origin);
                let record = IngestRecord { header, payload };
                let append = appends.entry(topic).or_default();
                append.places.push(place);
                append.records.push(NewRecord { key: event_id.0, value: record.encode() });
            }
            Verdict::Report => reported.add(&item.payload, origin, sent_at),
            Verdict::Skip(_) => counted.extend(skipped(plan, &item, origin)),
        }
    }
    counted.extend(reported.into_sums());
    // Together, so that they share a group commit.
    let append_all = join_all(appends.into_iter().map(|(topic, Appended { places, records })| async move {
        append(intake, topic, key, &records).await.map(|()| places)
    }));
    let (accepted, failed): (Vec<_>, Vec<_>) = append_all.await.into_iter().partition(Result::is_ok);
    if let Some(refusal) = failed.into_iter().find_map(Result::err) {
        let accepted = accepted.into_iter().flatten().flatten().collect();
        intake.inner.quotas.give_back_but(&admission, &accepted);
        return Err(refusal);
    }
    uploads::forget(intake, key.project_id, uploaded).await;
    for bytes in bytes {
        intake.inner.telemetry.accepted(bytes);
    }
    Ok(event_id)
}

/// What an envelope brings to a topic: its records, and the places of the items they are made of.
#[derive(Default)]
struct Appended {
    places: Vec<usize>,
    records: Vec<NewRecord>,
}

/// What an item counts as that is dropped for what it is; nothing for others.
fn skipped(plan: Plan, item: &Item, origin: Origin) -> Vec<(OutcomeKey, u64)> {
    let Verdict::Skip(skip) = plan.verdict(item) else { return Vec::new() };
    Telemetry::skipped(&item.item_type);
    units(item, origin, Outcome::Invalid, skip.reason())
}

/// Takes the items out that quotas do not let through; what they count as.
fn drop_limited(items: &mut Vec<Item>, admission: &quotas::Admission, origin: Origin) -> Vec<(OutcomeKey, u64)> {
    let (mut counted, mut index) = (Vec::new(), 0);
    items.retain(|item| {
        let reason = admission.reason(index);
        index += 1;
        if let Some(reason) = reason {
            Telemetry::limited(&item.item_type);
            counted.extend(units(item, origin, Outcome::RateLimited, reason));
        }
        reason.is_none()
    });
    counted
}

/// Refuses an envelope with all its items: adds what these count as.
fn refuse(items: &[Item], origin: Origin, counted: &mut Vec<(OutcomeKey, u64)>, refusal: Refusal) -> Refusal {
    if let Some(reason) = refusal.reason() {
        counted.extend(items.iter().flat_map(|item| units(item, origin, Outcome::Invalid, &reason)));
    }
    refusal
}

/// Where what comes with a key now is from.
pub(crate) fn origin(intake: &Intake, key: &ProjectKey) -> Origin {
    Origin { received: intake.inner.clock.now(), project_id: Some(key.project_id), key_id: Some(key.id) }
}

/// What an item counts as that is not taken.
fn units(item: &Item, origin: Origin, outcome: Outcome, reason: &str) -> Vec<(OutcomeKey, u64)> {
    let units = DataCategory::of_item(item).into_iter();
    units.map(|(category, quantity)| (origin.key(category, outcome, reason.to_owned()), quantity)).collect()
}

/// The topic of a record: that of its item, or the lane beside it.
fn lane(intake: &Intake, topic: Topic, project: ProjectId, origin: Origin) -> Topic {
    if topic != Topic::IngestEvents {
        return topic;
    }
    let lane = intake.inner.lanes.of_event(project, origin.received);
    if lane != topic {
        intake.inner.telemetry.overflowed();
    }
    lane
}

/// Appends records of one topic durably, all or none.
async fn append(intake: &Intake, topic: Topic, key: &ProjectKey, records: &[NewRecord]) -> Result<(), Refusal> {
    let log = &intake.inner.log;
    let partition = partition_of(key.project_id, log.partitions(topic));
    durably(intake.inner.config.append_wait, || log.append(topic, partition, records.to_vec())).await?;
    Ok(())
}

/// The partition of a project's records: always the same one, so that its events keep their order.
pub fn partition_of(project: ProjectId, partitions: nuthatch_protocol::Partition) -> nuthatch_protocol::Partition {
    // The remainder is below a partition number.
    (project.0 % u64::from(partitions.max(1))) as nuthatch_protocol::Partition
}
