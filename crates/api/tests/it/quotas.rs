use http::StatusCode;
use nuthatch_store::ProjectStore as _;
use serde_json::{Value, json};

use crate::app::App;

const OF_ACME: &str = "/api/0/organizations/acme/quotas/";
const OF_WEB: &str = "/api/0/projects/acme/web/quotas/";

#[tokio::test]
async fn quotas_are_added_shown_with_their_usage_changed_and_removed() {
    let app = App::new().await;
    let version = app.meta.config_version();
    let errors = json!({"categories": ["error", "transaction", "error"], "limit": 1000, "window": 3600});
    let added = app.ann("POST", OF_ACME, &errors).await;
    assert_eq!(added.status, StatusCode::CREATED);
    let expected = json!({"id": "1", "scope": "organization", "scopeId": null, "categories": ["error", "transaction"],
        "limit": 1000, "window": 3600, "reasonCode": "org_quota",
        "usage": {"used": 10, "resetsAt": "2026-01-31T13:00:00Z"}});
    assert_eq!(added.json(), expected);
    assert!(app.meta.config_version() > version, "intake must notice");

    let key = app.get("/api/0/projects/acme/web/keys/").await.json()[0]["id"].clone();
    let closed = json!({"scope": "key", "scopeId": key, "limit": 0, "reasonCode": "gone"});
    let of_web = app.ann("POST", OF_WEB, &closed).await.json();
    let expected_of_web = json!({"id": "2", "scope": "key", "scopeId": key, "categories": [], "limit": 0,
        "window": null, "reasonCode": "gone", "usage": null});
    assert_eq!(of_web, expected_of_web);
    assert_eq!(app.get(OF_ACME).await.json(), json!([expected]), "each shows its own");
    assert_eq!(app.get(OF_WEB).await.json(), json!([expected_of_web]));

    let counted = json!({"scope": "project", "scopeId": "web", "categories": ["log_byte", "attachment"], "limit": null,
        "window": 60});
    let changed = app.ann("PUT", &format!("{OF_ACME}1/"), &counted).await.json();
    let web = app.acme.project.id.to_string();
    assert_eq!((&changed["scopeId"], &changed["limit"]), (&json!(web), &Value::Null));
    assert_eq!((&changed["reasonCode"], &changed["usage"]["used"]), (&json!("project_quota"), &json!(10)));

    for wrong in [format!("{OF_WEB}1/"), format!("{OF_ACME}2/"), format!("{OF_ACME}99/"), format!("{OF_ACME}x/")] {
        assert_eq!(app.ann("PUT", &wrong, &errors).await.status, StatusCode::NOT_FOUND, "{wrong}");
        assert_eq!(app.ann("DELETE", &wrong, &json!(null)).await.status, StatusCode::NOT_FOUND, "{wrong}");
    }
    for path in [format!("{OF_ACME}1/"), format!("{OF_WEB}2/")] {
        assert_eq!(app.ann("DELETE", &path, &json!(null)).await.status, StatusCode::NO_CONTENT);
    }
    assert_eq!((app.get(OF_ACME).await.json(), app.get(OF_WEB).await.json()), (json!([]), json!([])));
}

#[tokio::test]
async fn what_cannot_be_a_quota_is_said_by_member() {
    let app = App::new().await;
    let good = json!({"categories": ["error"], "limit": 5, "window": 60});
    for (path, change, member) in [
        (OF_ACME, json!({"scope": "team"}), "scope"),
        (OF_WEB, json!({"scope": "organization"}), "scope"),
        (OF_ACME, json!({"scopeId": "1"}), "scopeId"),
        (OF_ACME, json!({"scope": "project", "scopeId": "api"}), "scopeId"),
        (OF_WEB, json!({"scope": "project", "scopeId": "2"}), "scopeId"),
        (OF_ACME, json!({"scope": "key", "scopeId": "1"}), "scopeId"),
        (OF_ACME, json!({"categories": ["error", "nothing"]}), "categories.1"),
        (OF_ACME, json!({"categories": ["occurrence"]}), "categories.0"),
        (OF_ACME, json!({"categories": ["profile_ui", "profile_duration"]}), "categories.1"),
        (OF_ACME, json!({"categories": ["replay_video"]}), "categories.0"),
        (OF_ACME, json!({"categories": []}), "categories"),
        (OF_ACME, json!({"categories": ["error", "attachment"]}), "categories"),
        (OF_ACME, json!({"limit": u64::MAX}), "limit"),
        (OF_ACME, json!({"window": 0}), "window"),
        (OF_ACME, json!({"window": null}), "window"),
        (OF_ACME, json!({"window": 31 * 86_400 + 1}), "window"),
        (OF_ACME, json!({"reasonCode": ""}), "reasonCode"),
        (OF_ACME, json!({"reasonCode": "a, 60:error:key"}), "reasonCode"),
    ] {
        let mut request = good.clone();
        request.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let answer = app.ann("POST", path, &request).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{change}");
        assert!(answer.json()[member][0].is_string(), "{change}: {:?}", answer.json());
    }
    let answer = app.ann("POST", OF_ACME, &json!({"categories": ["error"], "window": 60})).await;
    assert!(answer.json()["limit"][0].is_string(), "a forgotten limit is not none");
    assert_eq!(app.get(OF_ACME).await.json(), json!([]), "a refusal adds nothing");
}

#[tokio::test]
async fn who_may_only_read_changes_no_quota() {
    let app = App::new().await;
    app.ann("POST", OF_ACME, &json!({"limit": 0})).await;
    let reader =
        crate::app::token(&app.meta, app.acme.user, app.acme.organization.id, &["org:read", "project:read"]).await;
    for (path, change) in [(OF_ACME, "POST"), (OF_WEB, "POST"), (&format!("{OF_ACME}1/"), "PUT")] {
        let answer = app.with_token(&reader, change, path, &json!({"limit": 0})).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{change} {path}");
    }
    assert_eq!(app.with_token(&reader, "GET", OF_ACME, &Value::Null).await.json().as_array().unwrap().len(), 1);
    // What belongs to another organization is not there, whatever path names it.
    let eve = app.with_token(&app.other.token, "DELETE", "/api/0/organizations/other/quotas/1/", &Value::Null).await;
    assert_eq!(eve.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn keys_are_limited() {
    let app = App::new().await;
    let path = "/api/0/projects/acme/web/keys/";
    let limit = json!({"window": 60, "count": 500});
    let made = app.ann("POST", path, &json!({"name": "Mobile", "rateLimit": limit})).await.json();
    assert_eq!(made["rateLimit"], limit);
    let path = format!("{path}{}/", made["id"].as_str().unwrap());
    assert_eq!(app.ann("PUT", &path, &json!({"isActive": false})).await.json()["rateLimit"], limit, "absent stays");
    for (wrong, member) in [
        (json!({"window": 0, "count": 1}), "rateLimit.window"),
        (json!({"window": 31 * 86_400 + 1, "count": 1}), "rateLimit.window"),
        (json!({"window": 60, "count": u64::MAX}), "rateLimit.count"),
    ] {
        let answer = app.ann("PUT", &path, &json!({"rateLimit": wrong, "isActive": true})).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{wrong}");
        assert!(answer.json()[member][0].is_string(), "{wrong}: {:?}", answer.json());
    }
    let key = app.get(&path).await.json();
    assert_eq!((&key["rateLimit"], &key["isActive"]), (&limit, &json!(false)), "a refusal changes nothing");
    assert_eq!(app.ann("PUT", &path, &json!({"rateLimit": null})).await.json()["rateLimit"], Value::Null);
}

#[tokio::test]
async fn origins_are_chosen() {
    let app = App::new().await;
    let path = "/api/0/projects/acme/web/";
    assert_eq!(app.get(path).await.json()["allowedDomains"], json!(["*"]));
    let change = json!({"allowedDomains": [" Example.com ", "", "https://*.example.org:8443/path"]});
    let changed = app.ann("PUT", path, &change).await.json();
    assert_eq!(changed["allowedDomains"], json!(["example.com", "https://*.example.org:8443"]));
    let wrong = app.ann("PUT", path, &json!({"allowedDomains": ["a.b", "x:y"]})).await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    assert!(wrong.json()["allowedDomains.1"][0].is_string(), "{wrong:?}");
    assert_eq!(app.get(path).await.json(), changed, "a refusal changes nothing");
    assert_eq!(app.ann("PUT", path, &json!({"allowedDomains": []})).await.json()["allowedDomains"], json!([]));
}
