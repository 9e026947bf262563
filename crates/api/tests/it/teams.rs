//! Teams: what they have, whose issues they take care of, and who may change them.

use http::StatusCode;
use nuthatch_store::{ProjectStore as _, projects::Role};
use serde_json::{Value, json};

use crate::app::{App, token};

const TEAMS: &str = "/api/0/organizations/acme/teams/";

async fn create(app: &App, name: &str) -> Value {
    let answer = app.ann("POST", TEAMS, &json!({"name": name})).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
    answer.json()
}

#[tokio::test]
async fn a_team_is_made_renamed_and_removed() {
    let app = App::new().await;
    let team = create(&app, "Check out").await;
    assert_eq!(
        (&team["slug"], &team["isMember"], &team["memberCount"]),
        (&json!("check-out"), &json!(true), &json!(1))
    );
    let taken = app.ann("POST", TEAMS, &json!({"name": "Check Out"})).await;
    assert_eq!(taken.status, StatusCode::CONFLICT);
    for wrong in [json!({}), json!({"name": " "}), json!({"name": "A", "slug": "12"})] {
        assert_eq!(app.ann("POST", TEAMS, &wrong).await.status, StatusCode::BAD_REQUEST, "{wrong}");
    }
    let path = "/api/0/teams/acme/check-out/";
    let renamed = app.ann("PUT", path, &json!({"name": "Payments", "slug": "payments"})).await.json();
    assert_eq!((&renamed["name"], &renamed["slug"]), (&json!("Payments"), &json!("payments")));
    assert_eq!(app.get(path).await.status, StatusCode::NOT_FOUND);
    assert_eq!(app.get(TEAMS).await.json(), json!([renamed]));
    assert_eq!(app.get("/api/0/organizations/acme/").await.json()["teams"][0]["slug"], "payments");
    assert_eq!(app.ann("DELETE", "/api/0/teams/acme/payments/", &Value::Null).await.status, StatusCode::NO_CONTENT);
    assert_eq!(app.get(TEAMS).await.json(), json!([]));
}

#[tokio::test]
async fn a_team_has_members_and_projects_of_its_organization() {
    let app = App::new().await;
    create(&app, "Core").await;
    let members = "/api/0/teams/acme/core/members/";
    assert_eq!(app.get(members).await.json()[0]["email"], "ann@example.com");
    let me = "/api/0/organizations/acme/members/me/teams/core/";
    assert_eq!(app.ann("DELETE", me, &Value::Null).await.json()["isMember"], false);
    assert_eq!(app.get(members).await.json(), json!([]));
    assert_eq!(app.ann("POST", me, &Value::Null).await.json()["memberCount"], 1);
    let eve = format!("/api/0/organizations/acme/members/{}/teams/core/", app.other.user);
    assert_eq!(app.ann("POST", &eve, &Value::Null).await.status, StatusCode::NOT_FOUND, "no member");

    let made = app.ann("POST", "/api/0/teams/acme/core/projects/", &json!({"name": "Shop API"})).await;
    assert_eq!((made.status, &made.json()["teams"][0]["slug"]), (StatusCode::CREATED, &json!("core")));
    let web = "/api/0/projects/acme/web/teams/core/";
    assert_eq!(app.ann("POST", web, &Value::Null).await.json()["team"]["name"], "Core");
    let slugs = async |path: &str| -> Vec<String> {
        let projects = app.get(path).await.json();
        projects.as_array().unwrap().iter().map(|project| project["slug"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(slugs("/api/0/teams/acme/core/projects/").await, ["shop-api", "web"]);
    assert_eq!(app.ann("DELETE", web, &Value::Null).await.json()["teams"], json!([]));
    assert_eq!(slugs("/api/0/teams/acme/core/projects/").await, ["shop-api"]);
    let others = "/api/0/projects/acme/api/teams/core/";
    assert_eq!(app.ann("POST", others, &Value::Null).await.status, StatusCode::NOT_FOUND, "another organization's");
}

#[tokio::test]
async fn issues_are_assigned_to_teams_found_by_them_and_freed_when_they_go() {
    let app = App::new().await;
    app.issue(&app.acme.project, 1, 1).await;
    app.issue(&app.acme.project, 2, 2).await;
    let id = create(&app, "Core").await["id"].as_str().unwrap().to_owned();
    let path = "/api/0/organizations/acme/issues/WEB-1/";
    for written in [format!("team:{id}"), "#core".to_owned()] {
        let issue = app.ann("PUT", path, &json!({"assignedTo": written})).await.json();
        assert_eq!(issue["assignedTo"], json!({"type": "team", "id": id, "name": "Core", "email": null}), "{written}");
    }
    assert_eq!(app.ann("PUT", path, &json!({"assignedTo": "#none"})).await.status, StatusCode::BAD_REQUEST);
    let activity = &app.get(path).await.json()["activity"][0];
    assert_eq!((&activity["data"]["assigneeName"], &activity["cause"]["type"]), (&json!("Core"), &json!("user")));
    let found = async |query: &str| -> Vec<String> {
        let issues = app.get(&format!("/api/0/organizations/acme/issues/?query={query}")).await.json();
        issues.as_array().unwrap().iter().map(|issue| issue["shortId"].as_str().unwrap().to_owned()).collect()
    };
    for (query, expected) in [
        ("assigned:%23core", vec!["WEB-1"]),
        ("assigned:my_teams", vec!["WEB-1"]),
        ("is:assigned", vec!["WEB-1"]),
        ("is:unassigned", vec!["WEB-2"]),
        ("assigned:%23none", vec![]),
        ("assigned:me", vec![]),
    ] {
        assert_eq!(found(query).await, expected, "{query}");
    }
    assert_eq!(app.ann("DELETE", "/api/0/teams/acme/core/", &Value::Null).await.status, StatusCode::NO_CONTENT);
    let freed = app.get(path).await.json();
    assert_eq!((&freed["assignedTo"], &freed["activity"][0]["type"]), (&Value::Null, &json!("unassigned")));
}

#[tokio::test]
async fn members_work_in_teams_and_only_owners_remove_them() {
    let app = App::new().await;
    app.meta.add_member(app.acme.organization.id, app.other.user, Role::Member).await.unwrap();
    let all = ["org:admin", "project:admin", "team:admin", "member:admin", "event:admin"];
    let bob = token(&app.meta, app.other.user, app.acme.organization.id, &all).await;
    let made = app.with_token(&bob, "POST", TEAMS, &json!({"name": "Core"})).await;
    assert_eq!(made.status, StatusCode::CREATED);
    let path = "/api/0/teams/acme/core/";
    assert_eq!(app.with_token(&bob, "DELETE", path, &Value::Null).await.status, StatusCode::FORBIDDEN);
    let me = "/api/0/organizations/acme/members/me/teams/core/";
    assert_eq!(app.with_token(&bob, "DELETE", me, &Value::Null).await.status, StatusCode::OK);
    let reader = token(&app.meta, app.acme.user, app.acme.organization.id, &["team:read"]).await;
    assert_eq!(app.with_token(&reader, "GET", path, &Value::Null).await.status, StatusCode::OK);
    for (method, path) in [("PUT", path), ("POST", me), ("DELETE", me)] {
        let answer = app.with_token(&reader, method, path, &json!({"name": "x"})).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{method} {path}");
    }
}
