//! What is taken out of events, and what is said about it.

use nuthatch_normalize::scrub::{ScrubSettings, Scrubber};
use nuthatch_protocol::Event;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::{
    mutations::{first_difference, mutated_event},
    read,
};

fn scrubbed(settings: &ScrubSettings, event: Value) -> Value {
    scrubbed_by(&Scrubber::new(settings).0, event)
}

fn scrubbed_by(scrubber: &Scrubber, event: Value) -> Value {
    let Value::Object(event) = event else { panic!("an event is an object") };
    let mut event = Event(event);
    scrubber.scrub(&mut event);
    Value::Object(event.0)
}

/// Each case: settings, what the `organization` requires, a canonical event, and the parts of the result that must be exactly so (`null`: absent or null);
/// `problems` are the places that the settings are refused for.
#[test]
fn every_case_comes_out_as_written() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("scrub_cases.json")).unwrap();
    let mut failures = Vec::new();
    for case in &cases {
        let settings = serde_json::from_value(case.get("settings").cloned().unwrap_or_else(|| json!({})));
        let settings: ScrubSettings = settings.unwrap_or_else(|error| panic!("{}: {error}", case["name"]));
        let required = ScrubSettings::read_required(case.get("organization").cloned().unwrap_or_else(|| json!({})));
        let required = required.unwrap_or_else(|error| panic!("{}: {error}", case["name"]));
        let (scrubber, problems) = Scrubber::within(&required, &settings);
        let found: Vec<Value> = problems.iter().map(|problem| Value::from(problem.place.as_str())).collect();
        let expected = case.get("problems").and_then(Value::as_array).cloned().unwrap_or_default();
        if found != expected {
            failures.push(format!("{}: problems {problems:?}", case["name"]));
        }
        let event = scrubbed_by(&scrubber, case.get("event").cloned().unwrap_or_else(|| json!({})));
        for (path, expected) in case.get("expected").and_then(Value::as_object).unwrap_or(&Map::new()) {
            let found = path.split('/').fold(&event, |value, key| match key.parse::<usize>() {
                Ok(index) if value.is_array() => &value[index],
                _ => &value[key],
            });
            if found != expected {
                failures.push(format!("{}: {path}\n  expected {expected}\n  found    {found}", case["name"]));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Settings with a rule of every kind.
fn every_rule() -> ScrubSettings {
    let settings = json!({
        "scrubIPAddresses": true, "sensitiveFields": ["zebra"], "safeFields": ["ok"],
        "relayPiiConfig": {
            "vars": {"hashKey": "k"},
            "rules": {
                "digits": {"type": "pattern", "pattern": "[0-9]{3}", "redaction": {"method": "mask"}},
                "group": {"type": "pattern", "pattern": "id=(\\w+)", "replaceGroups": [1], "redaction": {"method": "hash"}},
                "pair": {"type": "redact_pair", "keyPattern": "line|name", "redaction": {"method": "replace", "text": "-"}},
                "both": {"type": "multiple", "rules": ["digits", "@email:hash"]}
            },
            "applications": {
                "$string": ["both", "group"], "tags.**": ["digits"], "$frame.vars.**": ["pair"],
                "$user": ["@common"], "extra.* && !extra.ok": ["@anything:hash"], "contexts.**": ["@anything:remove"]
            }
        }
    });
    serde_json::from_value(settings).unwrap()
}

#[test]
fn settings_with_a_rule_of_every_kind_have_no_fault() {
    assert_eq!(Scrubber::new(&every_rule()).1, []);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    /// A replay may meet what was scrubbed before; and what was taken out stays out.
    #[test]
    fn scrubbing_twice_is_scrubbing_once(event in mutated_event(), all: bool) {
        let settings = if all { every_rule() } else { ScrubSettings::default() };
        let once = scrubbed(&settings, read(event.to_string()));
        let twice = scrubbed(&settings, once.clone());
        prop_assert_eq!(first_difference("", &once, &twice), None);
    }

    /// Wherever the application puts a card, it is gone, and `_meta` does not keep it.
    #[test]
    fn a_card_is_found_wherever_content_is_free(before in "[a-z ]{0,12}", after in "[a-z ]{0,12}", way in "[a-f]{1,3}(/[a-f]{1,3}){0,4}") {
        let text = format!("{before} 4111 1111 1111 1111 {after}");
        let mut value = json!(text);
        for key in way.split('/') {
            value = json!({ key: [value] });
        }
        let event = read(json!({
            "extra": value, "request": {"data": value}, "contexts": {"own": {"x": value}},
            "breadcrumbs": [{"message": text, "data": {"x": value}}], "message": text,
            "exception": [{"type": "E", "stacktrace": {"frames": [{"function": "f", "vars": {"x": value}}]}}],
            "release": {"not a text": text}
        }).to_string());
        let found = scrubbed(&ScrubSettings::default(), event).to_string();
        prop_assert!(!found.contains("4111"), "{}", found);
    }

    #[test]
    fn rules_of_any_kind_are_read_or_refused(text in ".{0,60}", selector in "[$a-z*.!&|()' ]{0,30}") {
        let config = json!({
            "rules": {"0": {"type": "pattern", "pattern": text, "redaction": {"method": "mask"}}},
            "applications": {(selector.as_str()): ["0"]}
        });
        let settings = ScrubSettings { relay_pii_config: config.as_object().cloned(), ..ScrubSettings::default() };
        let (scrubber, _) = Scrubber::new(&settings);
        let mut event = Event(json!({"extra": {"a": text, "b": [text, 5]}, "user": {"id": text}}).as_object().cloned().unwrap());
        scrubber.scrub(&mut event);
    }
}

#[test]
fn attached_texts_are_touched_only_by_rules_that_name_attachments() {
    let scrubber = |applications: Value| {
        let rules = json!({"order": {"type": "pattern", "pattern": "ORD-[0-9]+", "redaction": {"method": "mask"}}});
        let settings = json!({"relayPiiConfig": {"rules": rules, "applications": applications}});
        let (scrubber, problems) = Scrubber::new(&serde_json::from_value(settings).unwrap());
        assert_eq!(problems, []);
        scrubber
    };
    let text = "line ORD-17\nof jane@example.com\n";
    for (applications, name, expected) in [
        (json!({"$attachments.'app.log'": ["order"]}), "app.log", Some("line ******\nof jane@example.com\n")),
        (json!({"$attachments.'app.log'": ["order"]}), "other.log", None),
        (json!({"$attachments.**": ["order", "@email"]}), "app.log", Some("line ******\nof [email]\n")),
        (json!({"$attachments.* && !$attachments.'app.log'": ["order"]}), "app.log", None),
        (
            json!({"$attachments.* && !$attachments.'app.log'": ["order"]}),
            "_meta",
            Some("line ******\nof jane@example.com\n"),
        ),
        (json!({"$attachments.$binary": ["@anything:remove"]}), "app.log", Some("")),
        (json!({"**": ["order"], "'app.log'": ["order"], "$string": ["order"]}), "app.log", None),
    ] {
        let scrubber = scrubber(applications.clone());
        let found = scrubber.scrub_attachment(name, text);
        assert_eq!(found.as_deref(), expected, "{applications} of {name}");
        assert_eq!(scrubber.scrubs_attachments(), applications.to_string().contains("$attachments"));
    }
    assert!(!Scrubber::new(&ScrubSettings::default()).0.scrubs_attachments());
}

#[test]
fn a_text_full_of_secrets_is_scrubbed_to_its_end_and_has_a_bounded_number_of_remarks() {
    let event = scrubbed(&ScrubSettings::default(), json!({"extra": {"a": "4111111111111111 ".repeat(1000)}}));
    assert_eq!(event["extra"]["a"], "[Filtered] ".repeat(1000));
    assert_eq!(event["_meta"]["extra"]["a"][""]["rem"].as_array().map(Vec::len), Some(100));
}

#[test]
fn an_event_full_of_secrets_has_a_bounded_number_of_remarks() {
    let text = "4111111111111111 ".repeat(100);
    let extra: Map<String, Value> = (0..200).map(|n| (format!("k{n}"), Value::from(text.as_str()))).collect();
    let event = scrubbed(&ScrubSettings::default(), json!({ "extra": extra }));
    assert!(!event.to_string().contains("4111"));
    let of_each = event["_meta"]["extra"].as_object().unwrap().values();
    let remarks: usize = of_each.filter_map(|notes| notes[""]["rem"].as_array()).map(Vec::len).sum();
    assert_eq!(remarks, 5000);
}

fn read_rules(rules: &Map<String, Value>, applications: &Value) -> (Scrubber, Vec<nuthatch_normalize::Problem>) {
    let config = json!({ "rules": rules, "applications": applications });
    Scrubber::new(&ScrubSettings { relay_pii_config: config.as_object().cloned(), ..ScrubSettings::nothing() })
}

#[test]
fn rules_that_name_rules_many_times_over_are_refused_soon() {
    let level = |n: usize| json!({"type": "multiple", "rules": vec![format!("r{}", n + 1); 8]});
    let mut rules: Map<String, Value> = (0..6).map(|n| (format!("r{n}"), level(n))).collect();
    rules.insert("r6".to_owned(), json!({"type": "multiple", "rules": []}));
    let (_, problems) = read_rules(&rules, &json!({"extra.**": ["r0"]}));
    assert!(problems.iter().any(|problem| problem.message.contains("20000 times")), "{problems:?}");
}

#[test]
fn rules_beyond_the_bound_are_told_and_not_used() {
    let rule = json!({"type": "anything"});
    let rules: Map<String, Value> = (0..101).map(|n| (format!("r{n:03}"), rule.clone())).collect();
    let (scrubber, problems) = read_rules(&rules, &json!({"extra.a": ["r099"], "extra.b": ["r100"]}));
    let places: Vec<_> = problems.iter().map(|problem| problem.place.as_str()).collect();
    assert_eq!(places, ["relayPiiConfig.rules", "relayPiiConfig.applications.extra.b.0"]);
    let event = scrubbed_by(&scrubber, json!({"extra": {"a": 1, "b": 1}}));
    assert_eq!(event["extra"], json!({"a": null, "b": 1}));
}

#[test]
fn of_many_faults_the_first_hundred_are_told() {
    let ids: Vec<_> = (0..1000).map(|n| format!("missing{n}")).collect();
    let (_, problems) = read_rules(&Map::new(), &json!({ "extra.**": ids }));
    assert_eq!(problems.len(), 100);
}
