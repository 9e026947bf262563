//! The five-minute guide of `docs/issue-platform.md`, run as it stands there.

use std::process::Command;

use serde_json::Value;

use crate::server::Site;

const GUIDE: &str = include_str!("../../../../docs/issue-platform.md");

/// The commands, in order.
fn commands() -> Vec<&'static str> {
    GUIDE.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

#[tokio::test]
async fn the_guide_does_what_it_says() {
    let site = Site::new();
    let server = site.start();
    let mut client = server.client();
    let shell = |command: &str| -> Value {
        let output = Command::new("sh")
            .args(["-ec", command])
            .env("URL", format!("http://{}", server.address))
            .env("ORG", &site.organization)
            .env("PROJECT", &site.project)
            .env("TOKEN", &site.token)
            .output()
            .unwrap();
        let answer = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{command}\n{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{command}\n{answer}\n{error}"))
    };
    let [define, token, send, see, resolve, again] = commands()[..] else { panic!("the guide has six commands") };
    assert_eq!(shell(define)["slug"], "backup_failed");
    assert!(shell(token)["token"].is_string());
    assert_eq!(shell(send)["items"][0]["status"], "accepted");

    let path = format!("/organizations/{}/issues/?query=issue.type:backup_failed", site.organization);
    server.until(&mut client, &path, |issues| !issues[0].is_null()).await;
    let issue = &shell(see)[0];
    assert_eq!((&issue["title"], &issue["issueType"]), (&"Backup of db-1 failed".into(), &"backup_failed".into()));
    assert_eq!(
        (&issue["substatus"], &issue["priority"], &issue["count"]),
        (&"new".into(), &"high".into(), &"1".into())
    );
    // The event follows its issue within moments.
    let events = format!("/organizations/{}/issues/{}/events/", site.organization, issue["id"].as_str().unwrap());
    server.until(&mut client, &events, |events| !events[0].is_null()).await;
    let event = server.until(&mut client, &format!("{events}latest/"), |_| true).await;
    assert_eq!(event["occurrence"]["evidenceData"]["host"], "db-1");
    assert_eq!(event["occurrence"]["evidenceDisplay"][0]["important"], true);

    assert_eq!(shell(resolve)["items"][0]["status"], "accepted");
    server.until(&mut client, &path, |issues| issues[0]["status"] == "resolved").await;
    assert_eq!(shell(again)["items"][0]["status"], "accepted");
    let issues = server.until(&mut client, &path, |issues| issues[0]["count"] == "2").await;
    assert_eq!((&issues[0]["status"], &issues[0]["substatus"]), (&"unresolved".into(), &"regressed".into()));
    assert_eq!(issues.as_array().unwrap().len(), 1);
}
