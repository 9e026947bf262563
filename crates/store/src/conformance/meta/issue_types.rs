//! Issue types that organizations define.

use nuthatch_issues::{
    Changes, IssueType, Quota,
    issue_type::{EvidenceField, EvidenceFormat, FIRST_DEFINED, NoiseRule},
};
use nuthatch_protocol::{OrganizationId, Priority, TypeId};

use super::fixture::{Place, apply, issue, organization};
use crate::{
    MetaStore, StoreError,
    issue_types::{DEFINITIONS_MAX, IssueTypes},
};

/// A type in which nothing is as it would be by default.
fn peculiar(slug: &str) -> IssueType {
    IssueType {
        description: "Zeile 1\n\"2\" – \u{0}".to_owned(),
        former_category: Some("metric".to_owned()),
        default_priority: Priority::High,
        noise: Some(NoiseRule { ignore_limit: 7, expiry_secs: 60 }),
        creation_quota: Some(Quota { limit: 9, window_secs: 120, granularity_secs: 5 }),
        is_released: false,
        is_listed: false,
        auto_resolves: false,
        escalates: false,
        is_editable: false,
        notifies: false,
        has_detector: true,
        evidence: vec![EvidenceField {
            key: "query".to_owned(),
            label: Some("Statement".to_owned()),
            format: EvidenceFormat::Code,
        }],
        ..IssueType::plain(TypeId(0), slug, "Leck", "disk")
    }
}

/// A definition comes back as it went in, under a number that no other organization's type has; its rules can be
/// changed, its slug cannot.
pub async fn issue_types_are_defined(store: &impl MetaStore) {
    let acme = organization(store, "acme").await.id;
    let other = organization(store, "other").await.id;
    let leak = store.create_issue_type(acme, peculiar("leak")).await.expect("creates");
    let plain = IssueType { creation_quota: None, ..IssueType::plain(leak.id, "spill", "Spill", "disk") };
    let spill = store.create_issue_type(acme, plain).await.expect("creates");
    let others = store.create_issue_type(other, peculiar("leak")).await.expect("slugs belong to organizations");
    assert_eq!([leak.id, spill.id, others.id], [0, 1, 2].map(|n| TypeId(FIRST_DEFINED.0 + n)));
    assert_eq!(leak, IssueType { id: leak.id, ..peculiar("leak") });

    let changed = IssueType { noise: None, name: "Spilt".to_owned(), ..spill };
    store.put_issue_type(acme, changed.clone()).await.expect("writes");
    assert_eq!(store.issue_types(acme).await.expect("lists"), [leak.clone(), changed.clone()]);
    assert_eq!(store.issue_types(other).await.expect("lists"), std::slice::from_ref(&others));

    let renamed = IssueType { slug: "leaks".to_owned(), ..leak.clone() };
    let refused = store.put_issue_type(acme, renamed).await;
    assert!(matches!(refused, Err(StoreError::Invalid(_))), "{refused:?}");
    for unknown in [others, IssueType { id: TypeId(1017), ..changed.clone() }] {
        let refused = store.put_issue_type(acme, unknown).await;
        assert!(matches!(refused, Err(StoreError::NotFound(_))), "{refused:?}");
    }
    for taken in ["leak", "feedback"] {
        let refused = store.create_issue_type(acme, peculiar(taken)).await;
        assert!(matches!(refused, Err(StoreError::Conflict(_))), "{taken} {refused:?}");
    }
    let nowhere = store.create_issue_type(OrganizationId(99), peculiar("leak")).await;
    assert!(matches!(nowhere, Err(StoreError::NotFound(_))), "{nowhere:?}");
    let error = IssueType::built_in_by_id(TypeId::ERROR).expect("is built in").clone();
    let nowhere = store.put_issue_type(OrganizationId(99), error).await;
    assert!(matches!(nowhere, Err(StoreError::NotFound(_))), "{nowhere:?}");
    assert_eq!(store.issue_types(acme).await.expect("lists"), [leak, changed], "refusals change nothing");
}

/// A definition of a built-in number changes that type in its organization until it is removed.
pub async fn built_in_types_are_changed_and_reset(store: &impl MetaStore) {
    let acme = organization(store, "acme").await.id;
    let other = organization(store, "other").await.id;
    let built_in = IssueType::built_in_by_id(TypeId(1001)).expect("is built in");
    let loud = IssueType { noise: None, ..built_in.clone() };
    store.put_issue_type(acme, loud.clone()).await.expect("writes");
    let types = IssueTypes::new(store.issue_types(acme).await.expect("lists"));
    assert_eq!((types.by_id(built_in.id), types.by_slug(&built_in.slug)), (Some(&loud), Some(&loud)));
    assert_eq!(types.all().count(), IssueType::built_in().len(), "in its place, not beside it");
    assert_eq!(store.issue_types(other).await.expect("lists"), []);

    let renamed = store.put_issue_type(acme, IssueType { slug: "slow".to_owned(), ..loud }).await;
    assert!(matches!(renamed, Err(StoreError::Invalid(_))), "{renamed:?}");
    store.remove_issue_type(acme, built_in.id).await.expect("resets");
    assert_eq!(store.issue_types(acme).await.expect("lists"), []);
    let again = store.remove_issue_type(acme, built_in.id).await;
    assert!(matches!(again, Err(StoreError::NotFound(_))), "{again:?}");
}

/// A type goes away with its last trace only, and its number is not given to another.
pub async fn types_with_issues_stay(store: &impl MetaStore) {
    let place = Place::make(store, "acme").await;
    let acme = place.organization;
    let used = store.create_issue_type(acme, peculiar("used")).await.expect("creates").id;
    let unused = store.create_issue_type(acme, peculiar("unused")).await.expect("creates").id;
    let error = IssueType::built_in_by_id(TypeId::ERROR).expect("is built in").clone();
    store.put_issue_type(acme, error).await.expect("writes");
    let of_type = |id, type_id| nuthatch_issues::Issue { type_id, ..issue(id, place.web, id) };
    let created = vec![of_type(1, used), of_type(2, TypeId::ERROR)];
    apply(store, Changes { created, ..Changes::default() }).await;

    let refused = store.remove_issue_type(acme, used).await;
    assert!(matches!(refused, Err(StoreError::InUse(_))), "{refused:?}");
    store.remove_issue_type(acme, TypeId::ERROR).await.expect("a change of a built-in type is never needed");
    store.remove_issue_type(acme, unused).await.expect("removes");
    let left: Vec<TypeId> = store.issue_types(acme).await.expect("lists").iter().map(|left| left.id).collect();
    assert_eq!(left, [used]);
    let next = store.create_issue_type(acme, peculiar("unused")).await.expect("its slug is free again").id;
    assert!(next > unused, "messages of the removed type may still be on their way");
}

/// There is a bound, for new types and for changes of built-in ones alike.
pub async fn definitions_are_bounded(store: &impl MetaStore) {
    let acme = organization(store, "acme").await.id;
    for n in 0..DEFINITIONS_MAX {
        store.create_issue_type(acme, peculiar(&format!("type_{n}"))).await.expect("there is room");
    }
    let mut first = store.issue_types(acme).await.expect("lists").remove(0);
    let refused = store.create_issue_type(acme, peculiar("one_more")).await;
    assert!(matches!(refused, Err(StoreError::Invalid(_))), "{refused:?}");
    let error = IssueType::built_in_by_id(TypeId::ERROR).expect("is built in").clone();
    let refused = store.put_issue_type(acme, error).await;
    assert!(matches!(refused, Err(StoreError::Invalid(_))), "{refused:?}");
    "Other".clone_into(&mut first.name);
    store.put_issue_type(acme, first).await.expect("a definition that is there can be changed");
}
