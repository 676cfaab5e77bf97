//! What invokers over HTTP make of everything that can happen to a call.
#![allow(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    extract::Request,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use telecast_runtime::{
    config::Variables,
    handler::{Invocation, InvocationResponse},
    invoke::{
        Invoked, Invoker, UrlAuth, from_variables,
        lambda_api::{InvocationType, LambdaApi, Settings},
        url::HandlerUrl,
    },
};
use tokio::net::TcpListener;

/// A server that answers every request in the same way.
async fn server<F>(answer: impl Fn(Request) -> F + Clone + Send + Sync + 'static) -> SocketAddr
where
    F: Future<Output = Response> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = Router::new().fallback(answer);
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

/// The Invoke API at an address.
fn lambda(address: SocketAddr, timeout: Duration) -> LambdaApi {
    let endpoint = format!("http://{address}");
    let look_up = |name: &str| (name == "LAMBDA_ENDPOINT").then(|| endpoint.clone());
    let settings = Settings::from_variables(Variables::new(&look_up)).unwrap();
    LambdaApi::new(Settings {
        timeout,
        ..settings
    })
    .unwrap()
}

fn invocation() -> Invocation {
    Invocation {
        queue: "send-message".to_owned(),
        jobs: Vec::new(),
    }
}

const LONG: Duration = Duration::from_secs(60);
const EMPTY: &str = r#"{"batchItemFailures":[]}"#;

#[tokio::test]
async fn a_local_function_is_called_by_its_queues_name_and_answers() {
    let address = server(|request| async move {
        assert_eq!(
            request.uri().path(),
            "/2015-03-31/functions/send-message/invocations"
        );
        assert_eq!(
            request.headers()["x-amz-invocation-type"],
            "RequestResponse"
        );
        EMPTY.into_response()
    })
    .await;
    assert_eq!(
        lambda(address, LONG).invoke(invocation()).await,
        Invoked::Answered(InvocationResponse::default())
    );
}

#[tokio::test]
async fn an_event_is_accepted_without_an_answer() {
    let address = server(|request| async move {
        assert_eq!(request.headers()["x-amz-invocation-type"], "Event");
        StatusCode::ACCEPTED.into_response()
    })
    .await;
    let local = format!("http://{address}");
    let look_up = |name: &str| (name == "LAMBDA_ENDPOINT").then(|| local.clone());
    let settings = Settings {
        invocation_type: InvocationType::Event,
        ..Settings::from_variables(Variables::new(&look_up)).unwrap()
    };
    assert_eq!(
        LambdaApi::new(settings).unwrap().invoke(invocation()).await,
        Invoked::Accepted
    );
}

#[tokio::test]
async fn a_refusal_and_a_closed_port_mean_that_nothing_started() {
    let busy = server(|_| async { StatusCode::TOO_MANY_REQUESTS.into_response() }).await;
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = closed.local_addr().unwrap();
    drop(closed);
    for address in [busy, nobody] {
        let invoked = lambda(address, LONG).invoke(invocation()).await;
        assert!(matches!(invoked, Invoked::NotStarted { .. }), "{invoked:?}");
    }
}

#[tokio::test]
async fn a_failed_handler_may_have_done_something() {
    let thrown = [("x-amz-function-error", "Unhandled")];
    let address = server(move |_| async move { (thrown, "{}").into_response() }).await;
    let invoked = lambda(address, LONG).invoke(invocation()).await;
    assert!(matches!(invoked, Invoked::Unknown { .. }), "{invoked:?}");
}

#[tokio::test]
async fn a_time_out_leaves_all_open() {
    let address = server(|_| std::future::pending()).await;
    let invoked = lambda(address, Duration::from_millis(50))
        .invoke(invocation())
        .await;
    assert!(matches!(invoked, Invoked::Unknown { .. }), "{invoked:?}");
}

#[tokio::test]
async fn a_lost_connection_leaves_all_open_and_nothing_is_tried_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            stream.readable().await.unwrap();
            counted.fetch_add(1, Ordering::SeqCst);
        }
    });
    let invoked = lambda(address, LONG).invoke(invocation()).await;
    assert!(matches!(invoked, Invoked::Unknown { .. }), "{invoked:?}");
    assert_eq!(calls.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_handlers_url_is_called_with_the_secret() {
    let address = server(|request| async move {
        let right = request.headers()["authorization"] == "Bearer open sesame";
        assert_eq!(request.uri().path(), "/lambda-url/send-message/");
        if right {
            EMPTY.into_response()
        } else {
            StatusCode::UNAUTHORIZED.into_response()
        }
    })
    .await;
    let urls = format!("send-message=http://{address}/lambda-url/send-message/");
    let invoke = |secret: &'static str, queue: &'static str| {
        let auth = UrlAuth::Bearer(secret.parse().unwrap());
        let invoker = HandlerUrl::new(urls.parse().unwrap(), auth).unwrap();
        async move {
            let queue = queue.to_owned();
            invoker
                .invoke(Invocation {
                    queue,
                    ..invocation()
                })
                .await
        }
    };
    assert!(matches!(
        invoke("open sesame", "send-message").await,
        Invoked::Answered(_)
    ));
    for (secret, queue) in [("wrong", "send-message"), ("open sesame", "other")] {
        let invoked = invoke(secret, queue).await;
        assert!(matches!(invoked, Invoked::NotStarted { .. }), "{invoked:?}");
    }
}

#[tokio::test]
async fn a_handlers_url_of_iams_kind_is_called_with_a_signature() {
    let address = server(|request| async move {
        let signature = request.headers()["authorization"].to_str().unwrap();
        assert!(signature.contains("/eu-central-1/lambda/aws4_request"));
        EMPTY.into_response()
    })
    .await;
    let look_up = |name: &str| {
        let value = match name {
            "INVOKER" => "url".to_owned(),
            "HANDLER_AUTH" => "iam".to_owned(),
            "HANDLER_URLS" => format!("send-message=http://{address}/"),
            "AWS_REGION" => "eu-central-1".to_owned(),
            "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => "example".to_owned(),
            _ => return None,
        };
        Some(value)
    };
    let invoker = from_variables(Variables::new(&look_up)).unwrap();
    assert!(matches!(
        invoker.invoke(invocation()).await,
        Invoked::Answered(_)
    ));
}

#[test]
fn a_wrong_invoker_is_named() {
    let error = |set: &[(&str, &str)]| {
        let look_up = |name: &str| {
            set.iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| (*value).to_owned())
        };
        match from_variables(Variables::new(&look_up)) {
            Ok(_) => String::new(),
            Err(error) => error.to_string(),
        }
    };
    assert!(error(&[("INVOKER", "pigeon")]).starts_with("INVOKER is \"pigeon\""));
    assert!(error(&[]).starts_with("AWS_REGION is not set"));
    assert!(error(&[("INVOKER", "url")]).starts_with("HANDLER_URLS is not set"));
    assert_eq!(error(&[("LAMBDA_ENDPOINT", "http://127.0.0.1:9000")]), "");
}
