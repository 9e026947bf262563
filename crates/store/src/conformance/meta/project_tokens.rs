//! Project tokens.

use nuthatch_protocol::ProjectId;

use super::fixture::{NOW, Place};
use crate::{MetaStore, StoreError, project_tokens::NewProjectToken};

/// Tokens are found by their secret and removed through their project only.
pub async fn project_tokens_belong_to_projects(store: &impl MetaStore) {
    let place = Place::make(store, "acme").await;
    let new = |secret: u8, project_id| NewProjectToken {
        secret: [secret; 32],
        last_characters: "abcd".to_owned(),
        project_id,
        name: "detector \"7\"".to_owned(),
        created: NOW,
    };
    let first = store.create_project_token(new(1, place.web)).await.expect("creates");
    let second = store.create_project_token(new(2, place.web)).await.expect("creates");
    let others = store.create_project_token(new(3, place.api)).await.expect("creates");
    assert_eq!((first.project_id, first.name.as_str()), (place.web, "detector \"7\""));
    let taken = store.create_project_token(new(1, place.api)).await;
    assert!(matches!(taken, Err(StoreError::Conflict(_))), "{taken:?}");
    let orphan = store.create_project_token(new(4, ProjectId(99))).await;
    assert!(matches!(orphan, Err(StoreError::NotFound(_))), "{orphan:?}");

    assert_eq!(store.project_token(&[2; 32]).await.expect("looks up"), Some(second.clone()));
    assert_eq!(store.project_token(&[9; 32]).await.expect("looks up"), None);
    assert_eq!(store.token(&[2; 32]).await.expect("looks up"), None, "it is nobody's personal token");
    assert_eq!(store.project_tokens(place.web).await.expect("lists"), [first.clone(), second.clone()]);

    assert!(!store.delete_project_token(place.web, others.id).await.expect("asks"), "another's");
    assert!(store.delete_project_token(place.web, first.id).await.expect("asks"));
    assert!(!store.delete_project_token(place.web, first.id).await.expect("asks"), "twice");
    assert_eq!(store.project_tokens(place.web).await.expect("lists"), [second]);
    assert_eq!(store.project_tokens(place.api).await.expect("lists"), [others]);
}
