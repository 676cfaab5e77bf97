//! How a handler is reached.

mod http;
mod in_process;
pub mod lambda_api;
mod post;
mod scheduler;
mod sign;
pub mod url;

use std::sync::Arc;

use async_trait::async_trait;

pub use http::SetupError;
pub use in_process::InProcess;
pub use post::UrlAuth;
pub use scheduler::SchedulerCall;
pub use sign::Signer;

use crate::{
    config::{ConfigError, Variables},
    handler::{Invocation, InvocationResponse},
};

/// What became of an invocation, as far as its caller can know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Invoked {
    /// The handler ran, and said which queue jobs failed.
    Answered(InvocationResponse),
    /// The handler will run; nobody will say how it went.
    Accepted,
    /// The handler certainly did not run: its queue jobs can go back, uncharged.
    NotStarted {
        /// Why not.
        reason: String,
    },
    /// The handler may have run; expiry decides about its queue jobs.
    Unknown {
        /// What happened.
        reason: String,
    },
}

/// A way to reach handlers.
#[async_trait]
pub trait Invoker: Send + Sync + 'static {
    /// Invokes the handler of the invocation's queue.
    async fn invoke(&self, invocation: Invocation) -> Invoked;
}

/// The invoker of handlers elsewhere that INVOKER names: lambda, which is the default,
/// or url.
///
/// # Errors
/// [`SetupError`].
pub fn from_variables(variables: Variables<'_>) -> Result<Arc<dyn Invoker>, SetupError> {
    match variables.text("INVOKER").as_deref() {
        None | Some("lambda") => {
            let settings = lambda_api::Settings::from_variables(variables)?;
            Ok(Arc::new(lambda_api::LambdaApi::new(settings)?))
        }
        Some("url") => Ok(Arc::new(url::HandlerUrl::from_variables(variables)?)),
        Some(other) => Err(SetupError::Config(ConfigError::Malformed {
            name: "INVOKER",
            problem: format!("is {other:?}; for handlers elsewhere it must be lambda or url"),
        })),
    }
}
