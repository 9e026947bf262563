//! Organizations, members, projects, keys.

use nuthatch_issues::IssueType;
use nuthatch_normalize::{filter::LegacyBrowsers, scrub::ScrubSettings};
use nuthatch_protocol::{DataCategory, KeyId, OrganizationId, ProjectId, PublicKey, TypeId, UserId};

use super::fixture::{NOW, becomes, new_project, organization, project, user};
use crate::{
    Change, MetaStore, StoreError,
    projects::{AllowedDomains, NewKey, Organization, Project, Role},
    quotas::{KeyRateLimit, QuotaRule, QuotaScope},
};

/// Slugs are unique: of organizations everywhere, of projects in their organization. A refusal changes nothing.
pub async fn slugs_are_unique(store: &impl MetaStore) {
    let acme = organization(store, "acme").await;
    let other = organization(store, "other").await;
    let taken = store.create_organization("acme", "Again", NOW).await;
    assert!(matches!(taken, Err(StoreError::Conflict(_))), "{taken:?}");
    let taken =
        store.change_organization(acme.id, becomes(Organization { slug: "other".to_owned(), ..acme.clone() })).await;
    assert!(matches!(taken, Err(StoreError::Conflict(_))), "{taken:?}");
    assert_eq!(acme.options.scrubbing, ScrubSettings::nothing(), "nothing is required, unless somebody chose");
    let mut acme = Organization { name: "Acme & Söhne".to_owned(), ..acme };
    let rules = serde_json::json!({"rules": {"0": {"type": "ip"}}, "applications": {"$string": ["0"]}});
    acme.options.scrubbing.relay_pii_config = rules.as_object().cloned();
    acme.options.scrubbing.scrub_ip_addresses = true;
    acme.options.scrubbing.sensitive_fields = vec!["'quoted'".to_owned()];
    assert_eq!(store.change_organization(acme.id, becomes(acme.clone())).await.expect("renames"), acme);
    assert_eq!(store.organization(acme.id).await.expect("looks up"), Some(acme.clone()));
    assert_eq!(store.organization(OrganizationId(99)).await.expect("looks up"), None);
    assert_eq!(store.organizations().await.expect("lists"), [acme.clone(), other.clone()]);
    let unknown = store.change_organization(OrganizationId(99), becomes(acme.clone())).await;
    assert!(unknown.is_err(), "{unknown:?}");

    let mut web = project(store, acme.id, "web", [1; 16]).await;
    let api = project(store, acme.id, "api", [2; 16]).await;
    project(store, other.id, "web", [3; 16]).await;
    let taken = store.create_project(new_project(acme.id, "web", [4; 16])).await;
    assert!(matches!(taken, Err(StoreError::Conflict(_))), "{taken:?}");
    let taken = store.change_project(web.id, becomes(Project { slug: "api".to_owned(), ..web.clone() })).await;
    assert!(matches!(taken, Err(StoreError::Conflict(_))), "{taken:?}");
    let orphan = store.create_project(new_project(OrganizationId(99), "web", [4; 16])).await;
    assert!(matches!(orphan, Err(StoreError::NotFound(_))), "{orphan:?}");
    assert_eq!(store.key(PublicKey([4; 16])).await.expect("looks up"), None, "no key of a project that is not there");

    (web.slug, web.platform) = ("zweb".to_owned(), None);
    let rules = serde_json::json!({"rules": {"0": {"type": "ip"}}, "applications": {"$string": ["0"]}});
    web.options.scrubbing.relay_pii_config = rules.as_object().cloned();
    web.options.scrubbing.safe_fields = vec!["'quoted'".to_owned()];
    web.options.filters.legacy_browsers = LegacyBrowsers::Listed(vec!["ie9".to_owned()]);
    web.options.filters.releases = vec!["1.*".to_owned()];
    assert_eq!(web.options.allowed_domains.0, ["*"], "everybody, unless somebody chose");
    web.options.allowed_domains = AllowedDomains(Vec::new());
    assert_eq!(store.change_project(web.id, becomes(web.clone())).await.expect("renames"), web);
    assert_eq!(store.project(web.id).await.expect("looks up"), Some(web.clone()));
    assert_eq!(store.projects(acme.id).await.expect("lists"), [api, web.clone()], "by slug");
    assert_eq!(store.project(ProjectId(99)).await.expect("looks up"), None);
    let unknown = store.change_project(ProjectId(99), becomes(web)).await;
    assert!(matches!(unknown, Err(StoreError::NotFound(_))), "{unknown:?}");
}

/// Changes at the same time do not undo each other, and one that refuses writes nothing.
pub async fn changes_meet_what_is_stored(store: &impl MetaStore) {
    let acme = organization(store, "acme").await;
    let web = project(store, acme.id, "web", [1; 16]).await;
    let longer = |letter: char| -> Change<Project> {
        Box::new(move |project| {
            project.name.push(letter);
            Ok(())
        })
    };
    let changes = "0123456789".chars().map(|letter| store.change_project(web.id, longer(letter)));
    for changed in futures_util::future::join_all(changes).await {
        changed.expect("writes");
    }
    let name = store.project(web.id).await.expect("reads").expect("exists").name;
    assert_eq!(name.len(), web.name.len() + 10, "{name}");

    let version = store.config_version();
    let refused = store.change_project(
        web.id,
        Box::new(|project| {
            project.name.clear();
            Err(StoreError::Invalid("no".to_owned()))
        }),
    );
    let refused = refused.await;
    assert!(matches!(refused, Err(StoreError::Invalid(_))), "{refused:?}");
    assert_eq!(store.project(web.id).await.expect("reads").expect("exists").name, name);
    assert_eq!(store.config_version(), version);
}

/// Members are listed from both sides; a second invitation changes nothing.
pub async fn members_have_roles(store: &impl MetaStore) {
    let acme = organization(store, "acme").await;
    let other = organization(store, "other").await;
    let ada = user(store, "ada@example.org").await;
    let bob = user(store, "bob@example.org").await;
    store.add_member(acme.id, bob, Role::Member).await.expect("adds");
    store.add_member(acme.id, ada, Role::Owner).await.expect("adds");
    store.add_member(other.id, ada, Role::Member).await.expect("adds");
    store.add_member(acme.id, ada, Role::Member).await.expect("is one already");
    for (organization, user) in [(OrganizationId(99), ada), (acme.id, UserId(99))] {
        let unknown = store.add_member(organization, user, Role::Member).await;
        assert!(matches!(unknown, Err(StoreError::NotFound(_))), "{unknown:?}");
    }
    assert_eq!(store.members(acme.id).await.expect("lists"), [(ada, Role::Owner), (bob, Role::Member)]);
    assert_eq!(store.organizations_of(ada).await.expect("lists"), [acme.clone(), other]);
    assert_eq!(store.organizations_of(bob).await.expect("lists"), [acme]);
}

/// A project begins with an active key; keys are found by their public half until they are removed.
pub async fn keys_open_projects(store: &impl MetaStore) {
    let acme = organization(store, "acme").await;
    let (web, first) = store.create_project(new_project(acme.id, "web", [1; 16])).await.expect("creates");
    assert_eq!((first.project_id, first.public, first.is_active), (web.id, PublicKey([1; 16]), true));
    let new = |project_id, public: u8| NewKey {
        project_id,
        name: "Mobile".to_owned(),
        public: PublicKey([public; 16]),
        is_active: true,
        rate_limit: None,
        created: NOW,
    };
    let off = store.create_key(NewKey { is_active: false, ..new(web.id, 4) }).await.expect("creates");
    assert_eq!(store.keys(web.id).await.expect("lists").into_iter().find(|key| key.id == off.id), Some(off.clone()));
    assert!(!off.is_active);
    store.delete_key(off.id).await.expect("deletes");
    let mut second = store.create_key(new(web.id, 2)).await.expect("creates");
    let taken = store.create_key(new(web.id, 1)).await;
    assert!(matches!(taken, Err(StoreError::Conflict(_))), "{taken:?}");
    let orphan = store.create_key(new(ProjectId(99), 3)).await;
    assert!(matches!(orphan, Err(StoreError::NotFound(_))), "{orphan:?}");

    (second.name, second.is_active) = ("Old app".to_owned(), false);
    second.rate_limit = Some(KeyRateLimit { window_secs: 60, count: 500 });
    assert_eq!(store.change_key(second.id, becomes(second.clone())).await.expect("writes"), second);
    assert_eq!(store.key(second.public).await.expect("looks up"), Some(second.clone()), "inactive, but there");
    assert_eq!(store.keys(web.id).await.expect("lists"), [first.clone(), second.clone()]);

    store.delete_key(first.id).await.expect("removes");
    assert_eq!(store.key(first.public).await.expect("looks up"), None);
    assert_eq!(store.keys(web.id).await.expect("lists"), [second.clone()]);
    let third = store.create_key(new(web.id, 3)).await.expect("creates");
    assert!(third.id > second.id, "ids are not given twice");
    let unknown = store.change_key(KeyId(99), becomes(second)).await.map(drop);
    for missing in [store.delete_key(first.id).await, unknown] {
        assert!(matches!(missing, Err(StoreError::NotFound(_))), "{missing:?}");
    }
}

fn rule(scope: QuotaScope, limit: Option<u64>) -> QuotaRule {
    let (categories, reason_code) = (vec![DataCategory::Error, DataCategory::Attachment], "too-much".to_owned());
    QuotaRule { scope, scope_id: Some(7), categories, limit, window_secs: 3600, reason_code }
}

/// Quotas belong to an organization, perhaps to one of its projects, until they are removed.
pub async fn quotas_belong_to_organizations(store: &impl MetaStore) {
    let acme = organization(store, "acme").await;
    let other = organization(store, "other").await;
    let web = project(store, acme.id, "web", [1; 16]).await;
    let all = store.create_quota(acme.id, None, rule(QuotaScope::Organization, None)).await.expect("creates");
    let mut of_web = store.create_quota(acme.id, Some(web.id), rule(QuotaScope::Key, Some(0))).await.expect("creates");
    assert_eq!((all.project_id, of_web.project_id), (None, Some(web.id)));
    for (organization, project) in
        [(other.id, Some(web.id)), (acme.id, Some(ProjectId(99))), (OrganizationId(99), None)]
    {
        let orphan = store.create_quota(organization, project, rule(QuotaScope::Project, Some(1))).await;
        assert!(matches!(orphan, Err(StoreError::NotFound(_))), "{orphan:?}");
    }
    of_web.rule = QuotaRule { scope_id: None, categories: Vec::new(), ..rule(QuotaScope::Project, Some(u64::MAX)) };
    store.update_quota(of_web.id, of_web.rule.clone()).await.expect("writes");
    assert_eq!(store.quotas(acme.id).await.expect("lists"), [all.clone(), of_web.clone()]);
    assert_eq!(store.quotas(other.id).await.expect("lists"), []);
    store.delete_quota(of_web.id).await.expect("removes");
    assert_eq!(store.quotas(acme.id).await.expect("lists"), [all]);
    let missing = [store.delete_quota(of_web.id).await, store.update_quota(of_web.id, of_web.rule.clone()).await];
    assert!(missing.iter().all(|answer| matches!(answer, Err(StoreError::NotFound(_)))), "{missing:?}");
    let next = store.create_quota(acme.id, None, of_web.rule).await.expect("creates");
    assert!(next.id > of_web.id, "ids are not given twice");
}

/// Every change of the configuration moves its version; nothing else does.
pub async fn configuration_has_a_version(store: &impl MetaStore) {
    let mut version = store.config_version();
    let mut moves = |what: &str| {
        let now = store.config_version();
        assert_ne!(now, version, "{what}");
        version = now;
    };
    let acme = organization(store, "acme").await;
    moves("an organization is created");
    store.change_organization(acme.id, becomes(acme.clone())).await.expect("writes");
    moves("an organization is written");
    let (web, key) = store.create_project(new_project(acme.id, "web", [1; 16])).await.expect("creates");
    moves("a project is created");
    store.change_project(web.id, becomes(web.clone())).await.expect("writes");
    moves("a project is written");
    store.change_key(key.id, becomes(key.clone())).await.expect("writes");
    moves("a key is written");
    store.delete_key(key.id).await.expect("removes");
    moves("a key is removed");
    let new = NewKey {
        project_id: web.id,
        name: String::new(),
        public: PublicKey([2; 16]),
        is_active: true,
        rate_limit: None,
        created: NOW,
    };
    store.create_key(new).await.expect("creates");
    moves("a key is created");
    let quota = store.create_quota(acme.id, None, rule(QuotaScope::Organization, Some(1))).await.expect("creates");
    moves("a quota is created");
    store.update_quota(quota.id, rule(QuotaScope::Key, None)).await.expect("writes");
    moves("a quota is written");
    store.delete_quota(quota.id).await.expect("removes");
    moves("a quota is removed");
    let plain = IssueType::plain(TypeId(0), "leak", "Leak", "disk");
    let leak = store.create_issue_type(acme.id, plain).await.expect("creates");
    moves("an issue type is defined");
    store.put_issue_type(acme.id, leak.clone()).await.expect("writes");
    moves("an issue type is written");
    store.remove_issue_type(acme.id, leak.id).await.expect("removes");
    moves("an issue type is removed");

    let version = store.config_version();
    user(store, "ada@example.org").await;
    assert!(store.create_organization("acme", "Again", NOW).await.is_err());
    assert_eq!(store.config_version(), version, "an account and a refusal are no configuration");
}
