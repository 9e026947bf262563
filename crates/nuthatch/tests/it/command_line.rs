//! The command line, as people and scripts use it.

use crate::server::{PASSWORD, Site, json, run};

#[test]
fn init_prints_what_a_script_needs_and_a_second_one_changes_nothing() {
    let site = Site::new();
    assert!(site.token.starts_with("sntryu_"), "a token of the field's form");
    let again = run(&site.data(), &["init", "--email", "JANE@example.com", "--password-stdin", "--json"], PASSWORD);
    assert_eq!(again.status.code(), Some(1));
    let text = String::from_utf8(again.stderr).unwrap();
    assert!(text.contains("already taken"), "{text}");
    assert_eq!(json(&site.data(), &["user", "list"], "").as_array().unwrap().len(), 1);
    assert_eq!(json(&site.data(), &["project", "list"], "").as_array().unwrap().len(), 1);
}

#[test]
fn short_passwords_and_wrong_names_are_refused_with_what_to_do() {
    let site = Site::new();
    for (arguments, input, says) in [
        (vec!["user", "create", "a@example.com"], "short", "shorter than 8"),
        (vec!["project", "create", "Not A Slug"], "", "lower-case"),
        (vec!["key", "list", "nothing"], "", "nuthatch project list"),
        (vec!["token", "create", "jane@example.com", "--scopes", "event:fly"], "", "event:read"),
        (vec!["token", "list", "nobody@example.com"], "", "nuthatch user list"),
    ] {
        let output = run(&site.data(), &arguments, input);
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {text}");
        assert!(text.contains(says), "{arguments:?}: {text}");
    }
}

#[test]
fn keys_and_tokens_can_be_made_and_taken_back() {
    let site = Site::new();
    let data = site.data();
    let key = json(&data, &["key", "create", &site.project], "");
    let id = key["id"].to_string();
    assert_eq!(json(&data, &["key", "disable", &site.project, &id], "")["active"], false);
    assert_eq!(json(&data, &["key", "enable", &site.project, &id], "")["active"], true);
    let token = json(&data, &["token", "create", "jane@example.com", "--scopes", "event:read"], "");
    assert_eq!(token["scopes"], serde_json::json!(["event:read"]));
    let listed = json(&data, &["token", "list", "jane@example.com"], "").to_string();
    assert!(!listed.contains(token["token"].as_str().unwrap()), "a token is shown once");
    json(&data, &["token", "delete", "jane@example.com", &token["id"].to_string()], "");
    assert_eq!(json(&data, &["token", "list", "jane@example.com"], "").as_array().unwrap().len(), 1);

    let token = json(&data, &["token", "project", "create", &site.project, "--name", "detector"], "");
    let listed = json(&data, &["token", "project", "list", &site.project], "");
    assert_eq!(listed[0]["name"], "detector");
    assert!(!listed.to_string().contains(token["token"].as_str().unwrap()), "a token is shown once");
    json(&data, &["token", "project", "delete", &site.project, &token["id"].to_string()], "");
    assert_eq!(json(&data, &["token", "project", "list", &site.project], ""), serde_json::json!([]));
}

#[test]
fn explain_shows_what_would_become_of_an_event_and_an_envelope() {
    let site = Site::new();
    let event = r#"{"event_id":"0123456789abcdef0123456789abcdef","platform":"python","exception":{"type":"ValueError","value":"no order 17"}}"#;
    let output = run(&site.data(), &["explain", "event", "-"], event);
    let explained: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(explained["title"], "ValueError: no order 17");
    assert_eq!(explained["grouping"]["hashes"].as_array().unwrap().len(), 1);
    assert_eq!(explained["event"]["event_id"], "0123456789abcdef0123456789abcdef");

    let transaction = r#"{"type":"transaction","transaction":"/users/42","transaction_info":{"source":"url"},"start_timestamp":1,"timestamp":2,
        "contexts":{"trace":{"trace_id":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","span_id":"bbbbbbbbbbbbbbbb"}}}"#;
    let output = run(&site.data(), &["explain", "event", "-"], transaction);
    let explained: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(explained["title"], "/users/*");

    let envelope = format!("{{}}\n{{\"type\":\"event\"}}\n{event}\n{{\"type\":\"statsd\"}}\nx\n");
    let output = run(&site.data(), &["explain", "envelope", "-"], &envelope);
    let explained: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let text = explained.to_string();
    assert!(text.contains("\"event\"") && text.contains("statsd"), "{text}");

    let output = run(&site.data(), &["explain", "event", "-"], "{\"a\":");
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("invalid_json"));
}

#[test]
fn explain_shows_what_a_rule_would_take_out() {
    let site = Site::new();
    let config = tempfile::NamedTempFile::new().unwrap();
    let rules = r#"{"relayPiiConfig": {"rules": {"order": {"type": "pattern", "pattern": "ORD-[0-9]+"}}, "applications": {"extra.**": ["order"]}}}"#;
    std::fs::write(config.path(), rules).unwrap();
    let path = config.path().to_str().unwrap();
    let event = r#"{"extra": {"note": "about ORD-17", "password": "hunter2"}}"#;
    let shown = json(&site.data(), &["explain", "scrub", "-", "--config", path], event);
    let changes = shown["changes"].as_array().unwrap();
    let found = |path: &str| changes.iter().find(|change| change["path"] == path).unwrap();
    assert_eq!(found("extra.note")["rule"], "order");
    assert_eq!(
        (&found("extra.note")["before"], &found("extra.note")["after"]),
        (&"about ORD-17".into(), &"about ".into())
    );
    assert_eq!(found("extra.password")["after"], "[Filtered]");
    assert!(!shown["event"].to_string().contains("hunter2"));
    let text = String::from_utf8(run(&site.data(), &["explain", "scrub", "-"], event).stdout).unwrap();
    assert!(text.contains("@password:filter") && !text.contains("ORD"), "{text}");

    let shown = json(&site.data(), &["explain", "scrub", "-", "--organization", path], event);
    let of_organization = &shown["changes"][0];
    assert_eq!(
        (&of_organization["path"], &of_organization["rule"]),
        (&"extra.note".into(), &"organization:order".into())
    );

    std::fs::write(config.path(), rules.replace("ORD-[", "(")).unwrap();
    let output = run(&site.data(), &["explain", "scrub", "-", "--config", path], event);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("relayPiiConfig.rules.order.pattern"));
}

#[test]
fn issue_types_are_defined_changed_and_removed() {
    let site = Site::new();
    let data = site.data();
    let built_in = json(&data, &["issue-type", "list"], "").as_array().unwrap().len();
    let made = r#"{"slug": "disk_full", "name": "Disk full", "category": "outage", "noise": {"ignoreLimit": 3, "expirySecs": 60}}"#;
    let made = json(&data, &["issue-type", "define", "-"], made);
    assert_eq!((&made["type"], &made["isBuiltIn"]), (&serde_json::json!(100_000), &serde_json::json!(false)));
    let changed = json(&data, &["issue-type", "define", "-"], r#"{"slug": "disk_full", "noise": null}"#);
    assert_eq!((&changed["name"], &changed["noise"]), (&made["name"], &serde_json::Value::Null));
    assert_eq!(json(&data, &["issue-type", "list"], "").as_array().unwrap().len(), built_in + 1);
    json(&data, &["issue-type", "remove", "disk_full"], "");
    for (arguments, input, says) in [
        (vec!["issue-type", "define", "-"], r#"{"slug": "error", "name": ""}"#, "name"),
        (vec!["issue-type", "define", "-"], r#"{"slug": "error", "nam": "x"}"#, "nam"),
        (vec!["issue-type", "remove", "disk_full"], "", "nuthatch issue-type list"),
        (vec!["issue-type", "remove", "error"], "", "built in"),
    ] {
        let output = run(&data, &arguments, input);
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {text}");
        assert!(text.contains(says), "{arguments:?}: {text}");
    }
}
