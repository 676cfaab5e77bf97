//! A call that makes the scheduler look at once: the API's, when a campaign starts.

use std::time::Duration;

use reqwest::Url;
use serde_json::json;

use super::{
    Invoked,
    http::SetupError,
    lambda_api::{LambdaApi, Settings},
    post::{Poster, UrlAuth},
};
use crate::config::Variables;

/// The scheduler's function, behind the prefix.
const NAME: &str = "scheduler";

/// A call is for the asking: over a URL the answer comes after a whole tick, and nobody
/// waits for that.
const TIMEOUT: Duration = Duration::from_secs(1);

/// A way to call the scheduler.
#[derive(Debug, Clone)]
pub struct SchedulerCall(Way);

#[derive(Debug, Clone)]
enum Way {
    Lambda(LambdaApi),
    Url { poster: Poster, url: Url },
}

impl SchedulerCall {
    /// By SCHEDULER_URL; else, where INVOKER is lambda, by the Invoke API; else none: a
    /// scheduler that runs all the time looks every second.
    ///
    /// # Errors
    /// [`SetupError`].
    pub fn from_variables(variables: Variables<'_>) -> Result<Option<Self>, SetupError> {
        if let Some(url) = variables.optional("SCHEDULER_URL")? {
            let poster = Poster::new(UrlAuth::from_variables(variables)?, TIMEOUT)?;
            return Ok(Some(Self(Way::Url { poster, url })));
        }
        if variables.text("INVOKER").as_deref() != Some("lambda") {
            return Ok(None);
        }
        let settings = Settings {
            timeout: TIMEOUT,
            ..Settings::from_variables(variables)?
        };
        Ok(Some(Self(Way::Lambda(LambdaApi::new(settings)?))))
    }

    /// Calls it.
    ///
    /// # Errors
    /// Why it was certainly not reached. That need not be bad: one that runs already
    /// refuses a second run.
    pub async fn call(&self) -> Result<(), String> {
        let invoked = match &self.0 {
            Way::Lambda(api) => api.call(NAME, &json!({})).await,
            Way::Url { poster, url } => poster.post(url, &json!({})).await,
        };
        match invoked {
            Invoked::NotStarted { reason } => Err(reason),
            Invoked::Accepted | Invoked::Answered(_) | Invoked::Unknown { .. } => Ok(()),
        }
    }
}
