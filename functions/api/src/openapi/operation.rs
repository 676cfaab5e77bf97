//! What a handler's own types tell of it: the types of its arguments say what it takes,
//! its return type what it answers.

use axum::{
    Json,
    extract::State,
    response::{Html, NoContent},
};
use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use super::problems::{INVALID, NOT_FOUND, Problem, TOO_LARGE, UNSUPPORTED_MEDIA_TYPE};
use crate::{
    ApiError, App,
    access::Caller,
    answer::{Created, File},
    client_ip::ClientIp,
    extract::{self, Id, Name, Query},
};

/// Schemas of answers, which refer to each other, and of what is sent, each in its place:
/// a type that goes both ways has a schema for either.
pub(crate) struct Schemas {
    sent: SchemaGenerator,
    answered: SchemaGenerator,
}

impl Schemas {
    pub(super) fn new() -> Self {
        let sent = SchemaSettings::draft2020_12().for_deserialize();
        let answered = SchemaSettings::draft2020_12().for_serialize();
        Self {
            sent: sent
                .with(|settings| settings.inline_subschemas = true)
                .into_generator(),
            answered: answered
                .with(|settings| settings.definitions_path = "/components/schemas".into())
                .into_generator(),
        }
    }

    /// The schemas that answers refer to, by name.
    pub(super) fn definitions(mut self) -> Map<String, Value> {
        self.answered.take_definitions(true)
    }
}

/// An operation, as its handler's types describe it.
pub(crate) struct Operation<'s> {
    schemas: &'s mut Schemas,
    pub(super) parameters: Vec<Value>,
    pub(super) request_body: Option<Value>,
    pub(super) success: Option<(&'static str, Value)>,
    pub(super) problems: Vec<Problem>,
}

impl<'s> Operation<'s> {
    pub(super) fn new(schemas: &'s mut Schemas) -> Self {
        Self {
            schemas,
            parameters: Vec::new(),
            request_body: None,
            success: None,
            problems: Vec::new(),
        }
    }

    fn takes<T: JsonSchema>(&mut self) {
        let schema = self.schemas.sent.subschema_for::<T>();
        self.request_body = Some(json!({
            "required": true,
            "content": {"application/json": {"schema": schema}},
        }));
        self.problems
            .extend([INVALID, TOO_LARGE, UNSUPPORTED_MEDIA_TYPE]);
    }

    /// The body is a file of one of these types.
    pub(crate) fn takes_file(&mut self, content_types: &[&str]) {
        self.request_body = Some(json!({"required": true, "content": texts(content_types)}));
        self.problems.extend([INVALID, UNSUPPORTED_MEDIA_TYPE]);
    }

    fn takes_from_path(&mut self, name: &str, schema: Value) {
        self.parameters
            .push(json!({"in": "path", "name": name, "required": true, "schema": schema}));
        self.problems.extend([INVALID, NOT_FOUND]);
    }

    /// Each property of `T` is a parameter of the query.
    fn takes_query<T: JsonSchema>(&mut self) {
        let schema = self.schemas.sent.subschema_for::<T>();
        let required = schema.get("required").and_then(Value::as_array);
        let properties = schema.get("properties").and_then(Value::as_object);
        for (name, schema) in properties.into_iter().flatten() {
            let mut parameter = json!({
                "in": "query",
                "name": name,
                "required": required.is_some_and(|all| all.iter().any(|one| one == name)),
                "schema": without_null(schema),
            });
            if let Some(about) = schema.get("description") {
                parameter["description"] = about.clone();
            }
            self.parameters.push(parameter);
        }
        self.problems.push(INVALID);
    }

    /// The answer is JSON like this.
    pub(crate) fn answers<T: JsonSchema>(&mut self, status: &'static str) {
        let schema = self.schemas.answered.subschema_for::<T>();
        let content = json!({"application/json": {"schema": schema}});
        self.success = Some((status, content));
    }

    /// The answer is a text of one of these types.
    pub(crate) fn answers_text(&mut self, content_types: &[&str]) {
        self.success = Some(("200", texts(content_types)));
    }
}

fn texts(content_types: &[&str]) -> Value {
    content_types
        .iter()
        .map(|name| ((*name).to_owned(), json!({"schema": {"type": "string"}})))
        .collect::<Map<_, _>>()
        .into()
}

/// A parameter of a query is there or not; there is no null in a query.
fn without_null(schema: &Value) -> Value {
    let mut schema = schema.clone();
    if let Some(types) = schema.get_mut("type").and_then(Value::as_array_mut) {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            schema["type"] = only.clone();
        }
    }
    if let Some(values) = schema.get_mut("enum").and_then(Value::as_array_mut) {
        values.retain(|value| !value.is_null());
    }
    if let Some([one, null]) = schema
        .get("anyOf")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        && null["type"] == "null"
    {
        return one.clone();
    }
    schema
}

/// An argument of a handler.
pub(crate) trait Input {
    /// Tells what it takes from the request, and what can be wrong with that.
    fn describe(operation: &mut Operation<'_>);
}

impl Input for State<App> {
    fn describe(_: &mut Operation<'_>) {}
}

impl Input for ClientIp {
    fn describe(_: &mut Operation<'_>) {}
}

impl Input for Caller {
    fn describe(_: &mut Operation<'_>) {}
}

impl Input for Id {
    fn describe(operation: &mut Operation<'_>) {
        operation.takes_from_path("id", json!({"type": "string", "format": "uuid"}));
    }
}

impl Input for Name {
    fn describe(operation: &mut Operation<'_>) {
        operation.takes_from_path("name", json!({"type": "string", "minLength": 1}));
    }
}

impl<T: JsonSchema> Input for Query<T> {
    fn describe(operation: &mut Operation<'_>) {
        operation.takes_query::<T>();
    }
}

impl<T: JsonSchema> Input for extract::Json<T> {
    fn describe(operation: &mut Operation<'_>) {
        operation.takes::<T>();
    }
}

/// What a handler answers when it succeeds.
pub(crate) trait Output {
    /// Tells its status and its body.
    fn describe(operation: &mut Operation<'_>);
}

impl<T: Output> Output for Result<T, ApiError> {
    fn describe(operation: &mut Operation<'_>) {
        T::describe(operation);
    }
}

impl<T: JsonSchema> Output for Json<T> {
    fn describe(operation: &mut Operation<'_>) {
        operation.answers::<T>("200");
    }
}

impl Output for Html<String> {
    fn describe(operation: &mut Operation<'_>) {
        operation.answers_text(&["text/html"]);
    }
}

/// An answer with headers of its own.
impl<H, T: Output> Output for (H, T) {
    fn describe(operation: &mut Operation<'_>) {
        T::describe(operation);
    }
}

impl<T: JsonSchema> Output for Created<T> {
    fn describe(operation: &mut Operation<'_>) {
        operation.answers::<T>("201");
    }
}

impl Output for NoContent {
    fn describe(operation: &mut Operation<'_>) {
        operation.success = Some(("204", Value::Null));
    }
}

impl<K: Output> Output for File<K> {
    fn describe(operation: &mut Operation<'_>) {
        K::describe(operation);
    }
}

/// A handler that its types describe.
pub(crate) trait Described<Inputs> {
    /// Tells all of it.
    fn describe(operation: &mut Operation<'_>);
}

macro_rules! described {
    ($($input:ident)*) => {
        impl<F, R, $($input),*> Described<($($input,)*)> for F
        where
            F: Fn($($input),*) -> R,
            R: Future,
            R::Output: Output,
            $($input: Input,)*
        {
            fn describe(operation: &mut Operation<'_>) {
                $($input::describe(operation);)*
                R::Output::describe(operation);
            }
        }
    };
}

described!();
described!(A);
described!(A B);
described!(A B C);
described!(A B C D);
