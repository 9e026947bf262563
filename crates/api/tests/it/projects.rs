use http::StatusCode;
use serde_json::json;

use crate::app::App;

#[tokio::test]
async fn a_project_is_created_with_a_key_whose_dsn_names_the_server() {
    let app = App::new().await;
    let made = app.ann("POST", "/api/0/organizations/acme/projects/", &json!({"name": "My Shop"})).await;
    assert_eq!((made.status, &made.json()["slug"]), (StatusCode::CREATED, &json!("my-shop")));
    assert_eq!(made.json()["firstEvent"], json!(null));
    let keys = app.get("/api/0/projects/acme/my-shop/keys/").await.json();
    let (public, project) = (keys[0]["public"].as_str().unwrap(), keys[0]["projectId"].as_u64().unwrap());
    assert_eq!(keys[0]["dsn"]["public"], format!("https://{public}@nuthatch.example/{project}"));
    let again = app.ann("POST", "/api/0/organizations/acme/projects/", &json!({"name": "My Shop"})).await;
    assert_eq!(again.status, StatusCode::CONFLICT);
    let wrong = app.ann("POST", "/api/0/organizations/acme/projects/", &json!({"name": "12"})).await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST, "a slug of digits would be taken for an id");
}

#[tokio::test]
async fn projects_and_keys_are_changed() {
    let app = App::new().await;
    let renamed = app.ann("PUT", "/api/0/projects/acme/web", &json!({"name": "Web", "slug": "site"})).await;
    assert_eq!((&renamed.json()["name"], &renamed.json()["slug"]), (&json!("Web"), &json!("site")));
    let id = app.acme.project.id;
    assert_eq!(app.get(&format!("/api/0/projects/acme/{id}/")).await.json()["slug"], "site");
    let key = app.ann("POST", "/api/0/projects/acme/site/keys/", &json!({"name": "Second"})).await.json();
    let path = format!("/api/0/projects/acme/site/keys/{}/", key["id"].as_str().unwrap());
    assert_eq!(app.ann("PUT", &path, &json!({"isActive": false})).await.json()["isActive"], false);
    assert_eq!(app.ann("DELETE", &path, &json!(null)).await.status, StatusCode::NO_CONTENT);
    assert_eq!(app.get(&path).await.status, StatusCode::NOT_FOUND);
    assert_eq!(app.get("/api/0/organizations/acme/project-keys/").await.json().as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn an_organization_shows_its_projects_and_members() {
    let app = App::new().await;
    let detail = app.get("/api/0/organizations/acme/").await.json();
    assert_eq!((&detail["projects"][0]["slug"], &detail["orgRole"]), (&json!("web"), &json!("owner")));
    assert_eq!(detail["links"]["regionUrl"], "");
    let members = app.get("/api/0/organizations/acme/members/").await.json();
    assert_eq!((members.as_array().unwrap().len(), &members[0]["email"]), (1, &json!("ann@example.com")));
    assert_eq!(app.get("/api/0/nothing/").await.status, StatusCode::NOT_FOUND);
    assert_eq!(
        app.ann("DELETE", "/api/0/organizations/acme/", &json!(null)).await.status,
        StatusCode::METHOD_NOT_ALLOWED
    );
}
