use http::{StatusCode, header};
use nuthatch_api::secret_hash;
use nuthatch_protocol::Timestamp;
use nuthatch_store::{AccountStore as _, ProjectStore as _, projects::Role};
use serde_json::{Value, json};

use crate::app::{App, NOON, PASSWORD, cookies, token};

const LOGIN: &str = "/api/0/auth/login/";

#[tokio::test]
async fn a_session_begins_with_the_right_password_and_ends_with_logout() {
    let app = App::new().await;
    let wrong = app.send("POST", LOGIN, &[], &json!({"email": "ann@example.com", "password": "wrong"})).await;
    let unknown = app.send("POST", LOGIN, &[], &json!({"email": "nobody@example.com", "password": PASSWORD})).await;
    assert_eq!((wrong.status, &wrong.body), (StatusCode::UNAUTHORIZED, &unknown.body), "they must not differ");

    let answer = app.send("POST", LOGIN, &[], &json!({"email": "Ann@example.com", "password": PASSWORD})).await;
    let set: Vec<&str> = answer.headers.get_all(header::SET_COOKIE).iter().map(|v| v.to_str().unwrap()).collect();
    assert!(set[0].starts_with("nuthatch_session=") && set[0].contains("HttpOnly; SameSite=Lax; Secure"), "{set:?}");
    assert!(set[1].starts_with("nuthatch_csrf=") && !set[1].contains("HttpOnly"), "{set:?}");
    assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store");
    let (cookie, csrf) = cookies(&answer);
    let me = app.send("GET", "/api/0/auth/", &[("cookie", &cookie)], &Value::Null).await.json();
    assert_eq!(me["email"], "ann@example.com");
    assert!(!me.to_string().contains("argon2"));

    let logout = [("cookie", cookie.as_str()), ("x-csrf-token", csrf.as_str())];
    assert_eq!(app.send("POST", "/api/0/auth/logout/", &logout, &Value::Null).await.status, StatusCode::NO_CONTENT);
    let after = app.send("GET", "/api/0/auth/", &[("cookie", &cookie)], &Value::Null).await;
    assert_eq!(after.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_change_with_a_session_needs_its_csrf_token() {
    let app = App::new().await;
    let (cookie, csrf) = app.sign_in("ann@example.com").await;
    let (_, of_eve) = app.sign_in("eve@example.com").await;
    let path = "/api/0/organizations/acme/";
    let body = json!({"name": "Acme"});
    let without = app.send("PUT", path, &[("cookie", &cookie)], &body).await;
    assert_eq!(without.status, StatusCode::FORBIDDEN);
    let anothers = app.send("PUT", path, &[("cookie", &cookie), ("x-csrf-token", &of_eve)], &body).await;
    assert_eq!(anothers.status, StatusCode::FORBIDDEN);
    let with = app.send("PUT", path, &[("cookie", &cookie), ("x-csrf-token", &csrf)], &body).await;
    assert_eq!((with.status, &with.json()["name"]), (StatusCode::OK, &json!("Acme")));
}

#[tokio::test]
async fn too_many_failures_close_an_account_for_a_while() {
    let app = App::new().await;
    let wrong = json!({"email": "ann@example.com", "password": "wrong"});
    for _ in 0..10 {
        assert_eq!(app.send("POST", LOGIN, &[], &wrong).await.status, StatusCode::UNAUTHORIZED);
    }
    let right = json!({"email": "ann@example.com", "password": PASSWORD});
    let refused = app.send("POST", LOGIN, &[], &right).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refused.headers[header::RETRY_AFTER], "900");
    app.pass(900);
    assert_eq!(app.send("POST", LOGIN, &[], &right).await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_set_up_link_makes_one_owner_and_works_once() {
    let app = App::new().await;
    app.meta.put_setup_link(&secret_hash("once"), Timestamp::from_secs(NOON + 60)).await.unwrap();
    let mut body = json!({"token": "once", "name": "New", "email": "new@example.com", "password": "short"});
    assert_eq!(app.send("POST", "/api/0/auth/setup/", &[], &body).await.status, StatusCode::BAD_REQUEST);
    body["password"] = json!(PASSWORD);
    let made = app.send("POST", "/api/0/auth/setup/", &[], &body).await;
    assert_eq!(made.status, StatusCode::CREATED, "a refused password must not use the link up: {made:?}");
    let user = app.meta.user_by_email("new@example.com").await.unwrap().unwrap();
    assert!(app.meta.members(app.acme.organization.id).await.unwrap().contains(&(user.id, Role::Owner)));
    body["email"] = json!("second@example.com");
    assert_eq!(app.send("POST", "/api/0/auth/setup/", &[], &body).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn tokens_are_made_in_person_shown_once_and_revoked() {
    let app = App::new().await;
    assert_eq!(app.get("/api/0/api-tokens/").await.status, StatusCode::FORBIDDEN);
    let (cookie, csrf) = app.sign_in("ann@example.com").await;
    let headers = [("cookie", cookie.as_str()), ("x-csrf-token", csrf.as_str())];
    let body = json!({"name": "ci", "scopes": ["event:read"]});
    let made = app.send("POST", "/api/0/api-tokens/", &headers, &body).await.json();
    let secret = made["token"].as_str().unwrap().to_owned();
    assert!(secret.starts_with("sntryu_") && secret.len() == 7 + 64);
    let list = app.send("GET", "/api/0/api-tokens/", &headers, &Value::Null).await;
    assert!(!String::from_utf8_lossy(&list.body).contains(&secret));

    let check = app.with_token(&secret, "GET", "/api/0/", &Value::Null).await.json();
    assert_eq!(check["auth"]["scopes"], json!(["event:read"]));
    let path = format!("/api/0/api-tokens/{}/", made["id"].as_str().unwrap());
    assert_eq!(app.send("DELETE", &path, &headers, &Value::Null).await.status, StatusCode::NO_CONTENT);
    assert_eq!(app.with_token(&secret, "GET", "/api/0/", &Value::Null).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_token_may_what_its_scopes_say() {
    let app = App::new().await;
    app.issue(&app.acme.project, 1, 1).await;
    let reader = token(&app.meta, app.acme.user, app.acme.organization.id, &["event:read"]).await;
    let list = "/api/0/organizations/acme/issues/";
    assert_eq!(app.with_token(&reader, "GET", list, &Value::Null).await.status, StatusCode::OK);
    let resolved = json!({"status": "resolved"});
    assert_eq!(app.with_token(&reader, "PUT", list, &resolved).await.status, StatusCode::FORBIDDEN);
    let projects = "/api/0/organizations/acme/projects/";
    assert_eq!(app.with_token(&reader, "GET", projects, &Value::Null).await.status, StatusCode::FORBIDDEN);
    assert_eq!(app.with_token("sntryu_wrong", "GET", list, &Value::Null).await.status, StatusCode::UNAUTHORIZED);
}
