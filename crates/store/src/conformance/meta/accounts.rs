//! Accounts, sessions, tokens, the set-up link.

use std::time::Duration;

use nuthatch_protocol::UserId;

use super::fixture::{NOW, new_user, organization, user};
use crate::{
    MetaStore, StoreError,
    accounts::{NewToken, Session},
    projects::Role,
};

const NOBODY: UserId = UserId(999);

/// Addresses are compared without case, in any script, and kept as typed.
pub async fn accounts_are_unique_by_address(store: &impl MetaStore) {
    let ada = store.create_user(new_user("Ädä@Example.org")).await.expect("the first account");
    assert_eq!(ada.email, "Ädä@Example.org");
    let again = store.create_user(new_user("äDÄ@example.ORG")).await;
    assert!(matches!(again, Err(StoreError::Conflict(_))), "{again:?}");
    let bob = store.create_user(new_user("bob@example.org")).await.expect("another address");

    let found = store.user_by_email("ÄDÄ@EXAMPLE.ORG").await.expect("looks up");
    assert!(found.as_ref() == Some(&ada), "{found:?}");
    assert!(store.user_by_email("nobody@example.org").await.expect("looks up").is_none());
    assert!(store.user(bob.id).await.expect("looks up") == Some(bob.clone()));
    assert!(store.user(NOBODY).await.expect("looks up").is_none());
    assert!(store.users().await.expect("lists") == [ada, bob]);
}

/// Sessions end by time, by sign-out, and with the password they were opened with.
pub async fn sessions_end(store: &impl MetaStore) {
    let ada = user(store, "ada@example.org").await;
    let bob = user(store, "bob@example.org").await;
    let expires = NOW.plus(Duration::from_mins(1));
    let session = |secret: u8, user_id| Session { secret: [secret; 32], user_id, created: NOW, expires };
    for session in [session(1, ada), session(2, ada), session(3, bob)] {
        store.create_session(session).await.expect("opens a session");
    }
    let refused = store.create_session(session(4, NOBODY)).await;
    assert!(matches!(refused, Err(StoreError::NotFound(_))), "{refused:?}");

    assert!(store.session(&[1; 32], NOW).await.expect("looks up") == Some(session(1, ada)));
    assert!(store.session(&[1; 32], expires).await.expect("looks up").is_none(), "expired");
    assert!(store.session(&[9; 32], NOW).await.expect("looks up").is_none(), "unknown");

    store.delete_session(&[1; 32]).await.expect("ends it");
    store.delete_session(&[1; 32]).await.expect("ending it twice is fine");
    assert!(store.session(&[1; 32], NOW).await.expect("looks up").is_none(), "ended");

    store.set_password(ada, "$argon2id$new").await.expect("sets it");
    let hash = store.user(ada).await.expect("looks up").map(|user| user.password_hash);
    assert_eq!(hash.as_deref(), Some("$argon2id$new"));
    assert!(store.session(&[2; 32], NOW).await.expect("looks up").is_none(), "of the old password");
    assert!(store.session(&[3; 32], NOW).await.expect("looks up").is_some(), "of somebody else");
    let unknown = store.set_password(NOBODY, "$argon2id$new").await;
    assert!(matches!(unknown, Err(StoreError::NotFound(_))), "{unknown:?}");
}

/// Tokens are found by their secret and removed by their owner only.
pub async fn tokens_belong_to_accounts(store: &impl MetaStore) {
    let ada = user(store, "ada@example.org").await;
    let bob = user(store, "bob@example.org").await;
    let new = |secret: u8, user_id| NewToken {
        secret: [secret; 32],
        last_characters: "abcd".to_owned(),
        user_id,
        name: "CI \"quoted\"".to_owned(),
        scopes: vec!["event:read".to_owned(), "org:\"admin\"".to_owned()],
        created: NOW,
    };
    let first = store.create_token(new(1, ada)).await.expect("creates");
    let second = store.create_token(new(2, ada)).await.expect("creates");
    let others = store.create_token(new(3, bob)).await.expect("creates");
    assert_eq!((&first.scopes, first.user_id), (&new(1, ada).scopes, ada));
    let refused = store.create_token(new(4, NOBODY)).await;
    assert!(matches!(refused, Err(StoreError::NotFound(_))), "{refused:?}");

    assert_eq!(store.token(&[2; 32]).await.expect("looks up"), Some(second.clone()));
    assert_eq!(store.token(&[9; 32]).await.expect("looks up"), None);
    assert_eq!(store.tokens(ada).await.expect("lists"), [first.clone(), second.clone()]);

    assert!(!store.delete_token(ada, others.id).await.expect("asks"), "another's");
    assert!(store.delete_token(ada, first.id).await.expect("asks"));
    assert!(!store.delete_token(ada, first.id).await.expect("asks"), "twice");
    assert_eq!(store.tokens(ada).await.expect("lists"), [second]);
    assert_eq!(store.tokens(bob).await.expect("lists"), [others]);
}

/// The set-up link works once, only the latest, and not for ever.
pub async fn set_up_links_work_once(store: &impl MetaStore) {
    let expires = NOW.plus(Duration::from_mins(1));
    let acme = organization(store, "acme").await;
    let set_up = async |link: u8, now| store.set_up(&[link; 32], new_user("ada@example.org"), now).await;
    assert!(set_up(1, NOW).await.expect("asks").is_none(), "there is none");
    store.put_setup_link(&[1; 32], expires).await.expect("puts");
    store.put_setup_link(&[2; 32], expires).await.expect("puts");
    assert!(set_up(1, NOW).await.expect("asks").is_none(), "replaced");
    assert!(set_up(2, expires).await.expect("asks").is_none(), "expired");
    let bob = user(store, "bob@example.org").await;
    let taken = store.set_up(&[2; 32], new_user("bob@example.org"), NOW).await;
    assert!(matches!(taken, Err(StoreError::Conflict(_))), "{taken:?}");
    let ada = set_up(2, NOW).await.expect("asks").expect("neither a wrong guess nor a refusal uses it up");
    assert_ne!(ada.id, bob);
    assert_eq!(store.members(acme.id).await.expect("lists"), [(ada.id, Role::Owner)]);
    let again = store.set_up(&[2; 32], new_user("eve@example.org"), NOW).await;
    assert!(again.expect("asks").is_none(), "used");
    assert!(store.user_by_email("eve@example.org").await.expect("looks up").is_none());
}
