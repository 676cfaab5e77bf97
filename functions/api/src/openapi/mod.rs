//! The API's own description: OpenAPI 3.1, from the table of routes and the types of their
//! handlers, and a page that shows it.

mod operation;
mod page;
pub(crate) mod problems;

use std::{collections::BTreeMap, sync::LazyLock};

use axum::Json;
use serde_json::{Map, Value, json};

use operation::Schemas;
pub(crate) use operation::{Described, Input, Operation, Output};
pub(crate) use page::show;
use problems::{
    FORBIDDEN, INTERNAL, Problem, TIMEOUT, TOO_MANY_REQUESTS, UNAUTHENTICATED, UNAVAILABLE,
};

use crate::{Access, Route, table};

/// GET /api/openapi.json
pub(crate) async fn json() -> Json<&'static Value> {
    static DOCUMENT: LazyLock<Value> = LazyLock::new(document);
    Json(&DOCUMENT)
}

/// The whole description, made on demand: a cold start has no time for it.
pub fn document() -> Value {
    let mut schemas = Schemas::new();
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for route in table() {
        let method = route.method.as_str().to_ascii_lowercase();
        let operation = describe(&route, &mut schemas);
        paths
            .entry(route.path)
            .or_default()
            .insert(method, operation);
    }
    let mut definitions = schemas.definitions();
    definitions.insert("Error".to_owned(), error_schema());
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Telecast",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Telegram campaigns: one message, many channels, at a chosen rate.",
        },
        "paths": paths,
        "components": {
            "schemas": definitions,
            "securitySchemes": {"bearer": {
                "type": "http",
                "scheme": "bearer",
                "description": "The `token` of POST /api/auth/login, or a service token.",
            }},
        },
    })
}

fn describe(route: &Route, schemas: &mut Schemas) -> Value {
    let mut operation = Operation::new(schemas);
    (route.describe)(&mut operation);
    let mut problems = operation.problems;
    problems.extend(route.problems);
    if route.access != Access::Anyone {
        problems.extend([UNAUTHENTICATED, TOO_MANY_REQUESTS]);
    }
    if matches!(route.access, Access::Operator | Access::Admin) {
        problems.push(FORBIDDEN);
    }
    problems.extend([INTERNAL, UNAVAILABLE, TIMEOUT]);
    let mut responses = refusals(&problems);
    if let Some((status, content)) = operation.success {
        let mut response = json!({"description": "Done."});
        if !content.is_null() {
            response["content"] = content;
        }
        responses.insert(status.to_owned(), response);
    }
    let mut described = json!({
        "operationId": route.name.replace("::", "_"),
        "tags": [route.tag()],
        "summary": route.summary,
        "responses": responses,
    });
    if let Some(role) = route.access.least_role() {
        described["description"] = format!("For role {role} and above.").into();
        described["security"] = json!([{"bearer": []}]);
    }
    if !operation.parameters.is_empty() {
        described["parameters"] = operation.parameters.into();
    }
    if let Some(body) = operation.request_body {
        described["requestBody"] = body;
    }
    described
}

/// The problems of an operation by status: which codes there are, and when each comes.
fn refusals(problems: &[Problem]) -> Map<String, Value> {
    let mut by_status: BTreeMap<u16, Vec<Problem>> = BTreeMap::new();
    for problem in problems {
        let listed = by_status.entry(problem.status.as_u16()).or_default();
        if !listed.contains(problem) {
            listed.push(*problem);
        }
    }
    by_status
        .into_iter()
        .map(|(status, problems)| (status.to_string(), refusal(&problems)))
        .collect()
}

fn refusal(problems: &[Problem]) -> Value {
    let lines: Vec<String> = problems
        .iter()
        .map(|problem| format!("`{}`: {}", problem.code, problem.about))
        .collect();
    let codes: Vec<&str> = problems.iter().map(|problem| problem.code).collect();
    let schema = json!({"allOf": [
        {"$ref": "#/components/schemas/Error"},
        {"properties": {"error": {"properties": {"code": {"enum": codes}}}}},
    ]});
    json!({
        "description": lines.join("\n\n"),
        "content": {"application/json": {"schema": schema}},
    })
}

fn error_schema() -> Value {
    json!({
        "type": "object",
        "description": "What every request that fails is told.",
        "required": ["error"],
        "additionalProperties": false,
        "properties": {"error": {
            "type": "object",
            "required": ["code", "message", "details"],
            "additionalProperties": false,
            "properties": {
                "code": {"type": "string", "description": "Stable, for programs."},
                "message": {"type": "string", "description": "For people: what is wrong and what to do."},
                "details": {"type": "object", "description": "`field`: which field of the request is wrong."},
            },
        }},
    })
}
