//! The Invoke API, and what becomes of an invocation.

use std::{
    io,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use axum::{
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use uuid::Uuid;

use crate::{
    function::{End, Invocation, Running},
    instance::{Instance, Work},
    server::Shared,
};

/// POST /2015-03-31/functions/{function}/invocations
pub(crate) async fn invocations(
    State(shared): State<Arc<Shared>>,
    Path(function): Path<String>,
    headers: HeaderMap,
    payload: String,
) -> Response {
    let Some(function) = shared.function(&function) else {
        return (StatusCode::NOT_FOUND, "ResourceNotFoundException").into_response();
    };
    let is_event = headers
        .get("x-amz-invocation-type")
        .is_some_and(|kind| kind == "Event");
    if is_event {
        for delay in function.set_up.deliveries.clone() {
            let (shared, function, payload) = (shared.clone(), function.clone(), payload.clone());
            tokio::spawn(async move {
                tokio::time::sleep(delay).await;
                if let Err(error) = in_turn(&shared, &function, payload).await {
                    tracing::error!(%error, "a process could not be started");
                }
            });
        }
        return StatusCode::ACCEPTED.into_response();
    }
    match at_once(shared, function, payload).await {
        None => (StatusCode::TOO_MANY_REQUESTS, "TooManyRequestsException").into_response(),
        Some(Ok(End::Answered(body))) => body.into_response(),
        Some(Ok(end)) => {
            let error = [("x-amz-function-error", "Unhandled")];
            (error, format!("{{\"errorMessage\":\"{end:?}\"}}")).into_response()
        }
        Some(Err(_)) => StatusCode::BAD_GATEWAY.into_response(),
    }
}

/// Runs an invocation whose caller waits; none beyond the function's concurrency.
pub(crate) async fn at_once(
    shared: Arc<Shared>,
    function: Arc<Running>,
    payload: String,
) -> Option<io::Result<End>> {
    let permit = Arc::clone(&function.permits).try_acquire_owned().ok()?;
    // As on AWS, a caller that hangs up ends nothing.
    let run = async move { run(&shared, &function, payload, permit).await };
    let done = tokio::spawn(run).await;
    Some(done.map_err(io::Error::other).and_then(|end| end))
}

/// Waits for a process to be free, and runs an invocation on it.
pub(crate) async fn in_turn(
    shared: &Shared,
    function: &Running,
    payload: String,
) -> io::Result<End> {
    let permit = Arc::clone(&function.permits).acquire_owned().await;
    run(shared, function, payload, permit.map_err(io::Error::other)?).await
}

async fn run(
    shared: &Shared,
    function: &Running,
    payload: String,
    _permit: OwnedSemaphorePermit,
) -> io::Result<End> {
    let mut instance = match function.take_idle() {
        Some(instance) => instance,
        None => start(shared, function)?,
    };
    let request_id = Uuid::new_v4().to_string();
    let timeout = function.set_up.timeout;
    let deadline = SystemTime::now().duration_since(UNIX_EPOCH);
    let work = Work {
        request_id: request_id.clone(),
        deadline: (deadline.map_err(io::Error::other)? + timeout).as_millis(),
        payload: payload.clone(),
    };
    let ended = shared.expect(&request_id);
    instance
        .work
        .send(work)
        .await
        .map_err(|_| io::ErrorKind::BrokenPipe)?;
    let end = tokio::select! {
        biased;
        end = ended => end.map_err(io::Error::other)?,
        status = instance.child.wait() => End::Exited(status?.code()),
        () = tokio::time::sleep(timeout) => End::TimedOut,
    };
    shared.forget(&request_id);
    match &end {
        End::Answered(_) | End::Failed(_) => function.put_back(instance),
        End::TimedOut => instance.child.kill().await?,
        End::Exited(_) => {}
    }
    shared.record(Invocation {
        function: function.set_up.name,
        payload,
        end: end.clone(),
    });
    Ok(end)
}

fn start(shared: &Shared, function: &Running) -> io::Result<Instance> {
    let name = function.set_up.name;
    let process = format!("{name}/{}", function.next_number());
    let runtime_api = format!("http://{}/.rt/{process}", shared.address);
    let command = (function.set_up.command)();
    let (work, taken) = mpsc::channel(1);
    // Before it lives: its first poll may come at any time after that.
    shared.add_process(process, taken);
    Instance::start(command, name, runtime_api, work)
}
