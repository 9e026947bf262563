//! The description of the API is committed, because the web client is generated from it.

#[test]
fn the_committed_description_is_the_one_the_routes_give() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
    let mut described = nuthatch_api::openapi().to_pretty_json().unwrap();
    described.push('\n');
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        std::fs::write(path, &described).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        committed == described,
        "crates/api/openapi.json is not what the routes give; run UPDATE_OPENAPI=1 cargo test -p nuthatch-api"
    );
}

#[test]
fn every_operation_has_a_name_of_its_own() {
    let api = serde_json::to_value(nuthatch_api::openapi()).unwrap();
    let paths = api["paths"].as_object().unwrap();
    let operations = paths.values().flat_map(|path| path.as_object().unwrap().values());
    let mut names: Vec<&str> = operations.map(|operation| operation["operationId"].as_str().unwrap()).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
}
