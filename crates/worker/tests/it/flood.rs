//! An issue that floods its project: everything is counted, a sample is kept, and nobody else notices.

use nuthatch_issues::{FloodGuard, Issue};
use nuthatch_protocol::EventId;
use nuthatch_store::events::EventSummary;

use super::*;

/// Events of an issue that are kept in a minute.
const KEPT: u64 = 5;
const FLOOD: u64 = 85;
const CALM: u64 = 8;

fn id(number: u64) -> EventId {
    EventId((u128::from(number) + 1).to_be_bytes())
}

/// A flood of one issue, and between its events some of another project, each of an issue of its own; one event of the
/// flood comes twice.
async fn flooded() -> (Stores, ProjectId) {
    let mut stores = Stores::new().await;
    stores.platform.flood_guard = Some(FloodGuard { kept_per_minute: KEPT });
    let organization_id = stores.meta.project(stores.project).await.unwrap().unwrap().organization_id;
    let calm = NewProject {
        organization_id,
        slug: "calm".to_owned(),
        name: "Calm".to_owned(),
        platform: None,
        first_key: PublicKey([2; 16]),
        created: NOW,
    };
    let calm = stores.meta.create_project(calm).await.unwrap().0.id;
    for number in 0..FLOOD {
        let payload = format!(r#"{{"message":"flood","user":{{"id":"{number}"}}}}"#);
        stores.accept_for(stores.project, id(number), &payload).await;
        if number % 10 == 9 {
            let quiet = ["a", "b", "c", "d", "e", "f", "g", "h"][number as usize / 10];
            stores.accept_for(calm, id(1000 + number), &format!(r#"{{"message":"problem {quiet}"}}"#)).await;
        }
    }
    stores.accept_for(stores.project, id(20), r#"{"message":"flood"}"#).await;
    (stores, calm)
}

async fn issues_of(stores: &Stores, project: ProjectId) -> Vec<Issue> {
    let organization = stores.meta.project(project).await.unwrap().unwrap().organization_id;
    let query = IssueQuery {
        organization,
        projects: vec![project],
        filter: Vec::new(),
        seen_since: None,
        sort: IssueSort::LastSeen,
        cursor: None,
        limit: 100,
    };
    stores.meta.issues(&query).await.unwrap().issues
}

/// The numbers of the stored events of the flood, those that stand for ten marked.
async fn kept(stores: &Stores) -> Vec<(u64, bool)> {
    let mut kept = Vec::new();
    for number in 0..FLOOD {
        if let Some(event) = stores.events.get(stores.project, id(number)).await.unwrap() {
            let EventSummary { tags, .. } = event.summary;
            kept.push((number, tags.contains(&("sampled".to_owned(), "1 of 10".to_owned()))));
        }
    }
    kept
}

async fn assert_thinned(stores: &Stores, calm: ProjectId, what: &str) {
    let [flood] = &issues_of(stores, stores.project).await[..] else { panic!("{what}: one issue") };
    assert_eq!((flood.times_seen, flood.user_count), (FLOOD, FLOOD), "{what}: every event and user counts");
    let samples = (FLOOD - KEPT) / 10;
    assert_eq!(flood.flood.thinned, FLOOD - KEPT - samples, "{what}: it says how many are only counted");
    let whole = (0..KEPT).map(|number| (number, false));
    let samples = (0..samples).map(|number| (KEPT + 10 * number + 9, true));
    assert_eq!(kept(stores).await, whole.chain(samples).collect::<Vec<_>>(), "{what}: the same events are kept");

    let others = issues_of(stores, calm).await;
    assert_eq!(others.len() as u64, CALM, "{what}: what others send is not thinned");
    let query = EventQuery { projects: vec![calm], hashes: None, from: None, until: None, filter: Expr::all() };
    assert_eq!(stores.events.count(&query).await.unwrap(), CALM, "{what}");

    let ledger = [((Outcome::Accepted, String::new()), FLOOD), ((Outcome::Invalid, "duplicate".to_owned()), 1)];
    assert_eq!(stores.ledger().await, BTreeMap::from(ledger), "{what}: what is only counted is accepted");
    assert_eq!(stores.meta.books().await.unwrap().imbalances(), [], "{what}: the books");
    let promised = stores.meta.kept_events(None, Timestamp(0), usize::MAX).await.unwrap();
    assert_eq!(promised.len() as u64, stores.searchable().await + CALM, "{what}: what should be stored is");
}

#[tokio::test]
async fn a_flood_is_counted_whole_and_kept_in_part() {
    let (stores, calm) = flooded().await;
    stores.drain(None).await.unwrap();
    assert_thinned(&stores, calm, "undisturbed").await;
}

#[tokio::test]
async fn a_worker_that_dies_in_a_flood_keeps_the_same_events() {
    let mut deaths = 0;
    for operation in (0..).step_by(3) {
        let (stores, calm) = flooded().await;
        if stores.drain(Some(dies_at(operation))).await.is_ok() {
            break;
        }
        deaths += 1;
        stores.drain(None).await.unwrap();
        assert_thinned(&stores, calm, &format!("died at operation {operation}")).await;
    }
    assert!(deaths > 10, "only {deaths} deaths were tried");
}
