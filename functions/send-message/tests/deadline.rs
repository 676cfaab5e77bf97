//! An invocation that has too little time left.
#![allow(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

mod common;

use std::time::Duration;

use common::Stage;
use telecast_runtime::handler::{Deadline, Handler, Invocation};

#[tokio::test]
async fn what_cannot_be_done_before_the_deadline_goes_back_uncharged_and_is_not_begun() {
    let mut stage = Stage::set().await;
    stage.campaign(&["a", "b"]).await;
    let invocation = Invocation {
        queue: "send-message".to_owned(),
        jobs: stage.dispatch().await,
    };
    // Less than Telegram's time-out and a settlement need.
    let deadline = Deadline::after(Duration::from_secs(10));
    let response = stage.handler.handle(invocation, deadline).await.unwrap();
    assert_eq!(response.batch_item_failures, []);
    for chat in ["a", "b"] {
        let (status, queue_state, attempts) = {
            let job = stage.job(chat).await;
            (job.status, job.queue_state, job.attempts)
        };
        assert_eq!((status.as_str(), attempts), ("PENDING", 0));
        assert!(["created", "retry"].contains(&queue_state.as_str()));
        assert_eq!(stage.calls(chat), (0, 0));
    }
    while stage.turn().await > 0 {}
    assert_eq!(stage.job("a").await.stands(), ("SENT", "completed", 1));
    assert_eq!((stage.calls("a"), stage.calls("b")), ((1, 1), (1, 1)));
}
