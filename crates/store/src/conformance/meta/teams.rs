//! Teams.

use nuthatch_protocol::{OrganizationId, ProjectId, TeamId, UserId};

use super::fixture::{NOW, Place, becomes, user};
use crate::{MetaStore, StoreError, projects::Role, teams::Team};

fn assert_missing<T: std::fmt::Debug>(answer: &Result<T, StoreError>) {
    assert!(matches!(answer, Err(StoreError::NotFound(_))), "{answer:?}");
}

/// Slugs of teams are unique in their organization; a removed team is gone with its links, and its id is not given again.
pub async fn teams_are_made_changed_and_removed(store: &impl MetaStore) {
    let acme = Place::make(store, "acme").await;
    let other = Place::make(store, "other").await;
    let core = store.create_team(acme.organization, "core", "Core", NOW).await.expect("creates");
    let apps = store.create_team(acme.organization, "apps", "Apps", NOW).await.expect("creates");
    let theirs = store.create_team(other.organization, "core", "Core", NOW).await.expect("the slug is free there");
    assert_eq!((core.slug.as_str(), core.created), ("core", NOW));
    let taken = store.create_team(acme.organization, "core", "Again", NOW).await;
    assert!(matches!(taken, Err(StoreError::Conflict(_))), "{taken:?}");
    assert_missing(&store.create_team(OrganizationId(99), "core", "Core", NOW).await);
    let taken = store.change_team(core.id, becomes(Team { slug: "apps".to_owned(), ..core.clone() })).await;
    assert!(matches!(taken, Err(StoreError::Conflict(_))), "{taken:?}");
    let core = Team { slug: "zcore".to_owned(), name: "Core & Söhne".to_owned(), ..core };
    assert_eq!(store.change_team(core.id, becomes(core.clone())).await.expect("renames"), core);
    assert_missing(&store.change_team(TeamId(99), becomes(core.clone())).await);
    assert_eq!(store.teams(acme.organization).await.expect("lists"), [apps.clone(), core.clone()], "by slug");

    let version = store.config_version();
    store.give_project(core.id, acme.web).await.expect("gives");
    store.delete_team(core.id).await.expect("removes");
    assert_ne!(store.config_version(), version);
    assert_missing(&store.delete_team(core.id).await);
    assert_eq!(store.team_projects(acme.organization).await.expect("lists"), []);
    assert_eq!(store.teams(acme.organization).await.expect("lists"), [apps]);
    let next = store.create_team(acme.organization, "next", "Next", NOW).await.expect("creates");
    assert!(next.id > theirs.id, "ids are not given twice");
}

/// Members and projects are those of the team's own organization.
pub async fn teams_have_members_and_projects(store: &impl MetaStore) {
    let acme = Place::make(store, "acme").await;
    let other = Place::make(store, "other").await;
    let (ada, bob) = (user(store, "ada@example.org").await, user(store, "bob@example.org").await);
    store.add_member(acme.organization, ada, Role::Member).await.expect("adds");
    store.add_member(other.organization, bob, Role::Member).await.expect("adds");
    let core = store.create_team(acme.organization, "core", "Core", NOW).await.expect("creates").id;
    let theirs = store.create_team(other.organization, "core", "Core", NOW).await.expect("creates").id;

    store.join_team(core, ada).await.expect("joins");
    store.join_team(core, ada).await.expect("is in it already");
    store.join_team(theirs, bob).await.expect("joins");
    for (team, user) in [(core, bob), (core, UserId(99)), (TeamId(99), ada)] {
        assert_missing(&store.join_team(team, user).await);
    }
    assert_eq!(store.team_members(acme.organization).await.expect("lists"), [(core, ada)]);
    assert!(store.leave_team(core, ada).await.expect("leaves"));
    assert!(!store.leave_team(core, ada).await.expect("answers"));
    assert_eq!(store.team_members(acme.organization).await.expect("lists"), []);
    assert_eq!(store.team_members(other.organization).await.expect("lists"), [(theirs, bob)]);

    store.give_project(core, acme.web).await.expect("gives");
    store.give_project(core, acme.web).await.expect("has it already");
    store.give_project(core, acme.api).await.expect("gives");
    for (team, project) in [(core, other.web), (core, ProjectId(99)), (TeamId(99), acme.web)] {
        assert_missing(&store.give_project(team, project).await);
    }
    assert!(store.take_project(core, acme.api).await.expect("takes"));
    assert!(!store.take_project(core, acme.api).await.expect("answers"));
    assert_eq!(store.team_projects(acme.organization).await.expect("lists"), [(core, acme.web)]);
    assert_eq!(store.team_projects(other.organization).await.expect("lists"), []);
}
