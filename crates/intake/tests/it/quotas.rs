//! What limits do over several requests.

use std::{
    future::{pending, ready},
    sync::Arc,
    time::Duration,
};

use nuthatch_protocol::{DataCategory, Topic};
use nuthatch_store::{
    ProjectStore as _, QuotaCountStore as _,
    memory::MemoryQuotaCounts,
    quotas::{Quota, QuotaRule, QuotaScope, QuotaUsage},
};
use proptest::prelude::*;

use crate::{
    app::{App, KEY, NOW, OTHER_KEY, good_envelope},
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

/// What an organization may send counts its projects together; a project's quota counts it alone, and is nobody else's.
#[tokio::test]
async fn an_organization_counts_its_projects_together_and_each_project_alone() {
    let app = App::new().await;
    let rule = |scope, limit| QuotaRule { scope, ..sessions(limit) };
    let quotas = vec![rule(QuotaScope::Organization, 4), rule(QuotaScope::Project, 3)];
    app.set(&Settings { quotas, project_quotas: vec![rule(QuotaScope::Project, 2)], ..Settings::default() }).await;
    let send = async |project: u64, key: &str| {
        let request = http::Request::post(format!("/api/{project}/envelope/?sentry_key={key}"));
        let answer = app.send(request.body(SESSION.into()).unwrap()).await;
        let limits = answer.headers.get("x-sentry-rate-limits").map(|limits| limits.to_str().unwrap().to_owned());
        (answer.status.as_u16(), limits.unwrap_or_default())
    };
    for project_one in [200, 200] {
        assert_eq!(send(1, KEY).await.0, project_one);
    }
    assert_eq!(send(1, KEY).await, (429, "40:session:project:s".to_owned()), "its own two");
    for project_two in [200, 200] {
        assert_eq!(send(2, OTHER_KEY).await.0, project_two);
    }
    assert_eq!(send(2, OTHER_KEY).await, (429, "40:session:organization:s".to_owned()), "four of both");
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

/// What a process does, and what is sent to it.
#[derive(Debug, Clone, Copy)]
enum Step {
    Send(&'static str),
    Note,
    Kill,
}

fn step() -> impl Strategy<Value = Step> {
    let bodies = prop::sample::select(vec![
        SESSION,
        "{}\n{\"type\":\"event\"}\n{}\n",
        "{}\n{\"type\":\"event\"}\n{}\n{\"type\":\"attachment\"}\n12345\n{\"type\":\"attachment\"}\n678\n",
        "{}\n{\"type\":\"transaction\"}\n{\"spans\":[{},{}]}\n",
        "{}\n{\"type\":\"log\"}\n{\"items\":[{\"body\":\"a\"},{\"body\":\"b\"},{}]}\n",
        "{}\n{\"type\":\"made-up\"}\n{}\n",
        "nonsense",
    ]);
    prop_oneof![6 => bodies.prop_map(Step::Send), 2 => Just(Step::Note), 1 => Just(Step::Kill)]
}

/// Quotas of several kinds and windows, a second's among them, and a limit of the key.
async fn with_quotas() -> (App, Vec<Quota>) {
    let app = App::new().await;
    let rule = |scope, categories: &[DataCategory], limit, window_secs| QuotaRule {
        scope,
        scope_id: None,
        categories: categories.to_vec(),
        limit,
        window_secs,
        reason_code: format!("{scope}-{window_secs}"),
    };
    let settings = Settings {
        rate_limit: Some((60, 6)),
        quotas: vec![
            rule(QuotaScope::Organization, &[], None, 86_400),
            rule(QuotaScope::Project, &[DataCategory::Session], Some(4), 1),
            rule(QuotaScope::Key, &[DataCategory::Attachment, DataCategory::LogByte], None, 90),
        ],
        project_quotas: vec![rule(QuotaScope::Project, &[DataCategory::Span, DataCategory::LogItem], None, 60)],
        ..Settings::default()
    };
    app.set(&settings).await;
    let organization = app.meta.organizations().await.unwrap().remove(0).id;
    let quotas = app.meta.quotas(organization).await.unwrap();
    (app, quotas)
}

fn usages(app: &App, quotas: &[Quota]) -> Vec<QuotaUsage> {
    quotas.iter().map(|quota| app.intake.quota_usage(quota)).collect()
}

/// Long enough for one note, if there is anything to note.
async fn note(app: &App, counts: &Arc<MemoryQuotaCounts>) {
    let noting = app.intake.clone().keep_quotas(counts.clone(), pending());
    tokio::time::timeout(Duration::from_millis(1500), noting).await.unwrap_err();
}

/// A process that is killed now and then, beside one that never is.
async fn check_kills(steps: &[Step]) {
    let ((mut app, quotas), (immortal, _)) = (with_quotas().await, with_quotas().await);
    let counts = Arc::new(MemoryQuotaCounts::new());
    app.intake.resume_quotas(&*counts).await.unwrap();
    for step in steps {
        match step {
            Step::Send(body) => {
                let (answer, wanted) = (app.post(*body).await, immortal.post(*body).await);
                assert_eq!((answer.status, &answer.body), (wanted.status, &wanted.body));
                for header in ["x-sentry-rate-limits", "retry-after"] {
                    assert_eq!(answer.headers.get(header), wanted.headers.get(header));
                }
            }
            Step::Note => note(&app, &counts).await,
            Step::Kill => app = app.restarted(&counts).await,
        }
        assert_eq!(usages(&app, &quotas), usages(&immortal, &quotas), "after {step:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn windows_go_on_whenever_the_process_is_killed(steps in prop::collection::vec(step(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(check_kills(&steps));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_let_through_while_it_is_noted_down_is_counted_once() {
    let (app, quota) = with_quota(1000).await;
    let (app, counts) = (Arc::new(app), Arc::new(MemoryQuotaCounts::new()));
    app.intake.resume_quotas(&*counts).await.unwrap();
    let requests = (0..400).map(|number| {
        let (app, counts) = (app.clone(), counts.clone());
        tokio::spawn(async move {
            match number % 4 {
                0 => app.intake.clone().keep_quotas(counts, ready(())).await,
                _ => assert_eq!(app.post(SESSION).await.status, 200),
            }
        })
    });
    for request in futures_util::future::join_all(requests).await {
        request.unwrap();
    }
    assert_eq!(app.restarted(&counts).await.intake.quota_usage(&quota).used, 300);
}

/// What came while there was no quota is not counted by one that was made just before a restart.
#[tokio::test]
async fn a_quota_counts_from_when_it_was_made() {
    let (app, counts) = (App::new().await, Arc::new(MemoryQuotaCounts::new()));
    app.intake.resume_quotas(&*counts).await.unwrap();
    assert_eq!(app.post(SESSION).await.status, 200);
    let mut later = app.records_of(Topic::IngestSessions).await.remove(0);
    later.header.received = NOW.plus(Duration::from_secs(1));
    app.append(Topic::IngestSessions, &later).await;
    app.set(&Settings { project_quotas: vec![sessions(1)], ..Settings::default() }).await;
    app.intake.clone().keep_quotas(counts.clone(), ready(())).await;
    let organization = app.meta.organizations().await.unwrap().remove(0).id;
    let quota = app.meta.quotas(organization).await.unwrap().remove(0);
    assert_eq!(app.restarted(&counts).await.intake.quota_usage(&quota).used, 0);
}

#[tokio::test]
async fn what_cannot_be_read_of_the_process_before_is_left_and_replayed_letters_are_not_counted() {
    let (app, quota) = with_quota(10).await;
    let counts = MemoryQuotaCounts::new();
    counts.keep_quota_counts("nonsense".into()).await.unwrap();
    app.intake.resume_quotas(&counts).await.unwrap();
    assert_eq!(app.post(SESSION).await.status, 200);
    let mut record = app.records_of(Topic::IngestSessions).await.remove(0);
    record.header.letter_id = Some(nuthatch_protocol::LetterId(1));
    app.append(Topic::IngestSessions, &record).await;
    assert_eq!(app.restarted(&counts).await.intake.quota_usage(&quota).used, 1);
}
