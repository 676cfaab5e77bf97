//! A handler as a Lambda function.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use lambda_runtime::{Context, Error, LambdaEvent, service_fn};
use tracing::Instrument;

use crate::handler::{Deadline, Handler, Invocation, InvocationResponse};

/// Kept free at the end, so that the answer still leaves in time.
const MARGIN: Duration = Duration::from_secs(1);

/// Longer than any Lambda may run: cargo lambda's emulator tells a constant that is
/// no time at all, and a clock may be wrong.
const IMPLAUSIBLE: Duration = Duration::from_secs(16 * 60);

/// Serves invocations until the environment ends. `timeout` stands in for a deadline
/// that the environment does not tell.
///
/// # Errors
/// Where the Lambda runtime API cannot be reached.
pub async fn run(handler: impl Handler, timeout: Duration) -> Result<(), Error> {
    let handler = Arc::new(handler);
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Invocation>| {
        let handler = Arc::clone(&handler);
        async move { answer(handler.as_ref(), event, timeout).await }
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
    event: LambdaEvent<Invocation>,
    timeout: Duration,
) -> Result<InvocationResponse, Error> {
    let LambdaEvent { payload, context } = event;
    let deadline = deadline(&context, timeout);
    let span = tracing::info_span!(
        "invocation",
        request_id = %context.request_id,
        queue = %payload.queue,
        jobs = payload.jobs.len(),
    );
    handler.handle(payload, deadline).instrument(span).await
}
