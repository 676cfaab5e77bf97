//! Handlers behind URLs, such as Lambda's function URLs.

use std::{collections::HashMap, str::FromStr, time::Duration};

use async_trait::async_trait;
use reqwest::Url;

use super::{
    Invoked, Invoker,
    http::SetupError,
    post::{Poster, UrlAuth},
};
use crate::{config::Variables, handler::Invocation};

/// For an answer; longer than any handler may take.
const TIMEOUT: Duration = Duration::from_secs(120);

/// The URL of each queue's handler. As text: `send-message=https://…,start-campaign=https://…`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HandlerUrls(HashMap<String, Url>);

/// A text that is no list of handlers' URLs.
#[derive(Debug, thiserror::Error)]
#[error(
    "has an entry that is no queue=URL: {0}; an example is send-message=https://abc.lambda-url.eu-central-1.on.aws/"
)]
pub struct BadHandlerUrl(String);

impl FromStr for HandlerUrls {
    type Err = BadHandlerUrl;

    fn from_str(text: &str) -> Result<Self, BadHandlerUrl> {
        let bad = |entry: &str| BadHandlerUrl(entry.to_owned());
        text.split(',')
            .map(str::trim)
            .filter(|entry| !entry.is_empty())
            .map(|entry| {
                let (queue, url) = entry.split_once('=').ok_or_else(|| bad(entry))?;
                let url: Url = url.trim().parse().map_err(|_| bad(entry))?;
                let usable = matches!(url.scheme(), "http" | "https") && !queue.trim().is_empty();
                usable
                    .then(|| (queue.trim().to_owned(), url))
                    .ok_or_else(|| bad(entry))
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

/// Posts invocations to URLs.
#[derive(Debug, Clone)]
pub struct HandlerUrl {
    poster: Poster,
    urls: HandlerUrls,
}

impl HandlerUrl {
    /// Posts to these URLs.
    ///
    /// # Errors
    /// [`SetupError`].
    pub fn new(urls: HandlerUrls, auth: UrlAuth) -> Result<Self, SetupError> {
        let poster = Poster::new(auth, TIMEOUT)?;
        Ok(Self { poster, urls })
    }

    /// With HANDLER_URLS, and what opens them.
    ///
    /// # Errors
    /// [`SetupError`].
    pub fn from_variables(variables: Variables<'_>) -> Result<Self, SetupError> {
        let urls = variables.required(
            "HANDLER_URLS",
            "set it to each queue's handler, such as send-message=https://…,start-campaign=https://…",
        )?;
        Self::new(urls, UrlAuth::from_variables(variables)?)
    }
}

#[async_trait]
impl Invoker for HandlerUrl {
    async fn invoke(&self, invocation: Invocation) -> Invoked {
        let Some(url) = self.urls.0.get(&invocation.queue) else {
            return Invoked::NotStarted {
                reason: format!("HANDLER_URLS names no handler for {}", invocation.queue),
            };
        };
        self.poster.post(url, &invocation).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read_by_queue() {
        let urls: HandlerUrls = "a=https://x.example/, b=http://127.0.0.1:9000/lambda-url/b/?c=d"
            .parse()
            .unwrap();
        assert_eq!(urls.0["a"].as_str(), "https://x.example/");
        assert_eq!(urls.0["b"].query(), Some("c=d"));
    }

    #[test]
    fn what_is_no_url_is_named() {
        for bad in ["a", "a=x", "=https://x.example", "a=ftp://x.example"] {
            let error = bad.parse::<HandlerUrls>().unwrap_err().to_string();
            assert!(error.contains(bad), "{error}");
        }
    }
}
