//! What handlers take from a request; whatever is wrong with it is said in the API's own form.

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Path, Request, rejection::BytesRejection},
    http::{StatusCode, header::CONTENT_TYPE, request::Parts},
};
use schemars::JsonSchema;
use serde::{Deserialize, de::DeserializeOwned};
use telecast_core::page::Page;
use uuid::Uuid;

use crate::ApiError;
use crate::openapi::problems::{TOO_LARGE, UNSUPPORTED_MEDIA_TYPE};

/// A JSON body. Unknown fields are refused by the types themselves.
pub(crate) struct Json<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let content_type = request
            .headers()
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        if !media_type(content_type).eq_ignore_ascii_case("application/json") {
            return Err(ApiError::new(
                UNSUPPORTED_MEDIA_TYPE,
                "send the body as Content-Type: application/json",
            ));
        }
        let bytes = Bytes::from_request(request, state).await.map_err(body)?;
        let mut deserializer = serde_json::Deserializer::from_slice(&bytes);
        let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
            let path = error.path().to_string();
            let field = if path == "." { "body" } else { path.as_str() };
            ApiError::invalid(field, error.inner().to_string())
        })?;
        deserializer
            .end()
            .map_err(|error| ApiError::invalid("body", error.to_string()))?;
        Ok(Self(value))
    }
}

/// A Content-Type without its parameters.
pub(crate) fn media_type(content_type: &str) -> &str {
    content_type.split(';').next().unwrap_or_default().trim()
}

fn body(rejection: BytesRejection) -> ApiError {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        ApiError::new(TOO_LARGE, "the body is larger than this route takes")
    } else {
        ApiError::invalid("body", "could not be read")
    }
}

/// Query parameters. Unknown ones are refused by the types themselves.
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        axum::extract::Query::try_from_uri(&parts.uri)
            .map(|axum::extract::Query(value)| Self(value))
            .map_err(|error| ApiError::invalid("query", error.body_text()))
    }
}

/// The id in the path.
pub(crate) struct Id(pub(crate) Uuid);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Path(text) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|error| ApiError::invalid("id", error.body_text()))?;
        match Uuid::try_parse(&text) {
            Ok(id) => Ok(Self(id)),
            Err(_) => Err(ApiError::invalid("id", "must be a UUID")),
        }
    }
}

/// The name in the path.
pub(crate) struct Name(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for Name {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Path(name) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|error| ApiError::invalid("name", error.body_text()))?;
        Ok(Self(name))
    }
}

/// `limit` and `cursor`, for lists without a filter.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PageQuery {
    #[schemars(range(min = 1, max = 200))]
    limit: Option<u16>,
    cursor: Option<String>,
}

impl PageQuery {
    pub(crate) fn page(&self) -> Result<Page, ApiError> {
        page(self.limit, self.cursor.as_deref())
    }
}

/// The page of a list that also has a filter: `flatten` would defeat the refusal of
/// unknown parameters.
pub(crate) fn page(limit: Option<u16>, cursor: Option<&str>) -> Result<Page, ApiError> {
    Ok(Page::parse(limit, cursor)?)
}
