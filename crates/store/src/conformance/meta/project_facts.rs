//! What projects have.

use std::time::Duration;

use nuthatch_issues::{Changes, Issue, Status};
use nuthatch_protocol::{Fact, Facts, ProjectId, Timestamp, Topic, TypeId};

use super::{
    fixture::{NOW, Place, apply, issue},
    settlements::settlement,
};
use crate::{
    MetaStore,
    project_facts::{ENVIRONMENTS_MAX, ProjectFacts},
    settlements::Settlement,
};

const DAY: Duration = Duration::from_hours(24);

fn environments(project: ProjectId, names: impl IntoIterator<Item = String>, at: Timestamp) -> Changes {
    let mut changes = Changes::default();
    for name in names {
        changes.facts.saw(project, Fact::Environment(name), at);
    }
    changes
}

/// Facts come with changes and settlements, belong to their project, and are told in the order asked for.
pub async fn facts_come_with_what_shows_them(store: &impl MetaStore) {
    let Place { web, api, .. } = Place::make(store, "acme").await;
    let nothing = ProjectFacts::default();
    assert_eq!(store.project_facts(&[api, ProjectId(99), web]).await.expect("reads"), vec![nothing.clone(); 3]);

    apply(store, environments(web, ["b".to_owned(), "a".to_owned()], NOW)).await;
    let old = Issue { first_seen: Timestamp(-7), status: Status::Ignored, ..issue(2, web, 2) };
    let releases = [("2", NOW), ("1", NOW), ("3", Timestamp(0))];
    let releases = releases.map(|(version, date)| (web, version.to_owned(), date)).to_vec();
    apply(store, Changes { created: vec![issue(1, web, 1), old], releases, ..Changes::default() }).await;
    let mut seen = Facts::default();
    for fact in [Fact::Transactions, Fact::Logs] {
        seen.saw(web, fact, NOW);
    }
    for _ in 0..2 {
        let settlement = Settlement { facts: seen.clone(), ..settlement(Topic::TraceItems, 1, 1) };
        store.settle(settlement).await.expect("settles");
        // The consumer is there already.
        seen.saw(web, Fact::Metrics, NOW);
    }
    let expected = ProjectFacts {
        first_event: Some(Timestamp(-7)),
        environments: vec!["a".to_owned(), "b".to_owned()],
        latest_release: Some("2".to_owned()),
        has_transactions: true,
        has_logs: true,
        ..nothing.clone()
    };
    assert_eq!(store.project_facts(&[api, web]).await.expect("reads"), [nothing, expected]);

    let feedback = Issue { type_id: TypeId::FEEDBACK, ..issue(3, api, 1) };
    apply(store, Changes { created: vec![feedback], ..Changes::default() }).await;
    let has = store.project_facts(&[web, api]).await.expect("reads");
    assert_eq!((has[0].has_feedback, has[1].has_feedback), (false, true));
}

/// The environments that were seen last are kept; those that retention takes go.
pub async fn environments_are_bounded_and_forgotten(store: &impl MetaStore) {
    let Place { web, api, .. } = Place::make(store, "acme").await;
    let name = |n: usize| format!("preview-{n:03}");
    apply(store, environments(web, (0..ENVIRONMENTS_MAX).map(name), NOW)).await;
    apply(store, environments(api, [name(0)], NOW)).await;
    // Seen again the next day, and a new one: what is last by name of the day before has to go.
    apply(store, environments(web, ["new".to_owned(), name(0)], NOW.plus(DAY))).await;
    let mut expected: Vec<String> = (0..ENVIRONMENTS_MAX - 1).map(name).collect();
    expected.insert(0, "new".to_owned());
    let kept = async || {
        let [web, api] = <[ProjectFacts; 2]>::try_from(store.project_facts(&[web, api]).await.expect("reads"))
            .unwrap_or_else(|_| unreachable!("two projects were asked for"));
        (web.environments, api.environments)
    };
    assert_eq!(kept().await, (expected, vec![name(0)]));

    // An older look does not make a day younger.
    apply(store, environments(web, [name(0)], NOW)).await;
    store.expire_facts(NOW).await.expect("forgets");
    assert_eq!(kept().await.0.len(), ENVIRONMENTS_MAX, "the day itself stays");
    store.expire_facts(NOW.plus(DAY)).await.expect("forgets");
    assert_eq!(kept().await, (vec!["new".to_owned(), name(0)], Vec::new()));
}
