//! A handler as a Lambda function.

mod event;

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use lambda_runtime::{Context, Error, LambdaEvent, service_fn};
use tracing::Instrument;

use self::event::{Answer, Event};
use crate::{
    handler::{Deadline, Handler},
    secret::Secret,
};

/// Kept free at the end, so that the answer still leaves in time.
const MARGIN: Duration = Duration::from_secs(1);

/// Longer than any Lambda may run: cargo lambda's emulator tells a constant that is
/// no time at all, and a clock may be wrong.
const IMPLAUSIBLE: Duration = Duration::from_secs(16 * 60);

/// Serves invocations until the environment ends. `timeout` stands in for a deadline
/// that the environment does not tell. A function URL is open to IAM only.
///
/// # Errors
/// Where the Lambda runtime API cannot be reached.
pub async fn run(handler: impl Handler, timeout: Duration) -> Result<(), Error> {
    run_behind_url(handler, timeout, None).await
}

/// The same, with the function's URL open to those too who send `secret` as a bearer.
///
/// # Errors
/// Where the Lambda runtime API cannot be reached.
pub async fn run_behind_url(
    handler: impl Handler,
    timeout: Duration,
    secret: Option<Secret>,
) -> Result<(), Error> {
    let shared = Arc::new((handler, secret));
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Event>| {
        let shared = Arc::clone(&shared);
        async move { answer(&shared.0, event, timeout, shared.1.as_ref()).await }
    }))
    .await
}

/// When an invocation must be done, with a margin; `timeout` stands in for a deadline
/// that is not told.
pub fn deadline(context: &Context, timeout: Duration) -> Deadline {
    let left = context
        .deadline()
        .duration_since(SystemTime::now())
        .ok()
        .filter(|left| *left < IMPLAUSIBLE)
        .unwrap_or(timeout);
    Deadline::after(left.saturating_sub(MARGIN))
}

async fn answer(
    handler: &impl Handler,
    event: LambdaEvent<Event>,
    timeout: Duration,
    secret: Option<&Secret>,
) -> Result<Answer, Error> {
    let LambdaEvent { payload, context } = event;
    let deadline = deadline(&context, timeout);
    let (way, invocation) = match payload.authorize(secret) {
        Ok(invocation) => invocation,
        Err(refusal) => {
            tracing::warn!(request_id = %context.request_id, %refusal, "an invocation was refused");
            return Ok(refusal.into());
        }
    };
    let span = tracing::info_span!(
        "invocation",
        request_id = %context.request_id,
        queue = %invocation.queue,
        jobs = invocation.jobs.len(),
    );
    let response = handler
        .handle(invocation, deadline)
        .instrument(span)
        .await?;
    Ok(Answer::new(way, response)?)
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    fn left(ends: SystemTime) -> Duration {
        let mut context = Context::default();
        context.deadline = ends.duration_since(UNIX_EPOCH).unwrap().as_millis() as u64;
        deadline(&context, Duration::from_secs(45)).remaining()
    }

    #[test]
    fn a_deadline_that_cannot_be_is_not_believed() {
        let now = SystemTime::now();
        let told = left(now + Duration::from_secs(20));
        assert!(told > Duration::from_secs(15) && told <= Duration::from_secs(19));
        // What cargo lambda's emulator tells: 600000 ms after 1970.
        for wrong in [
            UNIX_EPOCH + Duration::from_secs(600),
            now + Duration::from_secs(3600),
        ] {
            let left = left(wrong);
            assert!(left > Duration::from_secs(40) && left <= Duration::from_secs(44));
        }
    }
}
