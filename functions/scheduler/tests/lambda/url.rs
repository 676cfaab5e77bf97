//! The scheduler and its handlers by their functions' URLs, and the API's call.

use std::time::Duration;

use serde_json::{Value, json};
use telecast_lambda_sim::End;
use telecast_runtime::{config::Variables, invoke::SchedulerCall};

use super::functions::{Cloud, SECRET, SetUp};

/// What Lambda makes of a POST to a function's URL.
fn post(secret: &str) -> String {
    json!({
        "version": "2.0",
        "headers": {"authorization": format!("Bearer {secret}")},
        "requestContext": {"http": {"method": "POST", "path": "/"}},
        "body": "",
        "isBase64Encoded": false,
    })
    .to_string()
}

async fn answer(cloud: &Cloud, secret: &str) -> Value {
    loop {
        match cloud
            .lambda
            .invoke("scheduler", &post(secret))
            .await
            .unwrap()
        {
            End::Answered(answer) => return serde_json::from_str(&answer).unwrap(),
            // Its process was too slow on a busy machine.
            End::TimedOut => {}
            end => panic!("{end:?}"),
        }
    }
}

#[tokio::test]
async fn a_post_with_the_secret_is_a_tick() {
    let cloud = Cloud::set("Event", SetUp::default()).await;
    let ticked = answer(&cloud, SECRET).await;
    assert_eq!(
        (&ticked["statusCode"], &ticked["body"]),
        (&json!(200), &json!(r#"{"ended":"IDLE"}"#))
    );
    let refused = answer(&cloud, "open barley").await;
    assert_eq!(refused["statusCode"], 401);
}

#[tokio::test]
async fn a_call_of_the_api_alone_starts_a_campaign() {
    let cloud = Cloud::set("Event", SetUp::default()).await;
    let campaign = cloud.campaign("called", 5, 1_200).await;
    let endpoint = cloud.lambda.endpoint();
    let look_up = |name: &str| match name {
        "INVOKER" => Some("lambda".to_owned()),
        "LAMBDA_ENDPOINT" => Some(endpoint.clone()),
        "INVOCATION_TYPE" => Some("Event".to_owned()),
        _ => None,
    };
    let call = SchedulerCall::from_variables(Variables::new(&look_up)).unwrap();
    call.unwrap().call().await.unwrap();
    cloud.stage.simulator.until_accepted(5).await;
    cloud.lambda.until_ended("send-message", 1).await;
    assert_eq!(cloud.ledger().duplicates(), []);
    cloud.tick_until_completed(campaign).await;
}

#[tokio::test]
async fn a_campaign_goes_through_handlers_behind_urls() {
    let set_up = SetUp {
        invoker: "url",
        minute: Duration::from_secs(60),
        ..SetUp::default()
    };
    let cloud = Cloud::set("Event", set_up).await;
    let campaign = cloud.campaign("url", 20, 1_200).await;
    cloud.tick_until_completed(campaign).await;
    assert_eq!(cloud.count(campaign, "SENT").await, 20);
    assert_eq!(cloud.ledger().duplicates(), []);
}
