//! A connection that is lost without a word.
#![allow(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

#[path = "../../send-message/tests/common/mod.rs"]
mod common;

use std::{sync::Arc, time::Duration};

use common::Stage;
use telecast_queue::Queue;
use telecast_runtime::{
    database::pool,
    handler::{Invocation, InvocationResponse, async_trait},
    invoke::{Invoked, Invoker},
};
use telecast_scheduler::{Scheduler, TELECAST, Until};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::{Notify, watch},
};
use tokio_util::sync::CancellationToken;

/// Says that it was called.
struct Bell(Arc<Notify>);

#[async_trait]
impl Invoker for Bell {
    async fn invoke(&self, _: Invocation) -> Invoked {
        self.0.notify_one();
        Invoked::Answered(InvocationResponse::default())
    }
}

/// A way to the server; connections that are open when they are lost lead nowhere.
async fn way_that_loses(port: u16) -> (u16, watch::Sender<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let own = listener.local_addr().unwrap().port();
    let (lose, losses) = watch::channel(());
    tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            let mut losses = losses.clone();
            losses.mark_unchanged();
            tokio::spawn(async move {
                let mut far = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                tokio::select! {
                    _ = copy_bidirectional(&mut near, &mut far) => {}
                    _ = losses.changed() => std::future::pending().await,
                }
            });
        }
    });
    (own, lose)
}

#[tokio::test]
async fn a_statement_that_is_never_answered_does_not_stop_the_scheduler() {
    let stage = Stage::set().await;
    let url: tokio_postgres::Config = stage.url.parse().unwrap();
    let port = url.get_ports()[0];
    let (way, lose) = way_that_loses(port).await;
    let through = stage.url.replace(&format!(":{port}/"), &format!(":{way}/"));
    let through = format!("{through}&application_name=lost").parse().unwrap();
    let mut locker = stage.client().await;
    let lock = locker.transaction().await.unwrap();
    lock.batch_execute("LOCK TABLE pgboss.job IN ACCESS EXCLUSIVE MODE")
        .await
        .unwrap();
    let called = Arc::new(Notify::new());
    let stop = CancellationToken::new();
    let mut scheduler = Scheduler::new(
        pool(&through, 4).unwrap(),
        Queue::default(),
        Arc::new(Bell(Arc::clone(&called))),
        &TELECAST,
        Arc::new(Notify::new()),
        None,
    );
    let until = Until::Stopped(stop.clone());
    let running = tokio::spawn(async move { scheduler.run(until).await });
    // It waits in mid-statement.
    let waits = "SELECT count(*) FROM pg_stat_activity
                 WHERE application_name = 'lost' AND wait_event_type = 'Lock'";
    while stage.scalar::<i64>(waits).await == 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    lose.send_replace(());
    lock.rollback().await.unwrap();
    stage.campaign(&["one"]).await;
    tokio::time::timeout(Duration::from_secs(120), called.notified())
        .await
        .expect("the scheduler goes on");
    stop.cancel();
    tokio::time::timeout(Duration::from_secs(120), running)
        .await
        .expect("and it ends when it is told to")
        .unwrap();
}
