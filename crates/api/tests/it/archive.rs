//! Archiving until something happens: what is asked for, what is answered, what is refused.

use http::StatusCode;
use nuthatch_protocol::IssueId;
use serde_json::{Value, json};

use crate::app::{App, NOON};

const ISSUE: &str = "/api/0/organizations/acme/issues/WEB-1/";

async fn app() -> App {
    let app = App::new().await;
    app.issue(&app.acme.project, 1, 1).await;
    app
}

#[tokio::test]
async fn an_issue_is_archived_until_one_of_several_things_happens() {
    let app = app().await;
    for (asked, answered) in [
        (json!({"ignoreDuration": 90}), json!({"ignoreUntil": "2026-01-31T13:30:00Z"})),
        (json!({"ignoreUntil": "2026-02-01T00:00:00+01:00"}), json!({"ignoreUntil": "2026-01-31T23:00:00Z"})),
        (json!({"ignoreCount": 10}), json!({"ignoreCount": 10})),
        (json!({"ignoreCount": 10, "ignoreWindow": 60}), json!({"ignoreCount": 10, "ignoreWindow": 60})),
        (json!({"ignoreUserCount": 3}), json!({"ignoreUserCount": 3})),
        (
            json!({"ignoreUserCount": 3, "ignoreUserWindow": 10_080, "ignoreCount": 1}),
            json!({"ignoreUserCount": 3, "ignoreUserWindow": 10_080, "ignoreCount": 1}),
        ),
    ] {
        for substatus in [json!("archived_until_condition_met"), Value::Null] {
            let body = json!({"status": "ignored", "substatus": substatus, "statusDetails": asked});
            let issue = app.ann("PUT", ISSUE, &body).await.json();
            assert_eq!(
                (&issue["status"], &issue["substatus"]),
                (&json!("ignored"), &json!("archived_until_condition_met"))
            );
            assert_eq!(issue["statusDetails"], answered, "{asked}");
            assert_eq!(app.get(ISSUE).await.json()["statusDetails"], answered);
        }
    }
    let body = json!({"status": "ignored", "statusDetails": {"ignoreCount": 5}});
    let bulk = app.ann("PUT", "/api/0/organizations/acme/issues/?query=", &body).await.json();
    let details = json!({"ignoreCount": 5});
    assert_eq!(
        bulk,
        json!({"status": "ignored", "statusDetails": details, "substatus": "archived_until_condition_met"})
    );
    let forever = app.ann("PUT", ISSUE, &json!({"status": "ignored", "statusDetails": {}})).await.json();
    assert_eq!((&forever["substatus"], &forever["statusDetails"]), (&json!("archived_forever"), &json!({})));
    let open = app.ann("PUT", ISSUE, &json!({"status": "unresolved", "statusDetails": {}})).await.json();
    assert_eq!(open["statusDetails"], json!({}));
}

#[tokio::test]
async fn conditions_out_of_bounds_are_refused_by_name_and_change_nothing() {
    let app = app().await;
    let before = app.get(ISSUE).await.json();
    for (details, member) in [
        (json!({"ignoreDuration": 0}), "ignoreDuration"),
        (json!({"ignoreDuration": 525_601}), "ignoreDuration"),
        (json!({"ignoreDuration": 5, "ignoreUntil": "2026-02-01T00:00:00Z"}), "ignoreUntil"),
        (json!({"ignoreUntil": "soon"}), "ignoreUntil"),
        (json!({"ignoreUntil": "2026-01-31T11:59:59Z"}), "ignoreUntil"),
        (json!({"ignoreUntil": "2028-01-31T11:59:59Z"}), "ignoreUntil"),
        (json!({"ignoreCount": -1}), "ignoreCount"),
        (json!({"ignoreCount": 1_000_001}), "ignoreCount"),
        (json!({"ignoreWindow": 60}), "ignoreWindow"),
        (json!({"ignoreCount": 1, "ignoreWindow": 10_081}), "ignoreWindow"),
        (json!({"ignoreUserWindow": 60}), "ignoreUserWindow"),
        (json!({"ignoreUserCount": 1_001, "ignoreUserWindow": 60}), "ignoreUserCount"),
    ] {
        let answer = app.ann("PUT", ISSUE, &json!({"status": "ignored", "statusDetails": details})).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{details}");
        assert!(answer.json()[format!("statusDetails.{member}")].is_array(), "{details} {answer:?}");
    }
    for body in [
        json!({"status": "ignored", "substatus": "archived_forever", "statusDetails": {"ignoreCount": 1}}),
        json!({"status": "ignored", "substatus": "archived_until_escalating", "statusDetails": {"ignoreCount": 1}}),
        json!({"status": "ignored", "substatus": "archived_until_condition_met"}),
        json!({"status": "ignored", "statusDetails": {"ignoreCount": "many"}}),
    ] {
        assert_eq!(app.ann("PUT", ISSUE, &body).await.status, StatusCode::BAD_REQUEST, "{body}");
    }
    assert_eq!(app.get(ISSUE).await.json(), before);
}

#[tokio::test]
async fn an_issue_whose_time_has_come_reads_as_open_before_the_job_says_so() {
    let app = app().await;
    app.ann("PUT", ISSUE, &json!({"status": "ignored", "statusDetails": {"ignoreDuration": 30}})).await;
    app.pass(29 * 60);
    assert_eq!(app.get(ISSUE).await.json()["status"], "ignored");
    app.pass(60);
    let awake = app.get(ISSUE).await.json();
    assert_eq!((&awake["status"], &awake["substatus"]), (&json!("unresolved"), &json!("escalating")));
    assert_eq!(awake["statusDetails"], json!({}));
}

#[tokio::test]
async fn the_forecast_is_shown_while_an_issue_waits_for_escalation() {
    let app = app().await;
    assert_eq!(app.get(ISSUE).await.json()["escalatesAbove"], Value::Null);
    app.ann("PUT", ISSUE, &json!({"status": "ignored", "substatus": "archived_until_escalating"})).await;
    assert_eq!(app.get(ISSUE).await.json()["escalatesAbove"], 10);
    let id = IssueId(app.get(ISSUE).await.json()["id"].as_str().unwrap().parse().unwrap());
    app.count(id, NOON - 26 * 3600, 45).await;
    app.count(id, NOON - 15 * 24 * 3600, 900).await;
    assert_eq!(app.get(ISSUE).await.json()["escalatesAbove"], 90);
}
