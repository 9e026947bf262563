use http::StatusCode;
use nuthatch_issues::{Changes, Needs};
use nuthatch_protocol::{IssueId, TypeId};
use nuthatch_store::{IssueStore as _, projects::Role};
use serde_json::{Value, json};

use crate::app::{App, token};

const TYPES: &str = "/api/0/organizations/acme/issue-types/";
const ISSUES: &str = "/api/0/organizations/acme/issues/";

impl App {
    async fn define(&self, body: Value) -> Value {
        let made = self.ann("POST", TYPES, &body).await;
        assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
        made.json()
    }

    /// An issue of a type, with this number.
    pub async fn issue_of_type(&self, number: u64, type_id: u32) -> IssueId {
        let id = self.issue(&self.acme.project, number, number as u8).await;
        let mut issue = self.meta.issue(id).await.unwrap().unwrap();
        issue.type_id = TypeId(type_id);
        let changes = Changes { updated: vec![issue], ..Changes::default() };
        self.meta.transact(Needs::default(), None, Box::new(|_| changes)).await.unwrap();
        id
    }
}

fn short_ids(rows: &Value) -> Vec<&str> {
    rows.as_array().unwrap().iter().map(|row| row["shortId"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_type_is_defined_changed_and_removed() {
    let app = App::new().await;
    let evidence = json!([{"key": "path", "label": "Path", "format": "code"}]);
    let made = app
        .define(json!({"slug": "disk_full", "name": "Disk full", "category": "outage", "noise": {"ignoreLimit": 3, "expirySecs": 60}, "evidence": evidence}))
        .await;
    assert_eq!((&made["type"], &made["defaultPriority"]), (&json!(100_000), &json!("medium")));
    assert_eq!(made["creationQuota"], json!({"limit": 5, "windowSecs": 3600, "granularitySecs": 60}));
    assert_eq!((&made["isBuiltIn"], &made["isOverridden"]), (&json!(false), &json!(false)));
    let path = format!("{TYPES}disk_full/");
    assert_eq!(app.get(&path).await.json(), made);

    let mut changed = made.clone();
    changed["noise"] = Value::Null;
    changed["defaultPriority"] = json!("high");
    let answer = app.ann("PUT", &path, &changed).await;
    assert_eq!((answer.status, answer.json()), (StatusCode::OK, changed.clone()), "what was read can be sent back");
    let answer = app.ann("PUT", &path, &json!({"creationQuota": null})).await.json();
    assert_eq!((&answer["creationQuota"], &answer["evidence"]), (&Value::Null, &changed["evidence"]));

    let again = app.ann("POST", TYPES, &json!({"slug": "disk_full", "name": "x", "category": "x"})).await;
    assert_eq!(again.status, StatusCode::CONFLICT);
    assert_eq!(app.get(TYPES).await.json().as_array().unwrap().len(), 42);
    assert_eq!(app.ann("DELETE", &path, &Value::Null).await.status, StatusCode::NO_CONTENT);
    assert_eq!(app.get(&path).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_built_in_type_is_changed_for_the_organization_and_reset() {
    let app = App::new().await;
    let path = format!("{TYPES}performance_slow_db_query/");
    let before = app.get(&path).await.json();
    let changed = app.ann("PUT", &path, &json!({"noise": {"ignoreLimit": 1, "expirySecs": 60}})).await.json();
    assert_eq!((&changed["isOverridden"], &changed["noise"]["ignoreLimit"]), (&json!(true), &json!(1)));
    let theirs = "/api/0/organizations/other/issue-types/performance_slow_db_query/";
    let theirs = app.with_token(&app.other.token, "GET", theirs, &Value::Null).await.json();
    assert_eq!(theirs, before, "another organization keeps its rules");
    assert_eq!(app.ann("DELETE", &path, &Value::Null).await.status, StatusCode::NO_CONTENT);
    assert_eq!(app.get(&path).await.json(), before);
    assert_eq!(app.ann("DELETE", &path, &Value::Null).await.status, StatusCode::NOT_FOUND, "nothing to reset");
}

#[tokio::test]
async fn what_is_wrong_is_named_by_field() {
    let app = App::new().await;
    app.define(json!({"slug": "leak", "name": "Leak", "category": "disk"})).await;
    for (body, field) in [
        (json!({"name": " "}), "name"),
        (json!({"slug": "other"}), "slug"),
        (json!({"category": "Disk!"}), "category"),
        (json!({"defaultPriority": "urgent"}), "defaultPriority"),
        (json!({"description": "x".repeat(2001)}), "description"),
        (json!({"noise": {"ignoreLimit": 0, "expirySecs": 60}}), "noise.ignoreLimit"),
        (json!({"noise": {"ignoreLimit": 1, "expirySecs": 2_592_001}}), "noise.expirySecs"),
        (
            json!({"creationQuota": {"limit": 1, "windowSecs": 86_401, "granularitySecs": 86_401}}),
            "creationQuota.windowSecs",
        ),
        (
            json!({"creationQuota": {"limit": 1, "windowSecs": 60, "granularitySecs": 0}}),
            "creationQuota.granularitySecs",
        ),
        (
            json!({"creationQuota": {"limit": 1, "windowSecs": 60, "granularitySecs": 7}}),
            "creationQuota.granularitySecs",
        ),
        (
            json!({"creationQuota": {"limit": 1, "windowSecs": 3600, "granularitySecs": 1}}),
            "creationQuota.granularitySecs",
        ),
        (json!({"evidence": [{"key": "a"}, {"key": "a"}]}), "evidence[1].key"),
        (json!({"evidence": [{"key": "a", "label": "x".repeat(101)}]}), "evidence[0].label"),
    ] {
        let refused = app.ann("PUT", &format!("{TYPES}leak/"), &body).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{body}");
        assert!(refused.json()[field][0].is_string(), "{body} {:?}", refused.body);
        assert!(refused.json()["detail"].as_str().unwrap().contains(field), "{body} {:?}", refused.body);
    }
    let missing = app.ann("POST", TYPES, &json!({"slug": "x"})).await.json();
    assert_eq!([&missing["category"], &missing["name"]], [&json!(["is missing"]); 2]);
    let misspelt = app.ann("PUT", &format!("{TYPES}leak/"), &json!({"isListd": false})).await;
    assert_eq!(misspelt.status, StatusCode::BAD_REQUEST);
    assert!(misspelt.json()["detail"].as_str().unwrap().contains("isListd"));
}

#[tokio::test]
async fn issues_carry_the_names_of_their_type_and_keep_it() {
    let app = App::new().await;
    let number =
        app.define(json!({"slug": "leak", "name": "Leak", "category": "disk"})).await["type"].as_u64().unwrap();
    app.issue_of_type(1, number as u32).await;
    let row = app.get(ISSUES).await.json()[0].clone();
    assert_eq!((&row["issueType"], &row["issueCategory"]), (&json!("leak"), &json!("disk")));
    assert_eq!(row["issueTypeName"], "Leak");
    let detail = app.get("/api/0/organizations/acme/issues/WEB-1/").await.json();
    assert_eq!((&detail["issueType"], &detail["issueCategory"]), (&json!("leak"), &json!("disk")));
    let refused = app.ann("DELETE", &format!("{TYPES}leak/"), &Value::Null).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert!(refused.json()["detail"].as_str().unwrap().contains("in use"));
}

#[tokio::test]
async fn members_read_types_and_owners_write_them() {
    let app = App::new().await;
    let new = nuthatch_store::accounts::NewUser {
        email: "max@example.com".to_owned(),
        name: String::new(),
        password_hash: String::new(),
        created: nuthatch_protocol::Timestamp(0),
    };
    let max = nuthatch_store::AccountStore::create_user(&*app.meta, new).await.unwrap().id;
    let acme = app.acme.organization.id;
    nuthatch_store::ProjectStore::add_member(&*app.meta, acme, max, Role::Member).await.unwrap();
    let max = token(&app.meta, max, acme, &["org:admin"]).await;
    assert_eq!(app.with_token(&max, "GET", TYPES, &Value::Null).await.status, StatusCode::OK);
    for (method, path) in
        [("POST", TYPES.to_owned()), ("PUT", format!("{TYPES}error/")), ("DELETE", format!("{TYPES}error/"))]
    {
        assert_eq!(app.with_token(&max, method, &path, &json!({})).await.status, StatusCode::FORBIDDEN, "{method}");
    }
    let writer = token(&app.meta, app.acme.user, acme, &["org:write"]).await;
    let put = app.with_token(&writer, "PUT", &format!("{TYPES}error/"), &json!({"isListed": false})).await;
    assert_eq!(put.status, StatusCode::OK);
    assert_eq!(
        app.with_token(&writer, "DELETE", &format!("{TYPES}error/"), &Value::Null).await.status,
        StatusCode::NO_CONTENT
    );
}

#[tokio::test]
async fn issues_are_found_by_type_and_by_either_category() {
    let app = App::new().await;
    let number = app
        .define(json!({"slug": "leak", "name": "Leak", "category": "disk", "formerCategory": "performance"}))
        .await["type"]
        .as_u64()
        .unwrap();
    app.issue_of_type(1, 1).await;
    app.issue_of_type(2, 1001).await;
    app.issue_of_type(3, number as u32).await;
    app.issue_of_type(4, 6001).await;
    for (query, found) in [
        ("", vec!["WEB-3", "WEB-2", "WEB-1"]),
        ("issue.type:error", vec!["WEB-1"]),
        ("issue.type:[leak,error]", vec!["WEB-3", "WEB-1"]),
        ("!issue.type:error", vec!["WEB-4", "WEB-3", "WEB-2"]),
        ("issue.category:performance", vec!["WEB-3", "WEB-2"]),
        ("issue.category:[disk,db_query]", vec!["WEB-3", "WEB-2"]),
        ("!issue.category:performance", vec!["WEB-4", "WEB-1"]),
        ("issue.type:feedback", vec!["WEB-4"]),
        ("issue:WEB-4", vec!["WEB-4"]),
    ] {
        let answer = app.get(&format!("{ISSUES}?query={query}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{query} {answer:?}");
        assert_eq!(short_ids(&answer.json()), found, "{query}");
        let counts = app.get(&format!("/api/0/organizations/acme/issues-count/?query={query}")).await.json();
        assert_eq!(counts[query], found.len(), "{query}");
    }
    let unknown = app.get(&format!("{ISSUES}?query=issue.type:leek")).await;
    assert_eq!(unknown.status, StatusCode::BAD_REQUEST);
    assert!(unknown.json()["detail"].as_str().unwrap().contains("leek"));
    let theirs = "/api/0/organizations/other/issues/?query=issue.type:leak";
    let theirs = app.with_token(&app.other.token, "GET", theirs, &Value::Null).await;
    assert_eq!(theirs.status, StatusCode::BAD_REQUEST, "types belong to their organization");
}

#[tokio::test]
async fn issues_of_some_types_follow_what_produces_them() {
    let app = App::new().await;
    // A metric issue.
    let fixed = app.issue_of_type(1, 8001).await;
    let path = format!("/api/0/issues/{fixed}/");
    assert_eq!(app.get(&path).await.json()["isEditable"], false);
    for change in [
        json!({"status": "resolved"}),
        json!({"status": "ignored"}),
        json!({"priority": "low"}),
        json!({"status": "unresolved"}),
    ] {
        for path in [&path, &format!("{ISSUES}?id={fixed}")] {
            let refused = app.ann("PUT", path, &change).await;
            assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{change}");
            assert!(refused.json()["detail"].as_str().unwrap().contains("metric_issue"), "{refused:?}");
        }
    }
    assert_eq!(app.ann("PUT", &path, &json!({"assignedTo": "me"})).await.status, StatusCode::OK);
    app.issue(&app.acme.project, 2, 2).await;
    app.ann("PUT", &format!("{ISSUES}?query="), &json!({"status": "resolved"})).await;
    assert_eq!(short_ids(&app.get(&format!("{ISSUES}?query=is:resolved")).await.json()), ["WEB-2"]);
}
