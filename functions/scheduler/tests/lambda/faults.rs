//! Handlers that go wrong: nothing is lost, and nothing is sent twice.

use std::time::Duration;

use telecast_lambda_sim::End;

use super::functions::{Cloud, Fault, SetUp};

/// Messages of a campaign, and how many processes go wrong.
const MESSAGES: i64 = 40;
const FAULTS: usize = 3;

async fn campaign_through(fault: Fault) -> (Cloud, i64) {
    let set_up = SetUp {
        fault: Some((fault, FAULTS)),
        ..SetUp::default()
    };
    let cloud = Cloud::set("RequestResponse", set_up).await;
    let campaign = cloud.campaign("faulty", 40, 600).await;
    cloud.tick_until_completed(campaign).await;
    let sent = cloud.count(campaign, "SENT").await;
    let uncertain = cloud.count(campaign, "UNCERTAIN").await;
    assert_eq!(sent + uncertain, MESSAGES);
    let ledger = cloud.ledger();
    assert_eq!(ledger.duplicates(), []);
    let accepted = ledger.accepted().count() as i64;
    assert!((sent..=MESSAGES).contains(&accepted), "{sent} {accepted}");
    (cloud, uncertain)
}

#[tokio::test]
async fn of_a_process_that_exits_only_what_was_on_its_way_is_uncertain() {
    let (cloud, _) = campaign_through(Fault::Exit).await;
    let exits = cloud.ends();
    let exits = exits.iter().filter(|end| **end == End::Exited(Some(3)));
    assert_eq!(exits.count(), FAULTS);
}

#[tokio::test]
async fn a_process_that_hangs_is_killed_and_others_do_its_work() {
    let (cloud, uncertain) = campaign_through(Fault::Hang).await;
    // It hung before it claimed anything.
    assert_eq!(uncertain, 0);
    while cloud
        .ends()
        .iter()
        .filter(|end| **end == End::TimedOut)
        .count()
        < FAULTS
    {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test]
async fn what_a_failing_handler_left_undone_is_done_by_the_next() {
    let (cloud, uncertain) = campaign_through(Fault::Error).await;
    assert_eq!(uncertain, 0);
    let failures = cloud.ends();
    let failures = failures.iter().filter(|end| matches!(end, End::Failed(_)));
    assert_eq!(failures.count(), FAULTS);
}
