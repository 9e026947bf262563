//! Every scenario of `tests/scenarios`, on the in-memory and on the embedded store.

use std::{fs, path::Path};

use nuthatch::scenario::Scenario;
use nuthatch_store::memory::MemoryMeta;
use nuthatch_store_embedded::meta::{EmbeddedMeta, MetaOptions};
use serde_json::Value;

const DIR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/scenarios");

/// What must be the same, in a form that can be compared: lists whose order is free are sorted, values that are not to
/// be compared are left out, names of new issues are by project and hashes.
fn comparable(mut result: Value, expected: &Value) -> Value {
    let mut names = Vec::new();
    for issue in result["issues"].as_array().into_iter().flatten() {
        let name = issue["ref"].as_str().unwrap_or_default().to_owned();
        let is_new = name.starts_with("new-");
        names.push((name.clone(), if is_new { format!("{}:{}", issue["project_id"], issue["hashes"]) } else { name }));
    }
    let rename = |value: &mut Value| {
        let known = names.iter().find(|(name, _)| value.as_str() == Some(name));
        if let Some((_, name)) = known {
            *value = name.clone().into();
        }
    };
    for issue in result["issues"].as_array_mut().into_iter().flatten() {
        rename(&mut issue["ref"]);
    }
    for list in ["eventstream", "activities"] {
        for entry in result[list].as_array_mut().into_iter().flatten() {
            rename(&mut entry["group"]);
        }
        // Order matters per issue only.
        if let Some(entries) = result[list].as_array_mut() {
            entries.sort_by_key(|entry| entry["group"].to_string());
        }
    }
    if let Some(issues) = result["issues"].as_array_mut() {
        issues.sort_by_key(|issue| issue["ref"].to_string());
    }
    if let Some(dropped) = result["dropped"].as_object_mut() {
        dropped.retain(|_, count| *count != 0);
    }
    leave_out(&mut result, expected);
    result
}

/// A priority that is not recorded is not compared; data of an activity may have more keys.
fn leave_out(result: &mut Value, expected: &Value) {
    let (issues, wanted) = (result["issues"].as_array_mut(), expected["issues"].as_array());
    for (issue, wanted) in issues.into_iter().flatten().zip(wanted.into_iter().flatten()) {
        let (periods, wanted) = (issue["open_periods"].as_array_mut(), wanted["open_periods"].as_array());
        for (period, wanted) in periods.into_iter().flatten().zip(wanted.into_iter().flatten()) {
            if wanted["highest_seen_priority"].is_null() {
                period["highest_seen_priority"] = Value::Null;
            }
        }
    }
    let (activities, wanted) = (result["activities"].as_array_mut(), expected["activities"].as_array());
    for (activity, wanted) in activities.into_iter().flatten().zip(wanted.into_iter().flatten()) {
        if let (Some(data), Some(wanted)) = (activity["data"].as_object_mut(), wanted["data"].as_object()) {
            data.retain(|key, _| wanted.contains_key(key));
        }
    }
}

/// Where reasons are named otherwise only their total is compared.
fn total(dropped: &Value) -> u64 {
    dropped.as_object().into_iter().flatten().filter_map(|(_, count)| count.as_u64()).sum()
}

fn judge(name: &str, file: &Value, result: Value) -> Result<(), String> {
    let better = file.get("better");
    let wanted = better.unwrap_or(&file["expect"]);
    let mut wanted = comparable(wanted.clone(), &Value::Null);
    let mut result = comparable(result, &wanted);
    if better.is_some() {
        for side in [&mut wanted, &mut result] {
            side["dropped"] = total(&side["dropped"]).into();
        }
    }
    if wanted == result {
        return Ok(());
    }
    let differing = wanted.as_object().into_iter().flatten().filter(|(key, value)| result[key.as_str()] != **value);
    let lines =
        differing.map(|(key, value)| format!("  {key}\n    wanted {value}\n    got    {}", result[key.as_str()]));
    Err(format!("{name}\n{}", lines.collect::<Vec<_>>().join("\n")))
}

#[tokio::test]
async fn every_scenario_ends_as_it_should() {
    let dir = std::env::var("SCENARIOS").unwrap_or_else(|_| DIR.to_owned());
    let mut files: Vec<_> = fs::read_dir(Path::new(&dir)).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    assert!(!files.is_empty());
    let mut failures = Vec::new();
    for path in files {
        let bytes = fs::read(&path).unwrap();
        let file: Value = serde_json::from_slice(&bytes).unwrap();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();

        let scenario = Scenario::read(&bytes).unwrap_or_else(|error| panic!("{name}: {error:#}"));
        let memory = MemoryMeta::new();
        memory.seed(scenario.setup.seed());
        let result = scenario.run(&memory).await.unwrap_or_else(|error| panic!("{name}: {error:#}"));
        failures.extend(judge(&name, &file, result.clone()).err());

        let scenario = Scenario::read(&bytes).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let embedded = EmbeddedMeta::open(&dir.path().join("meta.db"), MetaOptions::default()).unwrap();
        embedded.seed(scenario.setup.seed()).await.unwrap_or_else(|error| panic!("{name}: {error:#}"));
        let on_disk = scenario.run(&embedded).await.unwrap_or_else(|error| panic!("{name}: {error:#}"));
        assert_eq!(on_disk, result, "{name}: the stores differ");
    }
    assert!(failures.is_empty(), "{} scenarios fail:\n{}", failures.len(), failures.join("\n"));
}
