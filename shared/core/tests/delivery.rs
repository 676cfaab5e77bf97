//! Message jobs from their plan to their end, on a real database.
#![allow(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

mod common;

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use common::{
    audited,
    campaign::{act, bot, claim, dispatch, draft, get, plan, running, sent, settle},
    database, execute, scalar,
};
use telecast_core::{
    campaigns::{self, Action, ErrorCount, PauseReason, Status},
    delivery::{Decision, Outcome, Planned},
};

#[tokio::test]
async fn planning_twice_changes_nothing() {
    let mut client = database().await;
    let bot = bot(&client, "bot").await;
    let id = draft(&mut client, bot, "news", 5, 60).await;
    act(&mut client, id, Action::Start).await.unwrap();
    assert_eq!(plan(&mut client, id).await, Planned::Now { total: 5 });
    assert_eq!(plan(&mut client, id).await, Planned::Before);
    let queue_jobs: i64 = scalar(
        &client,
        "SELECT count(*) FROM pgboss.job WHERE name = 'send-message'",
    )
    .await;
    assert_eq!(queue_jobs, 5);
    assert_eq!(get(&client, id).await.counts.pending, 5);
}

#[tokio::test]
async fn each_message_job_has_a_slot_of_its_own_and_starts_near_it() {
    let mut client = database().await;
    let bot = bot(&client, "bot").await;
    running(&mut client, bot, "news", 100, 60).await;
    let far: i64 = scalar(
        &client,
        "SELECT count(*) FROM jobs JOIN pgboss.job AS q USING (id)
         WHERE abs(extract(epoch FROM q.start_after - slot)) > 0.2 * 1.005
            OR q.singleton_on <> slot AT TIME ZONE 'UTC'",
    )
    .await;
    assert_eq!(far, 0);
    let slots: i64 = scalar(&client, "SELECT count(DISTINCT slot) FROM jobs").await;
    assert_eq!(slots, 100);
}

#[tokio::test]
async fn a_channel_that_must_not_be_written_to_is_skipped_at_the_plan() {
    let mut client = database().await;
    let bot = bot(&client, "bot").await;
    let id = draft(&mut client, bot, "news", 5, 60).await;
    execute(
        &client,
        "UPDATE channels SET opted_out_at = now() WHERE username = $1",
        "news_2",
    )
    .await;
    execute(
        &client,
        "UPDATE channels SET active = false WHERE username = $1",
        "news_4",
    )
    .await;
    act(&mut client, id, Action::Start).await.unwrap();
    plan(&mut client, id).await;
    let counts = get(&client, id).await.counts;
    assert_eq!((counts.total, counts.skipped, counts.pending), (5, 2, 3));
}

#[tokio::test]
async fn a_campaign_is_completed_with_its_last_message() {
    let mut client = database().await;
    let bot = bot(&client, "bot").await;
    let id = running(&mut client, bot, "news", 2, 60).await;
    let later = Utc::now() + TimeDelta::minutes(1);
    for minute in 0..2 {
        let jobs = dispatch(&client, 1, later + TimeDelta::minutes(minute)).await;
        let claims = claim(&client, &jobs).await;
        settle(&mut client, &claims, &sent()).await;
    }
    let campaign = get(&client, id).await;
    assert_eq!(
        (campaign.status, campaign.counts.sent),
        (Status::Completed, 2)
    );
    let open: i64 = scalar(
        &client,
        "SELECT count(*) FROM pgboss.job WHERE name = 'send-message' AND state <> 'completed'",
    )
    .await;
    assert_eq!(open, 0);
    assert_eq!(audited(&client).await.last().unwrap(), "CAMPAIGN_COMPLETED");
}

#[tokio::test]
async fn the_same_invocation_twice_sends_once() {
    let mut client = database().await;
    let bot = bot(&client, "bot").await;
    let id = running(&mut client, bot, "news", 1, 60).await;
    let jobs = dispatch(&client, 1, Utc::now() + TimeDelta::minutes(1)).await;
    let first = claim(&client, &jobs).await;
    let twin = claim(&client, &jobs).await;
    assert_eq!(first[0].decision, Decision::Send);
    assert_eq!(twin[0].decision, Decision::Claimed);
    settle(&mut client, &first, &sent()).await;
    settle(&mut client, &twin, &sent()).await;
    assert_eq!(get(&client, id).await.counts.sent, 1);
    // After it is settled, its queue job is no longer active: a late twin gets nothing.
    assert!(claim(&client, &jobs).await.is_empty());
}

#[tokio::test]
async fn a_transient_error_waits_and_is_tried_again() {
    let mut client = database().await;
    let bot = bot(&client, "bot").await;
    let id = running(&mut client, bot, "news", 1, 60).await;
    let mut now = Utc::now() + TimeDelta::minutes(1);
    for _ in 0..4 {
        let jobs = dispatch(&client, 1, now).await;
        let claims = claim(&client, &jobs).await;
        let error = Outcome::Transient("connection refused".to_owned());
        settle(&mut client, &claims, &error).await;
        now += TimeDelta::minutes(1);
    }
    let counts = get(&client, id).await.counts;
    assert_eq!((counts.failed, counts.pending), (1, 0));
    let (attempts, errors): (i32, i32) = (
        scalar(&client, "SELECT attempts FROM jobs").await,
        scalar(&client, "SELECT error_count FROM channels").await,
    );
    assert_eq!((attempts, errors), (4, 1));
    assert!(dispatch(&client, 1, now).await.is_empty());
}

#[tokio::test]
async fn an_attempt_that_never_reported_is_uncertain_and_not_sent_again() {
    let mut client = database().await;
    let bot = bot(&client, "bot").await;
    let id = running(&mut client, bot, "news", 1, 60).await;
    let later = Utc::now() + TimeDelta::minutes(1);
    let jobs = dispatch(&client, 1, later).await;
    claim(&client, &jobs).await;
    // The handler dies here; the queue gives the job to another.
    client
        .batch_execute("UPDATE pgboss.job SET state = 'retry', start_after = now() WHERE name = 'send-message'")
        .await
        .unwrap();
    let jobs = dispatch(&client, 1, later + TimeDelta::minutes(1)).await;
    let claims = claim(&client, &jobs).await;
    assert_eq!(claims[0].decision, Decision::Uncertain);
    settle(&mut client, &claims, &sent()).await;
    let campaign = get(&client, id).await;
    assert_eq!(
        (campaign.status, campaign.counts.uncertain),
        (Status::Completed, 1)
    );
}

#[tokio::test]
async fn a_late_report_that_it_was_sent_counts() {
    let mut client = database().await;
    let bot = bot(&client, "bot").await;
    let id = running(&mut client, bot, "news", 2, 60).await;
    let later = Utc::now() + TimeDelta::minutes(1);
    let slow = claim(&client, &dispatch(&client, 1, later).await).await;
    client
        .batch_execute(
            "UPDATE pgboss.job SET state = 'retry', start_after = now()
             WHERE name = 'send-message' AND state = 'active'",
        )
        .await
        .unwrap();
    let jobs = dispatch(&client, 1, later + TimeDelta::minutes(1)).await;
    let claims = claim(&client, &jobs).await;
    assert_eq!(claims[0].decision, Decision::Uncertain);
    settle(&mut client, &claims, &sent()).await;
    assert_eq!(get(&client, id).await.counts.uncertain, 1);
    settle(&mut client, &slow, &sent()).await;
    let counts = get(&client, id).await.counts;
    assert_eq!((counts.sent, counts.uncertain, counts.pending), (1, 0, 1));
    // Once more changes nothing.
    settle(&mut client, &slow, &sent()).await;
    assert_eq!(get(&client, id).await.counts.sent, 1);
}

#[tokio::test]
async fn a_flood_wait_holds_the_bot_and_pauses_all_its_campaigns() {
    let mut client = database().await;
    let busy = bot(&client, "busy").await;
    let idle = bot(&client, "idle").await;
    let first = running(&mut client, busy, "first", 2, 60).await;
    let second = running(&mut client, busy, "second", 2, 60).await;
    let other = running(&mut client, idle, "other", 2, 60).await;
    let now = Utc::now() + TimeDelta::seconds(20);
    let jobs = dispatch(&client, 3, now).await;
    let claims = claim(&client, &jobs).await;
    let of = |id| {
        let own = claims.iter().filter(move |claim| claim.campaign_id == id);
        own.cloned().collect::<Vec<_>>()
    };
    let (flooded, under_way) = (of(first), of(second));
    settle(
        &mut client,
        &flooded,
        &Outcome::FloodWait(Duration::from_secs(90)),
    )
    .await;
    for id in [first, second] {
        let campaign = get(&client, id).await;
        assert_eq!(campaign.pause_reason, Some(PauseReason::FloodWait));
        assert!(campaign.resumes_at.unwrap() > Utc::now() + TimeDelta::seconds(80));
        assert!(campaign.eta.unwrap() > campaign.resumes_at.unwrap());
    }
    assert_eq!(get(&client, other).await.status, Status::Running);
    let attempts: i64 = scalar(&client, "SELECT sum(attempts) FROM jobs").await;
    assert_eq!(attempts, 0);
    // Held: only the other bot's campaign goes on.
    for seconds in 0..20 {
        for job in dispatch(&client, 10, now + TimeDelta::seconds(seconds)).await {
            assert_eq!(job.group_id.unwrap(), format!("campaign/{other}"));
        }
    }
    let told: String = scalar(
        &client,
        "SELECT details->>'waitTime' FROM audit_logs WHERE action = 'FLOOD_WAIT_TRIGGERED'",
    )
    .await;
    assert_eq!(told, "90");
    // Each pause is in the log, and more of the same flood is none.
    settle(
        &mut client,
        &under_way,
        &Outcome::FloodWait(Duration::from_secs(95)),
    )
    .await;
    let paused: i64 = scalar(
        &client,
        "SELECT count(DISTINCT subject_id) FROM audit_logs
         WHERE action = 'CAMPAIGN_PAUSED' AND details->>'reason' = 'FLOOD_WAIT'",
    )
    .await;
    let told: i64 = scalar(
        &client,
        "SELECT count(*) FROM audit_logs WHERE action = 'CAMPAIGN_PAUSED'",
    )
    .await;
    assert_eq!((paused, told), (2, 2));
}

#[tokio::test]
async fn a_manual_pause_outlasts_a_flood_wait() {
    let mut client = database().await;
    let bot = bot(&client, "bot").await;
    let id = running(&mut client, bot, "news", 2, 60).await;
    let jobs = dispatch(&client, 1, Utc::now() + TimeDelta::seconds(20)).await;
    let claims = claim(&client, &jobs).await;
    settle(&mut client, &claims, &Outcome::FloodWait(Duration::ZERO)).await;
    act(&mut client, id, Action::Pause).await.unwrap();
    let transaction = client.transaction().await.unwrap();
    assert!(
        telecast_core::campaigns::resume_due(&transaction)
            .await
            .unwrap()
            .is_empty()
    );
    transaction.commit().await.unwrap();
    assert_eq!(
        get(&client, id).await.pause_reason,
        Some(PauseReason::Operator)
    );
}

#[tokio::test]
async fn a_campaign_resumes_by_itself_when_its_flood_wait_is_over() {
    let mut client = database().await;
    let bot = bot(&client, "bot").await;
    let id = running(&mut client, bot, "news", 2, 60).await;
    let jobs = dispatch(&client, 1, Utc::now() + TimeDelta::seconds(20)).await;
    let claims = claim(&client, &jobs).await;
    settle(&mut client, &claims, &Outcome::FloodWait(Duration::ZERO)).await;
    let transaction = client.transaction().await.unwrap();
    let resumed = telecast_core::campaigns::resume_due(&transaction)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(resumed, [id]);
    assert_eq!(get(&client, id).await.status, Status::Running);
}

#[tokio::test]
async fn a_refused_message_pauses_its_campaign_at_the_first_hit() {
    let mut client = database().await;
    let bot = bot(&client, "bot").await;
    let id = running(&mut client, bot, "news", 3, 60).await;
    let later = Utc::now() + TimeDelta::minutes(1);
    let jobs = dispatch(&client, 1, later).await;
    let claims = claim(&client, &jobs).await;
    let refused = Outcome::MessageBad("Bad Request: message is too long".to_owned());
    settle(&mut client, &claims, &refused).await;
    let campaign = get(&client, id).await;
    assert_eq!(campaign.pause_reason, Some(PauseReason::MessageRejected));
    assert_eq!((campaign.counts.failed, campaign.counts.pending), (1, 2));
    assert!(
        dispatch(&client, 10, later + TimeDelta::minutes(1))
            .await
            .is_empty()
    );
}

#[tokio::test]
async fn a_refused_bot_stops_and_its_queue_jobs_stay() {
    let mut client = database().await;
    let bot = bot(&client, "bot").await;
    let id = running(&mut client, bot, "news", 3, 60).await;
    let jobs = dispatch(&client, 1, Utc::now() + TimeDelta::minutes(1)).await;
    let claims = claim(&client, &jobs).await;
    settle(
        &mut client,
        &claims,
        &Outcome::BotDead("Unauthorized".to_owned()),
    )
    .await;
    let campaign = get(&client, id).await;
    assert_eq!(campaign.pause_reason, Some(PauseReason::BotRejected));
    assert_eq!(campaign.counts.pending, 3);
    let stopped: bool = scalar(&client, "SELECT stopped_at IS NOT NULL FROM bots").await;
    assert!(stopped);
}

#[tokio::test]
async fn a_gone_channel_becomes_inactive_and_five_errors_do_the_same() {
    let mut client = database().await;
    let bot = bot(&client, "bot").await;
    running(&mut client, bot, "gone", 1, 60).await;
    let later = Utc::now() + TimeDelta::minutes(1);
    let jobs = dispatch(&client, 1, later).await;
    let claims = claim(&client, &jobs).await;
    let gone = Outcome::ChannelGone("Forbidden: bot was kicked from the channel chat".to_owned());
    settle(&mut client, &claims, &gone).await;
    let reason: String = scalar(
        &client,
        "SELECT inactive_reason FROM channels WHERE NOT active",
    )
    .await;
    assert_eq!(reason, "CHANNEL_GONE");

    running(&mut client, bot, "poor", 1, 60).await;
    execute(
        &client,
        "UPDATE channels SET error_count = 4 WHERE username = $1",
        "poor_1",
    )
    .await;
    let jobs = dispatch(&client, 1, later + TimeDelta::minutes(1)).await;
    let claims = claim(&client, &jobs).await;
    let unsure = Outcome::ChannelUnsure("Bad Request: chat not found".to_owned());
    settle(&mut client, &claims, &unsure).await;
    let reason: String = scalar(
        &client,
        "SELECT inactive_reason FROM channels WHERE username = 'poor_1'",
    )
    .await;
    assert_eq!(reason, "TOO_MANY_ERRORS");
}

#[tokio::test]
async fn a_cancelled_campaign_sends_nothing_more_and_counts_every_message() {
    let mut client = database().await;
    let bot = bot(&client, "bot").await;
    let id = running(&mut client, bot, "news", 5, 60).await;
    let later = Utc::now() + TimeDelta::minutes(1);
    let jobs = dispatch(&client, 1, later).await;
    let cancelled = act(&mut client, id, Action::Cancel).await.unwrap();
    assert_eq!(
        (cancelled.counts.cancelled, cancelled.counts.pending),
        (4, 1)
    );
    let claims = claim(&client, &jobs).await;
    assert_eq!(claims[0].decision, Decision::Cancelled);
    settle(&mut client, &claims, &sent()).await;
    let campaign = get(&client, id).await;
    assert_eq!(
        (campaign.status, campaign.counts.cancelled),
        (Status::Cancelled, 5)
    );
    assert!(
        dispatch(&client, 10, later + TimeDelta::minutes(5))
            .await
            .is_empty()
    );
}

#[tokio::test]
async fn a_paused_campaign_goes_on_where_it_was_without_a_burst() {
    let mut client = database().await;
    let bot = bot(&client, "bot").await;
    let id = running(&mut client, bot, "news", 50, 60).await;
    act(&mut client, id, Action::Pause).await.unwrap();
    let later = Utc::now() + TimeDelta::minutes(10);
    assert!(dispatch(&client, 10, later).await.is_empty());
    act(&mut client, id, Action::Resume).await.unwrap();
    let mut started = 0;
    for second in 0..10 {
        started += dispatch(&client, 10, later + TimeDelta::seconds(second))
            .await
            .len();
    }
    assert!((9..=11).contains(&started), "{started}");
}

#[tokio::test]
async fn a_campaign_without_an_active_channel_cannot_start() {
    let mut client = database().await;
    let bot = bot(&client, "bot").await;
    let id = draft(&mut client, bot, "news", 1, 60).await;
    execute(
        &client,
        "UPDATE channels SET active = false WHERE username = $1",
        "news_1",
    )
    .await;
    let error = act(&mut client, id, Action::Start).await.unwrap_err();
    assert!(error.to_string().contains("no active channel"), "{error}");
    assert_eq!(get(&client, id).await.status, Status::Draft);
}

#[tokio::test]
async fn message_jobs_whose_handlers_kept_dying_are_given_up_and_counted() {
    let mut client = database().await;
    let bot = bot(&client, "bot").await;
    let id = running(&mut client, bot, "news", 2, 60).await;
    let jobs = dispatch(&client, 1, Utc::now() + TimeDelta::minutes(1)).await;
    claim(&client, &jobs).await;
    client
        .batch_execute("UPDATE pgboss.job SET state = 'failed', completed_on = now() WHERE name = 'send-message'")
        .await
        .unwrap();
    let transaction = client.transaction().await.unwrap();
    let stranded = telecast_core::delivery::settle_stranded(&transaction)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(stranded, 2);
    let campaign = get(&client, id).await;
    assert_eq!(campaign.status, Status::Completed);
    assert_eq!((campaign.counts.uncertain, campaign.counts.failed), (1, 1));
}

#[tokio::test]
async fn what_a_campaign_did_is_told_by_minute_and_by_class() {
    let mut client = database().await;
    let bot = bot(&client, "bot").await;
    let id = running(&mut client, bot, "news", 30, 6_000).await;
    let later = Utc::now() + TimeDelta::hours(1);
    let mut jobs = Vec::new();
    for second in 0..10 {
        let now = later + TimeDelta::seconds(second);
        jobs.extend(dispatch(&client, 20, now).await);
    }
    assert!(jobs.len() >= 20, "{} were granted", jobs.len());
    let claims = claim(&client, &jobs).await;
    let gone = Outcome::ChannelGone("Forbidden: bot was kicked".to_owned());
    let (to_send, to_fail) = claims.split_at(claims.len() - 3);
    settle(&mut client, to_send, &sent()).await;
    settle(&mut client, to_fail, &gone).await;
    let activity = campaigns::activity(&client, id).await.unwrap();
    let told: i32 = activity.minutes.iter().map(|minute| minute.sent).sum();
    assert_eq!(told, i32::try_from(to_send.len()).unwrap());
    // A part of it, where a new minute began meanwhile.
    assert!((1..=told).contains(&activity.rate_now), "{activity:?}");
    assert_eq!(
        activity.errors,
        [ErrorCount {
            status: "FAILED".to_owned(),
            error_class: "CHANNEL_GONE".to_owned(),
            count: 3,
            example: Some("Forbidden: bot was kicked".to_owned()),
        }]
    );
}
