//! What the client makes of a connection that fails, and at which moment.
#![allow(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

use telecast_telegram::{BotToken, Chat, Client, Failure, FailureKind, Message, Settings};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

const TOKEN: &str = "123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11";

/// A message sent to a server that reads a request, writes this and hangs up.
async fn send_to(scheme: &str, answer: &'static [u8]) -> Failure {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = [0; 4096];
        assert!(stream.read(&mut request).await.unwrap() > 0);
        stream.write_all(answer).await.unwrap();
        stream.shutdown().await.unwrap();
    });
    let client = Client::new(&Settings {
        base_url: format!("{scheme}://{address}"),
        ..Settings::default()
    })
    .unwrap();
    let token: BotToken = TOKEN.parse().unwrap();
    let message = Message {
        text: "hello".to_owned(),
        ..Message::default()
    };
    let sent = client.send(&token, &Chat::Id(1), &message).await;
    server.await.unwrap();
    let failure = sent.unwrap_err();
    assert!(!failure.description.contains("ABC-DEF"), "{failure}");
    failure
}

#[tokio::test]
async fn a_failed_handshake_certainly_sent_nothing() {
    let failure = send_to("https", b"this is no TLS").await;
    assert_eq!(failure.kind, FailureKind::Transient, "{failure}");
}

#[tokio::test]
async fn no_answer_leaves_it_uncertain() {
    let failure = send_to("http", b"").await;
    assert_eq!(failure.kind, FailureKind::Uncertain, "{failure}");
}

#[tokio::test]
async fn half_an_acceptance_leaves_it_uncertain() {
    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"ok\":true";
    let failure = send_to("http", answer).await;
    assert_eq!(failure.kind, FailureKind::Uncertain, "{failure}");
}

#[tokio::test]
async fn half_a_refusal_is_a_refusal() {
    let answer = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 100\r\n\r\n<html>";
    let failure = send_to("http", answer).await;
    assert_eq!(failure.kind, FailureKind::Transient, "{failure}");
}
