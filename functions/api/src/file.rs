//! Answers that are files of any length, written page by page.

use axum::{
    body::Body,
    http::header::CONTENT_TYPE,
    response::{IntoResponse, Response},
};
use futures_util::{Stream, StreamExt, stream};
use telecast_core::page::{Page, Pagination};

use crate::ApiError;

/// A file: its header, then its rows as they come. An error in the middle breaks the
/// answer off, so that nobody takes a part for the whole.
pub(crate) fn file(
    content_type: &'static str,
    header: String,
    rows: impl Stream<Item = Result<String, ApiError>> + Send + 'static,
) -> Response {
    let header = stream::iter([Ok(header)]);
    let body = Body::from_stream(header.chain(rows));
    ([(CONTENT_TYPE, content_type)], body).into_response()
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
