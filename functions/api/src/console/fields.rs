//! The fields of a form, on their way into the types of the API.

use std::collections::HashMap;

use axum::{
    Form, RequestExt,
    extract::{FromRequest, Request},
};
use chrono::{DateTime, NaiveDateTime, Utc};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use subtle::ConstantTimeEq;

use super::{frame::Frame, session::foreign_form};
use crate::ApiError;

/// The fields of a form that came from one of our pages. An empty field is an absent one.
pub(super) struct Fields(HashMap<String, String>);

impl Fields {
    /// A field, without the white space around it.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        let value = self.0.get(name)?.trim();
        (!value.is_empty()).then_some(value)
    }

    /// A field as it was written.
    pub(super) fn verbatim(&self, name: &str) -> String {
        // Browsers send line ends as CR LF.
        self.0
            .get(name)
            .map(|text| text.replace("\r\n", "\n"))
            .unwrap_or_default()
    }

    /// Whether a box is ticked, or a button was pressed.
    pub(super) fn has(&self, name: &str) -> bool {
        self.text(name).is_some()
    }

    pub(super) fn number(&self, name: &str) -> Result<Option<i64>, ApiError> {
        let parse = |text: &str| {
            let digits: String = text.chars().filter(|c| !c.is_whitespace()).collect();
            digits
                .parse()
                .map_err(|_| ApiError::invalid(name, "must be a whole number"))
        };
        self.text(name).map(parse).transpose()
    }

    /// A time of a `datetime-local` field, in UTC.
    pub(super) fn time(&self, name: &str) -> Result<Option<DateTime<Utc>>, ApiError> {
        let parse = |text: &str| {
            ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]
                .iter()
                .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
                .map(|time| time.and_utc())
                .ok_or_else(|| ApiError::invalid(name, "must be a date and a time"))
        };
        self.text(name).map(parse).transpose()
    }

    /// The text fields of these names, as JSON.
    pub(super) fn object(&self, names: &[&str]) -> Map<String, Value> {
        let field = |name: &&str| Some(((*name).to_owned(), Value::from(self.text(name)?)));
        names.iter().filter_map(field).collect()
    }
}

/// JSON as the API takes it, into the type the API takes: the rules are the same.
pub(super) fn typed<T: DeserializeOwned>(object: Map<String, Value>) -> Result<T, ApiError> {
    serde_path_to_error::deserialize(Value::Object(object))
        .map_err(|error| ApiError::invalid(&error.path().to_string(), error.inner().to_string()))
}

/// Whether a form's token is that of the frame.
pub(super) fn is_ours(frame: &Frame, token: &str) -> bool {
    !frame.csrf.is_empty() && bool::from(frame.csrf.as_bytes().ct_eq(token.as_bytes()))
}

impl<S: Send + Sync> FromRequest<S> for Fields {
    type Rejection = ApiError;

    async fn from_request(mut request: Request, _: &S) -> Result<Self, ApiError> {
        let frame = request.extract_parts::<Frame>().await?;
        let Form(fields) = request
            .extract::<Form<HashMap<String, String>>, _>()
            .await
            .map_err(|error| ApiError::invalid("form", error.body_text()))?;
        let token = fields.get("csrf").map(String::as_str).unwrap_or_default();
        // Who is not signed in has no token; the origin was checked.
        if frame.user.is_some() && !is_ours(&frame, token) {
            return Err(foreign_form());
        }
        Ok(Self(fields))
    }
}
