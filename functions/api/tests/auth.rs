//! Who gets in, and who may do what.
#![allow(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

mod common;

use axum::{
    body::Body,
    http::{Method, Request, StatusCode},
};
use common::{Api, PASSWORD};
use serde_json::{Value, json};
use telecast_core::users::Role;

const EVERY_ROLE: [Role; 3] = [Role::Admin, Role::Operator, Role::Auditor];

async fn login(api: &Api, username: &str, password: &str) -> common::Answer {
    let body = json!({"username": username, "password": password});
    api.call(Method::POST, "/api/auth/login", None, Some(body))
        .await
}

#[tokio::test]
async fn a_login_gives_a_token_that_tells_who_one_is() {
    let api = Api::start().await;
    let tokens = login(&api, "Operator", PASSWORD).await.ok();
    assert_eq!(tokens["user"]["role"], "OPERATOR");
    let token = tokens["token"].as_str().unwrap();
    let me = api
        .call(Method::GET, "/api/auth/me", Some(token), None)
        .await
        .ok();
    assert_eq!(me["username"], "operator");
    assert!(me.get("passwordHash").is_none());
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_user_get_the_same_answer() {
    let api = Api::start().await;
    let wrong = login(&api, "operator", "wrong horse").await;
    let unknown = login(&api, "nobody", PASSWORD).await;
    assert_eq!(
        (wrong.status, wrong.code()),
        (StatusCode::UNAUTHORIZED, "BAD_CREDENTIALS")
    );
    assert_eq!(wrong.body, unknown.body);
    assert_eq!(api.audited().await, ["LOGIN_FAILED"]);
}

#[tokio::test]
async fn failed_logins_make_one_wait_even_with_the_right_password() {
    let api = Api::start().await;
    for _ in 0..5 {
        assert_eq!(
            login(&api, "operator", "wrong horse").await.code(),
            "BAD_CREDENTIALS"
        );
    }
    let refused = login(&api, "operator", PASSWORD).await;
    assert_eq!(
        (refused.status, refused.code()),
        (StatusCode::TOO_MANY_REQUESTS, "TOO_MANY_LOGINS")
    );
    let seconds: u32 = refused.headers["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((1..=60).contains(&seconds));
    assert!(login(&api, "auditor", PASSWORD).await.status.is_success());

    api.sql("UPDATE login_failures SET blocked_until = now()")
        .await;
    assert!(login(&api, "operator", PASSWORD).await.status.is_success());
}

#[tokio::test]
async fn a_logout_ends_the_session_and_both_its_tokens() {
    let api = Api::start().await;
    let tokens = login(&api, "operator", PASSWORD).await.ok();
    let token = tokens["token"].as_str();
    let answer = api
        .call(Method::POST, "/api/auth/logout", token, None)
        .await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    let me = api.call(Method::GET, "/api/auth/me", token, None).await;
    assert_eq!(
        (me.status, me.code()),
        (StatusCode::UNAUTHORIZED, "UNAUTHENTICATED")
    );
    let refresh = json!({"refreshToken": tokens["refreshToken"]});
    let refreshed = api
        .call(Method::POST, "/api/auth/refresh", None, Some(refresh))
        .await;
    assert_eq!(refreshed.status, StatusCode::UNAUTHORIZED);
    assert_eq!(api.audited().await, ["LOGIN", "LOGOUT"]);
}

#[tokio::test]
async fn a_refresh_token_brings_new_tokens_once() {
    let api = Api::start().await;
    let tokens = login(&api, "operator", PASSWORD).await.ok();
    let refresh = json!({"refreshToken": tokens["refreshToken"]});
    let path = "/api/auth/refresh";
    let renewed = api
        .call(Method::POST, path, None, Some(refresh.clone()))
        .await
        .ok();
    let me = api
        .call(Method::GET, "/api/auth/me", renewed["token"].as_str(), None)
        .await
        .ok();
    assert_eq!(me["username"], "operator");
    let again = api.call(Method::POST, path, None, Some(refresh)).await;
    assert_eq!(again.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_new_password_of_ones_own_ends_the_other_sessions() {
    let api = Api::start().await;
    let elsewhere = login(&api, "operator", PASSWORD).await.ok();
    let here = api.token(Role::Operator);
    let change = async |current: &str, new: &str| {
        let body = json!({"currentPassword": current, "newPassword": new});
        api.call(Method::POST, "/api/auth/password", Some(here), Some(body))
            .await
    };
    let field = |answer: common::Answer| answer.body["error"]["details"]["field"].clone();
    assert_eq!(
        field(change("wrong horse", "battery staple").await),
        "currentPassword"
    );
    assert_eq!(field(change(PASSWORD, "short").await), "newPassword");
    assert_eq!(
        change(PASSWORD, "battery staple").await.status,
        StatusCode::NO_CONTENT
    );
    let me = async |token| {
        api.call(Method::GET, "/api/auth/me", token, None)
            .await
            .status
    };
    assert_eq!(me(Some(here)).await, StatusCode::OK);
    assert_eq!(
        me(elsewhere["token"].as_str()).await,
        StatusCode::UNAUTHORIZED
    );
    assert!(
        login(&api, "operator", "battery staple")
            .await
            .status
            .is_success()
    );
    assert_eq!(api.audited().await, ["LOGIN", "PASSWORD_CHANGED", "LOGIN"]);
}

#[tokio::test]
async fn a_disabled_user_is_cut_off_at_once() {
    let api = Api::start().await;
    let operator = api.token(Role::Operator).to_owned();
    let me = api
        .call(Method::GET, "/api/auth/me", Some(&operator), None)
        .await;
    let path = format!("/api/users/{}", me.id());
    api.patch(&path, json!({"disabled": true})).await.ok();
    let me = api
        .call(Method::GET, "/api/auth/me", Some(&operator), None)
        .await;
    assert_eq!(me.status, StatusCode::UNAUTHORIZED);
    assert_eq!(
        login(&api, "operator", PASSWORD).await.code(),
        "BAD_CREDENTIALS"
    );
}

#[tokio::test]
async fn every_route_admits_its_roles_and_no_other() {
    let api = Api::start().await;
    for route in telecast_api::table() {
        let path = route
            .path
            .replace("{id}", "01890000-0000-7000-8000-000000000000")
            .replace("{name}", "send-message");
        // A logout would end the session that the next routes are called with.
        if path == "/api/auth/logout" {
            continue;
        }
        let call = async |token| {
            api.call(route.method.clone(), &path, token, Some(json!({"?": 1})))
                .await
        };
        let nobody = call(None).await;
        assert_eq!(
            nobody.code() == "UNAUTHENTICATED",
            route.access != telecast_api::Access::Anyone,
            "{} {path} without a token: {nobody:?}",
            route.method,
        );
        for role in EVERY_ROLE {
            let answer = call(Some(api.token(role))).await;
            assert_eq!(
                answer.code() == "FORBIDDEN",
                !route.access.admits(role),
                "{} {path} as {role}: {answer:?}",
                route.method,
            );
            assert!(
                !answer.status.is_server_error(),
                "{} {path}: {answer:?}",
                route.method
            );
        }
    }
}

/// The matrix above follows the table; this holds the table to what was agreed.
#[test]
fn auditors_read_operators_write_and_admins_keep_users_and_tokens() {
    for route in telecast_api::table() {
        let reads = route.method == Method::GET
            || route.path.ends_with("/preview")
            || route.path.starts_with("/api/auth/");
        let for_admins = ["/api/users", "/api/service-tokens", "/api/webhooks"]
            .iter()
            .any(|path| route.path.starts_with(path))
            || (route.path.starts_with("/api/bots") && !reads)
            || (route.path.starts_with("/api/queues") && !reads);
        for role in EVERY_ROLE {
            let may = match role {
                Role::Admin => true,
                Role::Operator => !for_admins,
                Role::Auditor => reads && !for_admins,
            };
            assert_eq!(
                route.access.admits(role),
                may,
                "{} {} as {role}",
                route.method,
                route.path
            );
        }
    }
}

#[tokio::test]
async fn a_token_that_was_tampered_with_or_expired_is_worth_nothing() {
    let api = Api::start().await;
    let token = api.token(Role::Admin);
    let tampered = format!("{}x", &token[..token.len() - 1]);
    for bad in ["", "x", tampered.as_str()] {
        let answer = api.call(Method::GET, "/api/auth/me", Some(bad), None).await;
        assert_eq!(answer.code(), "UNAUTHENTICATED");
    }
    api.sql("UPDATE sessions SET expires_at = now()").await;
    let answer = api
        .call(Method::GET, "/api/auth/me", Some(token), None)
        .await;
    assert_eq!(answer.code(), "UNAUTHENTICATED");
}

#[tokio::test]
async fn users_are_added_and_changed_and_their_passwords_never_shown() {
    let api = Api::start().await;
    let weak = json!({"username": "olga", "password": "short", "role": "OPERATOR"});
    let refused = api.post("/api/users", weak).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert_eq!(refused.body["error"]["details"]["field"], "password");

    let new = json!({"username": "olga", "password": "battery staple", "role": "AUDITOR"});
    let answer = api.post("/api/users", new.clone()).await;
    assert_eq!(answer.status, StatusCode::CREATED);
    let id = answer.id();
    assert_eq!(api.post("/api/users", new).await.code(), "NAME_TAKEN");
    let patch = json!({"role": "OPERATOR", "password": "another staple"});
    let changed = api.patch(&format!("/api/users/{id}"), patch).await.ok();
    assert_eq!(changed["role"], "OPERATOR");
    assert!(
        login(&api, "olga", "another staple")
            .await
            .status
            .is_success()
    );

    let list = api.get("/api/users?limit=1").await.ok();
    assert_eq!(
        (
            &list["items"][0]["username"],
            &list["pagination"]["hasMore"]
        ),
        (&json!("olga"), &json!(true))
    );
    let log = api.get("/api/audit-logs").await.ok().to_string();
    assert!(!log.contains("staple") && !log.contains("argon2"));
}

#[tokio::test]
async fn what_the_api_does_not_know_is_refused_in_its_own_form() {
    let api = Api::start().await;
    for (method, path, status, code) in [
        (
            Method::GET,
            "/api/nothing",
            StatusCode::NOT_FOUND,
            "NO_ROUTE",
        ),
        (
            Method::DELETE,
            "/api/auth/login",
            StatusCode::METHOD_NOT_ALLOWED,
            "NO_METHOD",
        ),
        (
            Method::GET,
            "/api/bots/7",
            StatusCode::BAD_REQUEST,
            "INVALID",
        ),
        (
            Method::GET,
            "/api/users?limit=0",
            StatusCode::BAD_REQUEST,
            "INVALID",
        ),
        (
            Method::GET,
            "/api/users?colour=red",
            StatusCode::BAD_REQUEST,
            "INVALID",
        ),
        (
            Method::GET,
            "/api/users?cursor=x",
            StatusCode::BAD_REQUEST,
            "INVALID",
        ),
    ] {
        let answer = api
            .call(method, path, Some(api.token(Role::Admin)), None)
            .await;
        assert_eq!((answer.status, answer.code()), (status, code), "{path}");
    }
    let typo = api
        .post("/api/batches", json!({"name": "a", "descripton": "b"}))
        .await;
    assert!(
        typo.message().contains("unknown field `descripton`"),
        "{typo:?}"
    );
    let nested = json!({"name": "a", "add": {"filter": {"active": "yes"}}});
    let nested = api.post("/api/batches", nested).await;
    assert_eq!(
        nested.body["error"]["details"]["field"],
        "add.filter.active"
    );
    let nul = api.post("/api/batches", json!({"name": "a\u{0}b"})).await;
    assert_eq!(nul.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_body_must_be_json_whole_and_of_bearable_size() {
    let api = Api::start().await;
    let send = async |content_type: &str, body: Vec<u8>| {
        let request = Request::post("/api/batches")
            .header(
                "authorization",
                format!("Bearer {}", api.token(Role::Admin)),
            )
            .header("content-type", content_type)
            .body(Body::from(body))
            .unwrap();
        api.send(request).await.status
    };
    assert_eq!(
        send("text/plain", b"{}".to_vec()).await,
        StatusCode::UNSUPPORTED_MEDIA_TYPE
    );
    assert_eq!(
        send("application/json", b"{".to_vec()).await,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(
        send("application/json", b"{\"name\":\"a\"} x".to_vec()).await,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(
        send("application/json", vec![b' '; 2 << 20]).await,
        StatusCode::PAYLOAD_TOO_LARGE
    );
}

#[tokio::test]
async fn the_health_of_api_and_database_is_open_to_all() {
    let api = Api::start().await;
    let answer = api.call(Method::GET, "/health", None, None).await;
    assert_eq!(answer.headers["x-content-type-options"], "nosniff");
    let body: Value = answer.ok();
    assert_eq!(body["status"], "ok");
}

#[tokio::test]
async fn a_service_token_lets_a_program_in_until_it_ends() {
    let api = Api::start().await;
    let new = json!({"name": "reports", "role": "AUDITOR", "days": 30});
    let made = api.post("/api/service-tokens", new).await.ok();
    let token = made["token"].as_str().unwrap();
    let call = async |method, path, body| api.call(method, path, Some(token), body).await;
    assert_eq!(
        call(Method::GET, "/api/campaigns", None).await.status,
        StatusCode::OK
    );
    let write = call(Method::POST, "/api/batches", Some(json!({"name": "a"}))).await;
    assert_eq!(write.code(), "FORBIDDEN");
    assert_eq!(
        call(Method::GET, "/api/auth/me", None).await.code(),
        "USERS_ONLY"
    );
    let list = api.get("/api/service-tokens").await.ok();
    assert_eq!(list["items"][0]["name"], "reports");
    assert!(!list.to_string().contains(token));

    api.sql("UPDATE service_tokens SET expires_at = now()")
        .await;
    assert_eq!(
        call(Method::GET, "/api/campaigns", None).await.code(),
        "UNAUTHENTICATED"
    );
    api.sql("UPDATE service_tokens SET expires_at = now() + interval '1 day'")
        .await;
    let path = format!("/api/service-tokens/{}", made["id"].as_str().unwrap());
    assert_eq!(api.delete(&path).await.status, StatusCode::NO_CONTENT);
    assert_eq!(
        call(Method::GET, "/api/campaigns", None).await.code(),
        "UNAUTHENTICATED"
    );
    assert_eq!(
        api.audited().await,
        ["SERVICE_TOKEN_CREATED", "SERVICE_TOKEN_DELETED"]
    );
}

#[tokio::test]
async fn what_a_program_does_is_in_the_audit_log_under_its_tokens_name() {
    let api = Api::start().await;
    for (field, value) in [
        ("days", json!(0)),
        ("days", json!(400)),
        ("name", json!(" ")),
    ] {
        let mut new = json!({"name": "sync", "role": "OPERATOR", "days": 1});
        new[field] = value;
        let refused = api.post("/api/service-tokens", new).await;
        assert_eq!(refused.body["error"]["details"]["field"], field);
    }
    let new = json!({"name": "sync", "role": "OPERATOR", "days": 1});
    let made = api.post("/api/service-tokens", new).await.ok();
    let token = made["token"].as_str();
    let batch = json!({"name": "by a program"});
    api.call(Method::POST, "/api/batches", token, Some(batch))
        .await
        .ok();
    let log = api.get("/api/audit-logs?action=BATCH_CREATED").await.ok();
    assert_eq!(log["items"][0]["actor"], "service token sync");
}
