//! A handler, or the scheduler, as a Lambda function.

pub mod event;

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use lambda_runtime::{Context, Error, LambdaEvent, service_fn};
use serde::{Serialize, de::IgnoredAny};
use tracing::Instrument;

use self::event::{Answer, Event, Refusal};
pub use crate::handler::Deadline;
use crate::{
    config::{ConfigError, Variables},
    handler::{Handler, Invocation, InvocationResponse},
    secret::Secret,
};

/// Connections of one process at most, however many invocations it is given at once.
const MOST_CONNECTIONS: usize = 8;

/// Kept free at the end, so that the answer still leaves in time.
const MARGIN: Duration = Duration::from_secs(1);

/// Longer than any Lambda may run: cargo lambda's emulator tells a constant that is
/// no time at all, and a clock may be wrong.
const IMPLAUSIBLE: Duration = Duration::from_secs(16 * 60);

/// Invocations that one process is given at once: AWS_LAMBDA_MAX_CONCURRENCY, which Lambda
/// sets on its managed instances, else one. A pool of as many connections serves them.
///
/// # Errors
/// [`ConfigError::Malformed`].
pub fn concurrency(variables: Variables<'_>) -> Result<usize, ConfigError> {
    let concurrency: Option<usize> = variables.optional("AWS_LAMBDA_MAX_CONCURRENCY")?;
    Ok(concurrency.unwrap_or(1).clamp(1, MOST_CONNECTIONS))
}

/// Serves a handler's invocations until the environment ends, as many at once as Lambda
/// gives. `timeout` stands in for a deadline that the environment does not tell. The
/// function's URL is open to IAM, and to those who send `secret` as a bearer.
///
/// # Errors
/// Where the Lambda runtime API cannot be reached.
pub async fn run(
    handler: impl Handler,
    timeout: Duration,
    secret: Option<Secret>,
) -> Result<(), Error> {
    let shared = Arc::new((handler, secret));
    lambda_runtime::run_concurrent(service_fn(move |event: LambdaEvent<Event<Invocation>>| {
        let shared = Arc::clone(&shared);
        async move { answer(&shared.0, event, timeout, shared.1.as_ref()).await }
    }))
    .await
}

/// Serves ticks, which are the same whatever the event holds, until the environment ends.
/// `timeout` and `secret` are as for [`run`].
///
/// # Errors
/// Where the Lambda runtime API cannot be reached.
pub async fn run_ticks<R: Serialize>(
    tick: impl AsyncFn(Deadline) -> R,
    timeout: Duration,
    secret: Option<Secret>,
) -> Result<(), Error> {
    let (tick, secret) = (&tick, secret.as_ref());
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Event<IgnoredAny>>| {
        let LambdaEvent { payload, context } = event;
        let way = match payload.authorize(secret) {
            Ok((way, _)) => way,
            Err(refusal) => return Ok(refuse(refusal, &context)),
        };
        let span = tracing::info_span!("tick", request_id = %context.request_id);
        let done = tick(deadline(&context, timeout)).instrument(span).await;
        Ok::<_, Error>(Answer::new(way, done)?)
    }))
    .await
}

fn refuse<R>(refusal: Refusal, context: &Context) -> Answer<R> {
    tracing::warn!(request_id = %context.request_id, %refusal, "an invocation was refused");
    refusal.into()
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
    event: LambdaEvent<Event<Invocation>>,
    timeout: Duration,
    secret: Option<&Secret>,
) -> Result<Answer<InvocationResponse>, Error> {
    let LambdaEvent { payload, context } = event;
    let deadline = deadline(&context, timeout);
    let (way, invocation) = match payload.authorize(secret) {
        Ok(invocation) => invocation,
        Err(refusal) => return Ok(refuse(refusal, &context)),
    };
    let span = tracing::info_span!(
        "invocation",
        request_id = %context.request_id,
        queue = %invocation.queue,
        jobs = invocation.jobs.len(),
    );
    async {
        let response = handler.handle(invocation, deadline).await?;
        let failed = response.batch_item_failures.len();
        let left = deadline.remaining().as_secs();
        tracing::info!(failed, seconds_left = left, "handled");
        Ok(Answer::new(way, response)?)
    }
    .instrument(span)
    .await
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
