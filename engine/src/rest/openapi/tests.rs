use std::collections::BTreeSet;

use super::{build, resources};
use serde_json::Value as Json;

/// The routes of a router as its Debug form tells them: `GET /path`. There is no other way to ask for them; if that form
/// changes, nothing is found and the test says so.
fn routes(debug: &str) -> BTreeSet<String> {
    let mut methods = std::collections::HashMap::new();
    for part in debug.split("RouteId(").skip(1) {
        let Some((id, rest)) = part.split_once(')') else {
            continue;
        };
        // The first mention is the route itself, with the methods that it allows.
        if let Some(allowed) = rest
            .split("allow_header: Bytes(b\"")
            .nth(1)
            .and_then(|rest| rest.split('"').next())
        {
            methods.entry(id.to_owned()).or_insert_with(|| allowed.to_owned());
        }
    }
    let paths = debug.split("paths: {").nth(1).unwrap_or_default();
    let mut routes = BTreeSet::new();
    for part in paths.split("RouteId(").skip(1) {
        let Some((id, rest)) = part.split_once(')') else {
            continue;
        };
        let path = rest.split('"').nth(1).unwrap_or_default();
        if path.is_empty() {
            continue;
        }
        for method in methods.get(id).map(String::as_str).unwrap_or_default().split(',') {
            if !matches!(method, "HEAD" | "") {
                routes.insert(format!("{method} {path}"));
            }
        }
    }
    routes
}

#[test]
fn every_route_is_described_and_nothing_else() {
    let router = crate::rest::router::resources();
    let routes = routes(&format!("{router:?}"));
    assert!(
        routes.len() > 150,
        "only {} routes were found: has axum's Debug changed?",
        routes.len()
    );
    let document = build::document(&resources::all());
    let mut described = BTreeSet::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for method in operations.as_object().unwrap().keys() {
            described.insert(format!("{} {path}", method.to_ascii_uppercase()));
        }
    }
    let missing: Vec<_> = routes.difference(&described).collect();
    let extra: Vec<_> = described.difference(&routes).collect();
    assert!(
        missing.is_empty() && extra.is_empty(),
        "not described: {missing:#?}\ndescribed, but no route: {extra:#?}"
    );
}

#[test]
fn every_schema_that_is_named_is_there_and_every_operation_has_a_name_of_its_own() {
    let document = build::document(&resources::all());
    let mut refs = Vec::new();
    collect(&document, &mut refs);
    for name in refs {
        let name = name.strip_prefix("#/components/schemas/").unwrap();
        assert!(
            document["components"]["schemas"].get(name).is_some(),
            "no schema '{name}'"
        );
    }
    let mut seen = BTreeSet::new();
    for operations in document["paths"].as_object().unwrap().values() {
        for operation in operations.as_object().unwrap().values() {
            let id = operation["operationId"].as_str().unwrap();
            assert!(seen.insert(id.to_owned()), "{id} is twice");
        }
    }
}

/// The routes of the book's table that are served, and all others.
fn rows(book: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut served, mut others) = (BTreeSet::new(), BTreeSet::new());
    for row in book.lines().filter(|line| line.starts_with("| `/")) {
        let mut cells = row.trim_matches('|').split('|').map(str::trim);
        let (path, methods, how) = (cells.next().unwrap(), cells.next().unwrap(), cells.next().unwrap());
        for method in methods.split(' ') {
            let route = format!("{method} {}", path.trim_matches('`'));
            let known = ["served", "read-only", "ours", "later"].contains(&how)
                || how.starts_with("never: ")
                || how.starts_with("refused: ");
            assert!(known, "'{how}' of {route} is not explained");
            let list = if how == "later" || how.starts_with("never: ") {
                &mut others
            } else {
                &mut served
            };
            assert!(list.insert(route.clone()), "{route} is twice");
        }
    }
    (served, others)
}

#[test]
fn the_book_has_every_route_and_says_of_none_that_it_is_not_served() {
    let (served, others) = rows(include_str!("../../../../docs/endpoints.md"));
    let document = build::document(&resources::all());
    let mut described = BTreeSet::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for method in operations.as_object().unwrap().keys() {
            described.insert(format!("{} {path}", method.to_ascii_uppercase()));
        }
    }
    let missing: Vec<_> = described.difference(&served).collect();
    let extra: Vec<_> = served.difference(&described).collect();
    let denied: Vec<_> = others.intersection(&described).collect();
    assert!(
        missing.is_empty() && extra.is_empty() && denied.is_empty(),
        "not in docs/endpoints.md: {missing:#?}\nnot served: {extra:#?}\nserved, but the book denies it: {denied:#?}"
    );
}

fn collect<'j>(json: &'j Json, refs: &mut Vec<&'j str>) {
    match json {
        Json::Object(map) => {
            refs.extend(map.get("$ref").and_then(Json::as_str));
            map.values().for_each(|value| collect(value, refs));
        }
        Json::Array(list) => list.iter().for_each(|value| collect(value, refs)),
        _ => {}
    }
}
