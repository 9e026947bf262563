//! What user agents and client hints say.

use nuthatch_normalize::user_agent::{ClientHints, Product, UserAgent};
use serde_json::{Value, json};

/// Each case: an agent, hints, and what is known from them.
#[test]
fn every_agent_is_understood_as_written() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("user_agents.json")).unwrap();
    let in_words = |product: Option<Product>| match product {
        Some(Product { name, version: Some(version) }) => json!(format!("{name} {version}")),
        Some(Product { name, version: None }) => json!(name),
        None => Value::Null,
    };
    let mut failures = Vec::new();
    for case in &cases {
        let text = |key: &str| case[key].as_str();
        let hints = ClientHints {
            brands: text("brands"),
            platform: text("platform"),
            platform_version: text("platform_version"),
            model: text("model"),
        };
        let found = UserAgent::read(text("agent"), &hints);
        let device = found.device.map(|device| json!([device.family, device.model, device.brand]));
        for (what, found) in
            [("browser", in_words(found.browser)), ("os", in_words(found.os)), ("device", json!(device))]
        {
            if found != case[what] {
                failures.push(format!("{case}: {what} is {found}"));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn an_agent_of_any_length_is_read() {
    let long = "é".repeat(100_000);
    assert_eq!(UserAgent::read(Some(&long), &ClientHints::default()), UserAgent::default());
}
