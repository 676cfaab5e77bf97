//! How big, how quick to start and how lean the functions' binaries are.
//!
//!     cargo lambda build --release --output-format zip
//!     cargo run --release --bin bench-lambda
//!
//! Each binary runs against a Runtime API of this process's own: from its start to its
//! first poll, and then through invocations without jobs, so that what is measured is the
//! runtime's part alone; at the end stands its peak of resident memory. Then send-message
//! delivers a campaign to the simulator.
#![forbid(unsafe_code)]

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use axum::{
    Router,
    extract::State,
    http::StatusCode,
    response::IntoResponse,
    routing::{get, post},
};
use telecast_benches::lambda_load;
use tokio::{
    net::TcpListener,
    process::Command,
    sync::{Mutex, mpsc},
};

/// Starts of each binary; the median counts.
const STARTS: usize = 21;

/// Invocations of each handler, one after the other.
const INVOCATIONS: usize = 2_000;

/// What the functions need to start; nothing of it is used.
const ENVIRONMENT: [(&str, &str); 10] = [
    ("DATABASE_URL", "postgres://user:password@127.0.0.1:1/none"),
    (
        "JWT_SECRET",
        "1111111111111111111111111111111111111111111111111111111111111111",
    ),
    (
        "ENCRYPTION_KEY",
        "1111111111111111111111111111111111111111111111111111111111111111",
    ),
    ("AWS_LAMBDA_FUNCTION_NAME", "bench"),
    ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
    ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
    ("INVOKER", "lambda"),
    ("LAMBDA_ENDPOINT", "http://127.0.0.1:1"),
    ("RUST_LOG", "error"),
    ("LOG_FORMAT", "text"),
];

/// A Runtime API that tells of each poll, and answers it with what it is given.
struct RuntimeApi {
    polls: mpsc::UnboundedSender<Instant>,
    payloads: Mutex<mpsc::UnboundedReceiver<String>>,
}

async fn next(State(api): State<Arc<RuntimeApi>>) -> impl IntoResponse {
    let is_heard = api.polls.send(Instant::now()).is_ok();
    let payload = api.payloads.lock().await.recv().await;
    let status = match (is_heard, &payload) {
        (true, Some(_)) => StatusCode::OK,
        _ => StatusCode::GONE,
    };
    let headers = [
        (
            "lambda-runtime-aws-request-id",
            "00000000-0000-4000-8000-000000000000",
        ),
        ("lambda-runtime-deadline-ms", "9999999999999"),
        (
            "lambda-runtime-invoked-function-arn",
            "arn:aws:lambda:local:0:function:bench",
        ),
    ];
    (status, headers, payload.unwrap_or_default())
}

/// What one run of a binary showed.
struct Run {
    first_poll: Duration,
    /// Between polls, for handlers.
    invocation: Option<Duration>,
    peak_megabytes: f64,
}

async fn run(binary: &Path, queue: Option<&str>) -> Result<Run> {
    let (polls, mut polled) = mpsc::unbounded_channel();
    let (give, payloads) = mpsc::unbounded_channel();
    let api = RuntimeApi {
        polls,
        payloads: Mutex::new(payloads),
    };
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let router = Router::new()
        .route("/2018-06-01/runtime/invocation/next", get(next))
        .route(
            "/2018-06-01/runtime/invocation/{id}/response",
            post(async || StatusCode::ACCEPTED),
        )
        .with_state(Arc::new(api));
    let serving = tokio::spawn(async move { axum::serve(listener, router).await });
    let start = Instant::now();
    let mut child = Command::new(binary)
        .env_clear()
        .envs(ENVIRONMENT)
        .env("AWS_LAMBDA_RUNTIME_API", address.to_string())
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("could not start {}", binary.display()))?;
    let ended = || format!("{} ended before it polled", binary.display());
    let first = tokio::select! {
        first = polled.recv() => first,
        _ = child.wait() => None,
    };
    let first = first.with_context(ended)?;
    let mut invocation = None;
    if let Some(queue) = queue {
        for _ in 0..INVOCATIONS {
            give.send(format!(r#"{{"queue":"{queue}","jobs":[]}}"#))?;
            polled.recv().await.with_context(ended)?;
        }
        invocation = Some(first.elapsed() / u32::try_from(INVOCATIONS)?);
    }
    let id = child.id().with_context(ended)?;
    let peak_megabytes = lambda_load::peak(Path::new(&format!("/proc/{id}")))?;
    child.kill().await?;
    serving.abort();
    Ok(Run {
        first_poll: first - start,
        invocation,
        peak_megabytes,
    })
}

fn megabytes(file: &Path) -> Result<f64> {
    let size = fs::metadata(file)
        .with_context(|| format!("{} is missing; cargo lambda build makes it", file.display()))?;
    Ok(size.len() as f64 / 1_000_000.0)
}

#[tokio::main]
async fn main() -> Result<()> {
    let target =
        PathBuf::from(env::var("CARGO_TARGET_DIR").unwrap_or_else(|_| "target".to_owned()));
    println!(
        "{:<16} {:>8} {:>8} {:>12} {:>12} {:>8}",
        "function", "MB", "MB zip", "first poll", "invocation", "peak MB"
    );
    for (function, queue) in [
        ("api", None),
        ("scheduler", None),
        ("start-campaign", Some("start-campaign")),
        ("send-message", Some("send-message")),
    ] {
        let zip = target.join("lambda").join(function).join("bootstrap.zip");
        let binary = target.join(format!("{}-unknown-linux-gnu/release", env::consts::ARCH));
        let binary = binary.join(function);
        let mut starts = Vec::new();
        for _ in 0..STARTS {
            starts.push(run(&binary, None).await?.first_poll);
        }
        starts.sort_unstable();
        let warm = run(&binary, queue).await?;
        println!(
            "{function:<16} {:>8.2} {:>8.2} {:>9.2} ms {:>12} {:>8.1}",
            megabytes(&binary)?,
            megabytes(&zip)?,
            starts[STARTS / 2].as_secs_f64() * 1e3,
            warm.invocation.map_or_else(
                || "-".to_owned(),
                |each| format!("{:.0} µs", each.as_secs_f64() * 1e6)
            ),
            warm.peak_megabytes,
        );
    }
    let binary = target.join(format!("{}-unknown-linux-gnu/release", env::consts::ARCH));
    let load = lambda_load::load(&binary.join("send-message")).await?;
    println!(
        "send-message under load: {} messages at {:.0} a second, peak {:.1} MB",
        lambda_load::MESSAGES,
        load.rate,
        load.peak_megabytes
    );
    Ok(())
}
