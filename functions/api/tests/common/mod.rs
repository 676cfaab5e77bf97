//! The API on a real database, called without a socket.
#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test stops where it cannot go on"
)]

pub mod campaign;

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use axum::{
    Router,
    body::{Body, to_bytes},
    extract::Path,
    http::{Method, Request, StatusCode, header},
    routing::post,
};
use deadpool_postgres::{Manager, Pool};
use serde_json::{Value, json};
use telecast_api::{App, Kick, Settings as ApiSettings, TokenSecret, router};
use telecast_core::{
    audit::Actor,
    bots::EncryptionKey,
    users::{self, NewUser, Password, Role},
};
use telecast_queue::Queue;
use telecast_telegram::{Client as Telegram, Settings};
use tokio_postgres::NoTls;
use tower::ServiceExt;

/// A token that the test's Telegram knows; all others it refuses.
pub const BOT_TOKEN: &str = "123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11";

/// The password of every user of these tests.
pub const PASSWORD: &str = "correct horse";

/// The API, with one user of each role: `admin`, `operator` and `auditor`.
pub struct Api {
    pub router: Router,
    pub pool: Pool,
    kicks: Arc<Kicks>,
    admin: String,
    operator: String,
    auditor: String,
}

/// Counts kicks.
#[derive(Default)]
struct Kicks(AtomicUsize);

#[async_trait]
impl Kick for Kicks {
    async fn kick(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: axum::http::HeaderMap,
    /// JSON, or a file as one text.
    pub body: Value,
}

impl Answer {
    /// The code of an error.
    pub fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or_default()
    }

    /// The message of an error.
    pub fn message(&self) -> &str {
        self.body["error"]["message"].as_str().unwrap_or_default()
    }

    /// The body of a success.
    #[track_caller]
    pub fn ok(self) -> Value {
        assert!(self.status.is_success(), "{self:?}");
        self.body
    }

    /// The id in the body of a success.
    #[track_caller]
    pub fn id(self) -> String {
        self.ok()["id"].as_str().expect("an id").to_owned()
    }
}

impl Api {
    pub async fn start() -> Self {
        // Tests call more often than people and most programs do.
        Self::start_with(ApiSettings {
            requests_per_second: 0,
            ..ApiSettings::default()
        })
        .await
    }

    pub async fn start_with(settings: ApiSettings) -> Self {
        let database = telecast_postgres::testing::database("api", migrate).await;
        let manager = Manager::new(database.config(), NoTls);
        let pool = Pool::builder(manager).max_size(4).build().unwrap();
        let kicks = Arc::new(Kicks::default());
        let app = App {
            pool: pool.clone(),
            queue: Queue::default(),
            token_secret: TokenSecret::new(&[1; 32]),
            encryption_key: EncryptionKey::new([2; 32]),
            telegram: telegram().await,
            kick: Some(kicks.clone()),
            settings,
        };
        let mut api = Self {
            router: router(app),
            pool,
            kicks,
            admin: String::new(),
            operator: String::new(),
            auditor: String::new(),
        };
        api.admin = api.login("admin").await;
        api.operator = api.login("operator").await;
        api.auditor = api.login("auditor").await;
        api
    }

    /// How often the scheduler was kicked.
    pub fn kicks(&self) -> usize {
        self.kicks.0.load(Ordering::SeqCst)
    }

    /// The access token of the user of a role.
    pub fn token(&self, role: Role) -> &str {
        match role {
            Role::Admin => &self.admin,
            Role::Operator => &self.operator,
            Role::Auditor => &self.auditor,
        }
    }

    async fn login(&self, username: &str) -> String {
        let body = json!({"username": username, "password": PASSWORD});
        let answer = self
            .call(Method::POST, "/api/auth/login", None, Some(body))
            .await;
        answer.ok()["token"].as_str().unwrap().to_owned()
    }

    /// Calls a route, with a token or without.
    pub async fn call(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
        body: Option<Value>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = match body {
            Some(body) => request
                .header(header::CONTENT_TYPE, "application/json")
                .body(Body::from(body.to_string())),
            None => request.body(Body::empty()),
        };
        self.send(request.unwrap()).await
    }

    /// Calls a route with a request of one's own making.
    pub async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap();
        let body = match bytes.is_empty() {
            true => Value::Null,
            false if parts.headers[header::CONTENT_TYPE] == "application/json" => {
                serde_json::from_slice(&bytes).unwrap()
            }
            false => String::from_utf8(bytes.into()).unwrap().into(),
        };
        Answer {
            status: parts.status,
            headers: parts.headers,
            body,
        }
    }

    /// GET, as the administrator.
    pub async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, Some(&self.admin), None).await
    }

    /// POST, as the administrator.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.call(Method::POST, path, Some(&self.admin), Some(body))
            .await
    }

    /// PATCH, as the administrator.
    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.call(Method::PATCH, path, Some(&self.admin), Some(body))
            .await
    }

    /// DELETE, as the administrator.
    pub async fn delete(&self, path: &str) -> Answer {
        self.call(Method::DELETE, path, Some(&self.admin), None)
            .await
    }

    /// Sends a file to the import, as the operator.
    pub async fn import(&self, content_type: &str, body: impl Into<Body>) -> Answer {
        let request = Request::post("/api/channels/import")
            .header(header::AUTHORIZATION, format!("Bearer {}", self.operator))
            .header(header::CONTENT_TYPE, content_type)
            .body(body.into())
            .unwrap();
        self.send(request).await
    }

    /// The actions in the audit log after the logins of [`Api::start`], oldest first.
    pub async fn audited(&self) -> Vec<String> {
        let client = self.pool.get().await.unwrap();
        client
            .query_typed("SELECT action FROM audit_logs ORDER BY id OFFSET 6", &[])
            .await
            .unwrap()
            .iter()
            .map(|row| row.get(0))
            .collect()
    }

    /// Runs SQL behind the API's back.
    pub async fn sql(&self, sql: &str) {
        self.pool
            .get()
            .await
            .unwrap()
            .batch_execute(sql)
            .await
            .unwrap();
    }
}

/// A migrated database with one user of each role.
async fn migrate(url: String) {
    let (mut lock, first) = tokio_postgres::connect(&url, NoTls).await.unwrap();
    let (mut client, second) = tokio_postgres::connect(&url, NoTls).await.unwrap();
    let connections = tokio::spawn(async { tokio::join!(first, second) });
    telecast_core::migrate::migrate(&mut lock, &mut client)
        .await
        .unwrap();
    let transaction = client.transaction().await.unwrap();
    for (username, role) in [
        ("admin", Role::Admin),
        ("operator", Role::Operator),
        ("auditor", Role::Auditor),
    ] {
        let new = NewUser {
            username: username.to_owned(),
            password_hash: Password::typed(PASSWORD).hash().unwrap(),
            role,
        };
        users::create(&transaction, &Actor::system(), new)
            .await
            .unwrap();
    }
    transaction.commit().await.unwrap();
    drop((lock, client));
    let (first, second) = connections.await.unwrap();
    first.and(second).unwrap();
}

/// A Telegram that knows one bot.
async fn telegram() -> Telegram {
    let get_me = async |Path(bot): Path<String>| {
        if bot == format!("bot{BOT_TOKEN}") {
            let result =
                json!({"id": 123456, "is_bot": true, "first_name": "News", "username": "news_bot"});
            (
                StatusCode::OK,
                axum::Json(json!({"ok": true, "result": result})),
            )
        } else {
            let refusal = json!({"ok": false, "error_code": 401, "description": "Unauthorized"});
            (StatusCode::UNAUTHORIZED, axum::Json(refusal))
        }
    };
    let router = Router::new().route("/{bot}/getMe", post(get_me));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async { axum::serve(listener, router).await });
    Telegram::new(&Settings {
        base_url,
        ..Settings::default()
    })
    .unwrap()
}
