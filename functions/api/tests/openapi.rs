//! The API's description of itself. tests/openapi/run holds the API to it from outside.
#![allow(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

mod common;

use std::collections::BTreeSet;

use axum::http::StatusCode;
use common::Api;
use serde_json::Value;
use telecast_api::{Access, document, table};

/// Every `$ref` in a document.
fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value.as_str() {
                    Some(target) if name == "$ref" => _ = found.insert(target.to_owned()),
                    _ => references(value, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[test]
fn every_route_is_described_and_nothing_else() {
    let document = document();
    let described: BTreeSet<String> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, methods)| {
            let methods = methods.as_object().unwrap().keys();
            methods.map(move |method| format!("{} {path}", method.to_uppercase()))
        })
        .collect();
    let routes: BTreeSet<String> = table()
        .iter()
        .map(|route| format!("{} {}", route.method, route.path))
        .collect();
    assert_eq!(described, routes);
}

#[test]
fn an_operation_tells_who_may_call_it_and_what_can_go_wrong() {
    let document = document();
    let mut ids = BTreeSet::new();
    for route in table() {
        let method = route.method.as_str().to_lowercase();
        let operation = &document["paths"][route.path][method.as_str()];
        let what = format!("{method} {}: {operation}", route.path);
        assert!(ids.insert(operation["operationId"].to_string()), "{what}");
        assert!(!operation["summary"].as_str().unwrap().is_empty(), "{what}");
        let responses = operation["responses"].as_object().unwrap();
        assert!(
            responses.keys().any(|status| status.starts_with('2')),
            "{what}"
        );
        let needs_login = route.access != Access::Anyone;
        assert_eq!(operation["security"].is_array(), needs_login, "{what}");
        if needs_login {
            assert!(responses.contains_key("401"), "{what}");
        }
        if matches!(route.access, Access::Operator | Access::Admin) {
            assert!(responses.contains_key("403"), "{what}");
        }
        if route.path.contains('{') {
            assert!(responses.contains_key("404"), "{what}");
        }
    }
}

#[test]
fn every_reference_leads_somewhere() {
    let document = document();
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    assert!(found.len() > 10);
    for target in found {
        let pointer = target.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{target}");
    }
}

#[tokio::test]
async fn it_is_served_to_anybody_as_json_and_as_a_page_without_scripts() {
    let api = Api::start().await;
    let json = api.call(axum::http::Method::GET, "/api/openapi.json", None, None);
    assert_eq!(json.await.ok(), document());
    let page = api
        .call(axum::http::Method::GET, "/api/docs", None, None)
        .await;
    assert_eq!(page.status, StatusCode::OK);
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"));
    let html = page.ok();
    let html = html.as_str().unwrap();
    assert!(!html.contains("<script") && !html.contains("style="));
    for route in table() {
        assert!(html.contains(route.path), "{}", route.path);
    }
}
