//! Whatever is written, the database and the reference tell the same afterwards.

use nuthatch_issues::{Activity, ActivityKind, Cause, HourlyCount, Issue, Status};
use nuthatch_protocol::{Fact, Facts, Hash, TypeId};
use nuthatch_store::{
    MetaStore,
    issues::{IssueCondition, IssueCursor, IssueQuery, IssueSort, IssueTest},
};
use proptest::prelude::*;
use serde_json::json;

use super::*;

/// Issues a batch may name.
const IDS: std::ops::Range<u64> = 1..8;

#[derive(Debug, Clone)]
struct Batch {
    /// Names issues whether or not they exist; then it is refused.
    reckless: bool,
    created: u64,
    updated: Vec<(u64, u64, bool, String)>,
    hashes: Vec<(u8, u64)>,
    counts: Vec<(u64, i64, u64)>,
    users: Vec<(u64, u64)>,
    activities: Vec<(u64, i64)>,
    counted: Vec<(u8, Option<u64>, i64)>,
    environments: Vec<(String, i64)>,
    asked: Vec<u64>,
    position: u64,
}

fn batch() -> impl Strategy<Value = Batch> {
    let some = |most| 0..most;
    (
        (prop::bool::weighted(0.1), 1..4_u64),
        prop::collection::vec((IDS, 0..5_u64, any::<bool>(), "[a-cÄß%_\u{0}]{0,3}"), some(3)),
        prop::collection::vec((0..6_u8, IDS), some(4)),
        prop::collection::vec((IDS, -2..4_i64, 1..5_u64), some(4)),
        prop::collection::vec((IDS, 0..4_u64), some(5)),
        prop::collection::vec((IDS, 0..3_i64), some(3)),
        prop::collection::vec((0..9_u8, prop::option::of(0..9_u64), 0..4_i64), some(4)),
        prop::collection::vec(("[a-c]", 0..3_i64), some(3)),
        (prop::collection::vec(IDS, some(4)), 0..100_u64),
    )
        .prop_map(
            |((reckless, created), updated, hashes, counts, users, activities, counted, environments, rest)| {
                let (asked, position) = rest;
                Batch {
                    reckless,
                    created,
                    updated,
                    hashes,
                    counts,
                    users,
                    activities,
                    counted,
                    environments,
                    asked,
                    position,
                }
            },
        )
}

impl Batch {
    /// The changes, with the ids that follow on those in the snapshot.
    fn changes(&self, snapshot: &nuthatch_issues::Snapshot, project: ProjectId) -> Changes {
        let last = snapshot.last_issue_id.0;
        let there = |id: &u64| if self.reckless { *id } else { (id - 1) % (last + self.created) + 1 };
        Changes {
            created: (last + 1..=last + self.created)
                .map(|id| Issue { type_id: TypeId(id as u32 % 3), ..issue(id, project, id) })
                .collect(),
            updated: (self.updated.iter())
                .map(|(id, seen, resolved, title)| Issue {
                    times_seen: *seen,
                    last_seen: Timestamp((*seen as i64 - 2) * 10),
                    status: if *resolved { Status::Resolved } else { Status::Unresolved },
                    title: title.clone(),
                    ..snapshot
                        .issues
                        .get(&IssueId(there(id)))
                        .cloned()
                        .unwrap_or_else(|| issue(there(id), project, there(id)))
                })
                .collect(),
            hashes: self.hashes.iter().map(|(hash, id)| (project, Hash([*hash; 16]), IssueId(there(id)))).collect(),
            counts: (self.counts.iter())
                .map(|(id, hour, count)| HourlyCount { issue_id: IssueId(there(id)), hour: *hour, count: *count })
                .collect(),
            users: self.users.iter().map(|(id, user)| (IssueId(there(id)), *user)).collect(),
            activities: (self.activities.iter())
                .map(|(id, at)| Activity {
                    issue_id: IssueId(there(id)),
                    kind: ActivityKind::SetResolved,
                    data: json!(at),
                    cause: Cause::Occurrence,
                    at: Timestamp(*at),
                })
                .collect(),
            handled: (self.counted.iter())
                .map(|(id, from, hour)| Handled {
                    key: key(project, *id),
                    position: from.map(|offset| position(offset).position),
                    fate: EventFate::ALL[usize::from(*id) % EventFate::ALL.len()],
                    at: Timestamp::from_secs(hour * 3600),
                })
                .collect(),
            facts: self.facts(project),
            ..Changes::default()
        }
    }

    fn facts(&self, project: ProjectId) -> Facts {
        let mut facts = Facts::default();
        for (name, day) in &self.environments {
            facts.saw(project, Fact::Environment(name.clone()), Timestamp::from_secs(day * 86_400));
        }
        facts
    }
}

async fn write(store: &impl MetaStore, batch: &Batch, project: ProjectId) -> Result<Changes, String> {
    let needs = Needs { issues: batch.asked.iter().map(|id| IssueId(*id)).collect(), ..Needs::default() };
    let batch = batch.clone();
    let to = Some(position(batch.position));
    let applied = store.transact(needs, to, Box::new(move |snapshot| batch.changes(snapshot, project))).await;
    applied.map_err(|error| format!("{:?}", std::mem::discriminant(&error)))
}

/// Everything the port tells.
async fn observe(store: &impl MetaStore, place: Place) -> Vec<String> {
    let mut seen = vec![
        format!("{:?}", store.position("worker", position(0).position).await),
        format!("{:?}", store.project_facts(&[place.web]).await),
        format!("{:?}", store.hourly_counts(&IDS.map(IssueId).collect::<Vec<_>>(), -1).await),
        format!("{:?}", store.handled(&(0..9).map(|n| key(place.web, n)).collect::<Vec<_>>()).await),
    ];
    for id in IDS.map(IssueId) {
        seen.push(format!("{:?}", store.issue(id).await));
        seen.push(format!("{:?}", store.hashes(id).await));
        seen.push(format!("{:?}", store.activities(id, 3).await));
    }
    for hash in 0..6 {
        seen.push(format!("{:?}", store.issue_of_hash(place.web, Hash([hash; 16])).await));
    }
    seen
}

fn query(organization: nuthatch_protocol::OrganizationId) -> impl Strategy<Value = IssueQuery> {
    let test = prop_oneof![
        any::<bool>().prop_map(|open| IssueTest::Status(if open { Status::Unresolved } else { Status::Resolved })),
        "[a-cäß%_\u{0}]{0,2}".prop_map(IssueTest::Text),
        prop::collection::vec((1..3_u64, 0..6_u8), 0..3).prop_map(|pairs| {
            IssueTest::Hashes(pairs.into_iter().map(|(project, n)| (ProjectId(project), Hash([n; 16]))).collect())
        }),
        prop::collection::vec(0..3_u32, 0..3)
            .prop_map(|types| IssueTest::Types(types.into_iter().map(TypeId).collect())),
        (0..5_u64).prop_map(IssueTest::TimesSeenAtLeast),
        (-20..40_i64).prop_map(|time| IssueTest::LastSeenSince(Timestamp(time))),
    ];
    let condition = (any::<bool>(), test).prop_map(|(negated, test)| IssueCondition { negated, test });
    let sort =
        prop::sample::select(vec![IssueSort::LastSeen, IssueSort::FirstSeen, IssueSort::Events, IssueSort::Users]);
    let cursor = (-20..40_i64, IDS, any::<bool>()).prop_map(|(value, id, backwards)| IssueCursor {
        value,
        id: IssueId(id),
        backwards,
    });
    (prop::collection::vec(condition, 0..3), sort, prop::option::of(cursor), 0..5_usize).prop_map(
        move |(filter, sort, cursor, limit)| IssueQuery {
            organization,
            projects: Vec::new(),
            filter,
            seen_since: None,
            sort,
            cursor,
            limit,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn embedded_agrees_with_the_reference(
        batches in prop::collection::vec(batch(), 1..12),
        queries in prop::collection::vec(query(nuthatch_protocol::OrganizationId(1)), 12),
        expire_before in -1..4_i64,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("meta.db");
            let (memory, embedded) = (MemoryMeta::new(), open(&path));
            let place = Place::make(&memory, "acme").await;
            Place::make(&embedded, "acme").await;
            for batch in &batches {
                prop_assert_eq!(write(&memory, batch, place.web).await, write(&embedded, batch, place.web).await);
            }
            drop(embedded);
            let embedded = open(&path);
            prop_assert_eq!(observe(&memory, place).await, observe(&embedded, place).await);
            for query in &queries {
                let (expected, page) = (memory.issues(query).await.unwrap(), embedded.issues(query).await.unwrap());
                prop_assert_eq!(expected, page, "{:?}", query);
            }
            let before = Timestamp::from_secs(expire_before * 3600);
            memory.expire(before).await.unwrap();
            embedded.expire(before).await.unwrap();
            prop_assert_eq!(observe(&memory, place).await, observe(&embedded, place).await);
            Ok(())
        })?;
    }
}
