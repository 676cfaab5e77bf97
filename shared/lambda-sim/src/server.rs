//! The server, and what tests ask of it.

use std::{
    collections::HashMap,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Router,
    routing::{get, post},
};
use tokio::{
    net::TcpListener,
    sync::{mpsc, oneshot, watch},
    task::JoinHandle,
};

use crate::{
    function::{End, Function, Invocation, Running},
    instance::Work,
    invoke, runtime, url,
};

/// Where a process's work comes out; the poll that waits holds it.
pub(crate) type WorkOf = Arc<tokio::sync::Mutex<mpsc::Receiver<Work>>>;

/// What requests share.
pub(crate) struct Shared {
    pub(crate) address: SocketAddr,
    functions: Mutex<HashMap<String, Arc<Running>>>,
    /// Work by `<function>/<number of the process>`.
    work: Mutex<HashMap<String, WorkOf>>,
    /// Who waits for the end of a request.
    pending: Mutex<HashMap<String, oneshot::Sender<End>>>,
    done: watch::Sender<Vec<Invocation>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub(crate) fn function(&self, name: &str) -> Option<Arc<Running>> {
        lock(&self.functions).get(name).cloned()
    }

    pub(crate) fn work_of(&self, process: &str) -> Option<WorkOf> {
        lock(&self.work).get(process).cloned()
    }

    pub(crate) fn add_process(&self, process: String, work: mpsc::Receiver<Work>) {
        let work = Arc::new(tokio::sync::Mutex::new(work));
        lock(&self.work).insert(process, work);
    }

    pub(crate) fn expect(&self, request_id: &str) -> oneshot::Receiver<End> {
        let (sender, receiver) = oneshot::channel();
        lock(&self.pending).insert(request_id.to_owned(), sender);
        receiver
    }

    /// Whether anybody waited for the end of this request.
    pub(crate) fn end(&self, request_id: &str, end: End) -> bool {
        let waiting = lock(&self.pending).remove(request_id);
        waiting.is_some_and(|waiting| waiting.send(end).is_ok())
    }

    pub(crate) fn forget(&self, request_id: &str) {
        lock(&self.pending).remove(request_id);
    }

    pub(crate) fn record(&self, invocation: Invocation) {
        self.done.send_modify(|done| done.push(invocation));
    }
}

/// Lambda. Its processes end when it is dropped.
pub struct LambdaSim {
    shared: Arc<Shared>,
    task: JoinHandle<io::Result<()>>,
}

impl LambdaSim {
    /// Starts it on a free port of the loopback address.
    ///
    /// # Errors
    /// Where there is none.
    pub async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let shared = Arc::new(Shared {
            address: listener.local_addr()?,
            functions: Mutex::default(),
            work: Mutex::default(),
            pending: Mutex::default(),
            done: watch::Sender::default(),
        });
        let invocation = "/.rt/{function}/{process}/2018-06-01/runtime/invocation";
        let router = Router::new()
            .route(&format!("{invocation}/next"), get(runtime::next))
            .route(
                &format!("{invocation}/{{request_id}}/response"),
                post(runtime::response),
            )
            .route(
                &format!("{invocation}/{{request_id}}/error"),
                post(runtime::error),
            )
            .route(
                "/2015-03-31/functions/{function}/invocations",
                post(invoke::invocations),
            )
            .route("/lambda-url/{function}", post(url::post))
            .with_state(Arc::clone(&shared));
        let task = tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { shared, task })
    }

    /// The Invoke API's base.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.shared.address)
    }

    /// Sets a function up. Its processes start when they are needed.
    pub fn add(&self, function: Function) {
        let name = function.name.to_owned();
        lock(&self.shared.functions).insert(name, Arc::new(Running::new(function)));
    }

    /// Invokes a function and waits for its turn and its end, as Lambda itself does with
    /// an Event from a schedule.
    ///
    /// # Errors
    /// Where there is no such function, or its process cannot be started.
    pub async fn invoke(&self, function: &str, payload: &str) -> io::Result<End> {
        let function = self.shared.function(function);
        let function = function.ok_or(io::ErrorKind::NotFound)?;
        invoke::in_turn(&self.shared, &function, payload.to_owned()).await
    }

    /// The invocations that ended, in the order of their ends.
    pub fn invocations(&self) -> Vec<Invocation> {
        self.shared.done.borrow().clone()
    }

    /// Waits until so many invocations of a function ended.
    pub async fn until_ended(&self, function: &str, count: usize) {
        let mut done = self.shared.done.subscribe();
        let of_function = |done: &Vec<Invocation>| {
            let ended = done.iter().filter(|done| done.function == function);
            ended.count() >= count
        };
        // The sender lives as long as this does.
        done.wait_for(of_function).await.ok();
    }
}

impl Drop for LambdaSim {
    fn drop(&mut self) {
        self.task.abort();
        lock(&self.shared.functions).clear();
    }
}
