//! The description as a page to read.

use askama::Template;
use axum::{
    http::{HeaderName, header::CONTENT_SECURITY_POLICY},
    response::Html,
};
use serde_json::{Map, Value};

use super::document;
use crate::{ApiError, console::assets};

/// Its own stylesheet, and nothing else.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; \
     form-action 'none'; frame-ancestors 'none'";

#[derive(Template)]
#[template(path = "api.html")]
struct Page {
    style: String,
    version: String,
    parts: Vec<Part>,
    schemas: Vec<Schema>,
}

/// What belongs together.
struct Part {
    name: String,
    operations: Vec<Shown>,
}

/// An operation.
struct Shown {
    id: String,
    method: String,
    path: String,
    summary: String,
    who: String,
    parameters: Vec<Parameter>,
    body: String,
    answers: Vec<Answer>,
}

struct Parameter {
    name: String,
    place: String,
    about: String,
    schema: String,
}

struct Answer {
    status: String,
    about: String,
    schema: String,
}

/// A schema that answers refer to.
struct Schema {
    name: String,
    text: String,
}

/// GET /api/docs
pub(crate) async fn show() -> Result<([(HeaderName, &'static str); 1], Html<String>), ApiError> {
    let document = document();
    let page = Page {
        style: assets::STYLE.path(),
        version: text(&document["info"], "version"),
        parts: parts(&document),
        schemas: fields(&document["components"]["schemas"])
            .map(|(name, schema)| Schema {
                name: name.clone(),
                text: pretty(schema),
            })
            .collect(),
    };
    let html = page.render().map_err(|error| ApiError::internal(&error))?;
    Ok(([(CONTENT_SECURITY_POLICY, POLICY)], Html(html)))
}

/// Operations by tag, in the order of the table of routes.
fn parts(document: &Value) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    for (path, methods) in fields(&document["paths"]) {
        for (method, operation) in fields(methods) {
            let shown = shown(path, method, operation);
            let name = operation["tags"][0].as_str().unwrap_or_default();
            match parts.iter_mut().find(|part| part.name == name) {
                Some(part) => part.operations.push(shown),
                None => parts.push(Part {
                    name: name.to_owned(),
                    operations: vec![shown],
                }),
            }
        }
    }
    parts
}

fn shown(path: &str, method: &str, operation: &Value) -> Shown {
    let parameters = operation["parameters"].as_array();
    Shown {
        id: text(operation, "operationId"),
        method: method.to_ascii_uppercase(),
        path: path.to_owned(),
        summary: text(operation, "summary"),
        who: text(operation, "description"),
        parameters: parameters
            .into_iter()
            .flatten()
            .map(|parameter| Parameter {
                name: text(parameter, "name"),
                place: text(parameter, "in"),
                about: text(parameter, "description"),
                schema: parameter["schema"].to_string(),
            })
            .collect(),
        body: content(&operation["requestBody"]),
        answers: fields(&operation["responses"])
            .map(|(status, answer)| Answer {
                status: status.clone(),
                about: text(answer, "description"),
                schema: match status.starts_with('2') {
                    true => content(answer),
                    false => String::new(),
                },
            })
            .collect(),
    }
}

/// The schema of the first type of content, or the types where it is a file.
fn content(holder: &Value) -> String {
    let mut types = fields(&holder["content"]);
    match types.next() {
        Some((name, content)) if name == "application/json" => pretty(&content["schema"]),
        Some((name, _)) => types.fold(name.clone(), |all, (name, _)| format!("{all}, {name}")),
        None => String::new(),
    }
}

fn pretty(value: &Value) -> String {
    format!("{value:#}")
}

fn text(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap_or_default().to_owned()
}

fn fields(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}
