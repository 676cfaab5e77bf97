//! Arguments of JavaScript: some left out, some objects, numbers that may be anything.

use serde_json::{Map, Value};
use telecast_queue::JobOptions;
use uuid::Uuid;

use crate::fault::Fault;

/// An object argument; a key whose value is undefined is not there.
pub(crate) type Object = Map<String, Value>;

/// The arguments of a call.
pub(crate) struct Args<'a>(&'a [Value]);

fn is_undefined(value: &Value) -> bool {
    value.get("__undef").is_some()
}

impl<'a> Args<'a> {
    pub(crate) fn new(args: &'a [Value]) -> Self {
        Self(args)
    }

    pub(crate) fn get(&self, index: usize) -> Option<&'a Value> {
        self.0.get(index).filter(|value| !is_undefined(value))
    }

    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// An argument that is neither undefined nor null.
    pub(crate) fn some(&self, index: usize) -> Option<&'a Value> {
        self.get(index).filter(|value| !value.is_null())
    }

    pub(crate) fn text(&self, index: usize) -> Option<&'a str> {
        self.some(index)?.as_str()
    }

    pub(crate) fn object(&self, index: usize) -> Object {
        object(self.some(index))
    }
}

pub(crate) fn object(value: Option<&Value>) -> Object {
    let Some(Value::Object(object)) = value else {
        return Object::new();
    };
    let mut object = object.clone();
    object.retain(|_, value| !is_undefined(value));
    object
}

/// What JavaScript takes for false.
pub(crate) fn is_falsy(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => true,
        Some(Value::Bool(yes)) => !yes,
        Some(Value::Number(number)) => number.as_f64() == Some(0.0),
        Some(Value::String(text)) => text.is_empty(),
        Some(_) => false,
    }
}

/// A value as the client puts it into its statement: an object, or one around it.
pub(crate) fn output(value: Option<&Value>) -> Option<Value> {
    match value {
        None | Some(Value::Null) => None,
        Some(object @ Value::Object(_)) => Some(object.clone()),
        Some(other) => Some(serde_json::json!({ "value": other })),
    }
}

pub(crate) fn uuid(value: &Value) -> Result<Uuid, Fault> {
    let text = value.as_str().unwrap_or_default();
    text.parse()
        .map_err(|_| Fault::new(format!("invalid input syntax for type uuid: \"{text}\"")))
}

/// Options that passed the checks, as the library takes them.
pub(crate) fn job_options(options: &Object) -> Result<JobOptions, Fault> {
    if let Some(id) = options.get("id").filter(|id| !id.is_null()) {
        uuid(id)?;
    }
    serde_json::from_value(Value::Object(options.clone()))
        .map_err(|error| Fault::new(error.to_string()))
}
