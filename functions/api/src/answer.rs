//! Answers other than plain JSON: what was made, and files of any length.

use std::marker::PhantomData;

use axum::{
    Json,
    body::Body,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use futures_util::{Stream, stream};
use serde::Serialize;
use telecast_core::page::{Page, Pagination};

use crate::ApiError;

/// 201, with what was made.
pub(crate) struct Created<T>(pub(crate) T);

impl<T: Serialize> IntoResponse for Created<T> {
    fn into_response(self) -> Response {
        (StatusCode::CREATED, Json(self.0)).into_response()
    }
}

/// A file of a kind, written page by page.
pub(crate) struct File<K> {
    response: Response,
    kind: PhantomData<K>,
}

impl<K> File<K> {
    /// A file: its parts as they come. An error in the middle breaks the answer off, so
    /// that nobody takes a part for the whole.
    pub(crate) fn new(
        content_type: &'static str,
        parts: impl Stream<Item = Result<String, ApiError>> + Send + 'static,
    ) -> Self {
        let body = Body::from_stream(parts);
        Self {
            response: ([(CONTENT_TYPE, content_type)], body).into_response(),
            kind: PhantomData,
        }
    }
}

impl<K> IntoResponse for File<K> {
    fn into_response(self) -> Response {
        self.response
    }
}

/// One part of a file that is known already.
pub(crate) fn part(text: String) -> impl Stream<Item = Result<String, ApiError>> + Send {
    stream::iter([Ok(text)])
}

/// Reads a list to its end, each page when the one before was taken; no connection
/// is held while the caller reads. `read` gives a page's rows and where it ends.
pub(crate) fn pages<F: Future<Output = Result<(String, Pagination), ApiError>> + Send>(
    read: impl Fn(Page) -> F + Send,
) -> impl Stream<Item = Result<String, ApiError>> + Send {
    let first = Page::parse(Some(Page::MAX_LIMIT), None).map(Some);
    stream::try_unfold(first, move |page| {
        let read = page.map(|page| page.map(&read));
        async move {
            let Some(read) = read? else { return Ok(None) };
            let (text, pagination) = read.await?;
            let next = pagination
                .next_cursor
                .map(|cursor| Page::parse(Some(Page::MAX_LIMIT), Some(&cursor)))
                .transpose();
            Ok(Some((text, next)))
        }
    })
}
