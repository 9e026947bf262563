//! What limits do over several requests.

use std::sync::Arc;

use nuthatch_protocol::DataCategory;
use nuthatch_store::{
    ProjectStore as _,
    quotas::{Quota, QuotaRule, QuotaScope},
};

use crate::{
    app::{App, NOW, good_envelope},
    cases::Settings,
};

const SESSION: &str = "{}\n{\"type\":\"session\"}\n{}\n";

fn sessions(limit: u64) -> QuotaRule {
    QuotaRule {
        scope: QuotaScope::Project,
        scope_id: None,
        categories: vec![DataCategory::Session],
        limit: Some(limit),
        window_secs: 60,
        reason_code: "s".to_owned(),
    }
}

async fn with_quota(limit: u64) -> (App, Quota) {
    let app = App::new().await;
    app.set(&Settings { project_quotas: vec![sessions(limit)], ..Settings::default() }).await;
    let organization = app.meta.organizations().await.unwrap().remove(0).id;
    let quota = app.meta.quotas(organization).await.unwrap().remove(0);
    (app, quota)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_at_once_get_exactly_what_there_is() {
    let (app, quota) = with_quota(50).await;
    let app = Arc::new(app);
    let requests = (0..200).map(|_| {
        let app = app.clone();
        tokio::spawn(async move { app.post(SESSION).await.status.as_u16() })
    });
    let answers = futures_util::future::join_all(requests).await;
    let of = |status: u16| answers.iter().filter(|answer| *answer.as_ref().unwrap() == status).count();
    assert_eq!((of(200), of(429)), (50, 150));
    assert_eq!(app.topics().await.len(), 50);
    assert_eq!(app.outcomes().await.0, ["1/1 session rate_limited s 150"]);
    let usage = app.intake.quota_usage(&quota);
    assert_eq!((usage.used, usage.ends_secs), (50, NOW.secs() + 40));
}

#[tokio::test]
async fn changes_count_with_the_next_request() {
    let (app, quota) = with_quota(1).await;
    assert_eq!([app.post(SESSION).await.status, app.post(SESSION).await.status].map(|s| s.as_u16()), [200, 429]);
    app.meta.update_quota(quota.id, sessions(2)).await.unwrap();
    assert_eq!([app.post(SESSION).await.status, app.post(SESSION).await.status].map(|s| s.as_u16()), [200, 429]);
    app.meta.delete_quota(quota.id).await.unwrap();
    assert_eq!(app.post(SESSION).await.status, 200);
}

#[tokio::test]
async fn what_is_refused_for_its_size_consumes_nothing() {
    let (app, quota) = with_quota(1).await;
    let long = " ".repeat(1 << 20);
    assert_eq!(app.post(format!("{SESSION}{{\"type\":\"event\"}}\n{{}}{long}\n")).await.status, 413);
    assert_eq!(app.intake.quota_usage(&quota).used, 0);
    assert_eq!(app.post(SESSION).await.status, 200);
    assert_eq!(app.post(SESSION.to_owned() + "{\"type\":\"event\"}\n{}\n").await.status, 200);
    assert_eq!(app.post(good_envelope()).await.status, 200);
}
