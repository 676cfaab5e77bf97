//! The queue as a server: `POST /rpc` with `{"schema", "method", "args"}`, where the
//! methods, arguments and answers are those of pg-boss 12's class. A pg-boss client's
//! own behaviour tests can be pointed at it, and any language can use it. Two methods
//! are its own: `__drop` forgets a schema, `__cron` runs a pass of the schedules.
//!
//! ```sh
//! cargo run --release --example rpc -- --database-url postgres://localhost/app --listen 127.0.0.1:8099
//! ```
#![forbid(unsafe_code)]

mod attorney;
mod fault;
mod jobs;
mod options;
mod queues;
mod schedules;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use clap::Parser;
use deadpool_postgres::{Client, Manager, Pool};
use serde::Deserialize;
use serde_json::{Value, json};
use telecast_queue::Queue;
use tokio::sync::Mutex;
use tokio_postgres::NoTls;

use fault::Fault;
use options::Args;

#[derive(Parser)]
struct Options {
    /// The database, whose schemas are made as they are asked for.
    #[arg(long)]
    database_url: String,
    /// Where to listen.
    #[arg(long)]
    listen: SocketAddr,
}

#[derive(Deserialize)]
struct Call {
    #[serde(default = "pgboss")]
    schema: String,
    method: String,
    #[serde(default)]
    args: Vec<Value>,
}

fn pgboss() -> String {
    "pgboss".to_owned()
}

struct Server {
    pool: Pool,
    /// The schemas known to exist.
    queues: Mutex<HashMap<String, Queue>>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let manager = Manager::new(options.database_url.parse()?, NoTls);
    let server = Server {
        pool: Pool::builder(manager).max_size(20).build()?,
        queues: Mutex::default(),
    };
    let app = Router::new()
        .route("/rpc", post(rpc))
        .with_state(Arc::new(server));
    let listener = tokio::net::TcpListener::bind(options.listen).await?;
    axum::serve(listener, app).await?;
    Ok(())
}

async fn rpc(State(server): State<Arc<Server>>, Json(call): Json<Call>) -> Json<Value> {
    Json(match server.answer(&call).await {
        Ok(result) => json!({ "result": result }),
        Err(fault) => json!({ "error": fault }),
    })
}

impl Server {
    async fn answer(&self, call: &Call) -> Result<Value, Fault> {
        if call.method == "__drop" {
            self.queues.lock().await.remove(&call.schema);
            return Ok(Value::Null);
        }
        let client = self
            .pool
            .get()
            .await
            .map_err(|error| Fault::new(error.to_string()))?;
        let args = Args::new(&call.args);
        let queue = self.queue(&client, &call.schema).await?;
        match dispatch(&queue, &client, &call.method, &args).await {
            // Its schema was dropped behind our back: once more on a new one.
            Err(fault) if fault.is_missing_table() => {
                self.queues.lock().await.remove(&call.schema);
                let queue = self.queue(&client, &call.schema).await?;
                dispatch(&queue, &client, &call.method, &args).await
            }
            answer => answer,
        }
    }

    async fn queue(&self, client: &Client, schema: &str) -> Result<Queue, Fault> {
        let mut queues = self.queues.lock().await;
        if let Some(queue) = queues.get(schema) {
            return Ok(queue.clone());
        }
        let queue = Queue::in_schema(schema)?;
        queue.install(&***client).await?;
        queues.insert(schema.to_owned(), queue.clone());
        Ok(queue)
    }
}

async fn dispatch(
    queue: &Queue,
    client: &Client,
    method: &str,
    args: &Args<'_>,
) -> Result<Value, Fault> {
    let client: &tokio_postgres::Client = client;
    match method {
        "send" => jobs::send(queue, client, args).await,
        "insert" => jobs::insert(queue, client, args).await,
        "fetch" => jobs::fetch(queue, client, args).await,
        "complete" | "fail" | "cancel" | "resume" | "retry" | "deleteJob" | "touch" => {
            jobs::settle(queue, client, method, args).await
        }
        "redrive" => jobs::redrive(queue, client, args).await,
        "update" | "upsert" => jobs::update(queue, client, method, args).await,
        "flow" => jobs::flow(queue, client, args).await,
        "getJobById" => jobs::get_by_id(queue, client, args).await,
        "findJobs" => jobs::find(queue, client, args).await,
        "getDependencies" | "getDependents" => {
            jobs::dependencies(queue, client, method, args).await
        }
        "createQueue" => queues::create(queue, client, args).await,
        "updateQueue" => queues::update(queue, client, args).await,
        "deleteQueue" => queues::delete(queue, client, args).await,
        "getQueue" => queues::get(queue, client, args).await,
        "getQueues" => queues::get_all(queue, client, args).await,
        "getQueueStats" => queues::stats(queue, client, args).await,
        "getBlockedKeys" => queues::blocked_keys(queue, client, args).await,
        "deleteQueuedJobs" | "deleteStoredJobs" | "deleteAllJobs" => {
            queues::empty(queue, client, method, args).await
        }
        "subscribe" | "unsubscribe" => schedules::subscription(queue, client, method, args).await,
        "publish" => schedules::publish(queue, client, args).await,
        "schedule" => schedules::schedule(queue, client, args).await,
        "unschedule" => schedules::unschedule(queue, client, args).await,
        "getSchedules" => schedules::get(queue, client, args).await,
        "__cron" => schedules::cron(queue, client, args).await,
        "supervise" => schedules::supervise(queue, client, args).await,
        _ => Err(Fault::new(format!("no method {method}"))),
    }
}
