//! The stylesheet and the module, from the binary, under names that change with them.

use std::sync::LazyLock;

use axum::{
    extract::Path,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use sha2::{Digest, Sha256};

/// A file that is part of the binary.
pub(crate) struct Asset {
    name: String,
    content_type: &'static str,
    content: &'static str,
}

/// The stylesheet.
pub(crate) static STYLE: LazyLock<Asset> = LazyLock::new(|| {
    let content = include_str!("../../assets/console.css");
    Asset::new("console", "css", "text/css; charset=utf-8", content)
});

/// The module of the live parts.
pub(super) static MODULE: LazyLock<Asset> = LazyLock::new(|| {
    let content = include_str!("../../assets/console.js");
    Asset::new("console", "js", "text/javascript; charset=utf-8", content)
});

impl Asset {
    fn new(stem: &str, extension: &str, content_type: &'static str, content: &'static str) -> Self {
        let hash = hex::encode(&Sha256::digest(content)[..8]);
        Self {
            name: format!("{stem}-{hash}.{extension}"),
            content_type,
            content,
        }
    }

    /// Where it is.
    pub(crate) fn path(&self) -> String {
        format!("/console/assets/{}", self.name)
    }
}

/// GET /console/assets/{name}: kept by browsers for as long as they like.
pub(super) async fn serve(Path(name): Path<String>) -> Response {
    let found = [&*STYLE, &*MODULE]
        .into_iter()
        .find(|asset| asset.name == name);
    match found {
        Some(asset) => (
            [
                (header::CONTENT_TYPE, asset.content_type),
                (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
            ],
            asset.content,
        )
            .into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
