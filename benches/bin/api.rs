//! The API with much in the database: an import of 75,000 lines, and a campaign of a million
//! message jobs.
//!
//! ```text
//! cargo run --release -p telecast-benches --bin bench-api -- 75000 1000000
//! ```
//!
//! The numbers are the lines of the import and the message jobs of the campaign. The API is
//! in this process, behind a socket; PostgreSQL syncs nothing to disk.
#![forbid(unsafe_code)]

use std::{env, fmt::Write, path::Path, time::Duration};

use anyhow::{Context, Result};
use reqwest::{
    Client, StatusCode,
    header::{CONTENT_TYPE, COOKIE, SET_COOKIE},
    redirect::Policy,
};
use serde_json::{Value, json};
use telecast_api::{App, Settings, TokenSecret, router};
use telecast_benches::{
    campaign::{campaign, migrate},
    lambda_load::peak,
};
use telecast_core::{
    audit::Actor,
    bots::EncryptionKey,
    users::{self, NewUser, Password, Role},
};
use telecast_postgres::testing;
use telecast_queue::Queue;
use telecast_runtime::database;
use tokio::{net::TcpListener, time::Instant};

const REQUESTS: usize = 200;
const KEY: [u8; 32] = [7; 32];
const PASSWORD: &str = "correct horse";

#[tokio::main]
async fn main() -> Result<()> {
    // For the HTTP client; an error means that there is a provider already.
    rustls::crypto::ring::default_provider()
        .install_default()
        .ok();
    let mut arguments = env::args().skip(1);
    let mut number = |or: i32| arguments.next().map_or(Ok(or), |number| number.parse());
    let lines = number(75_000).context("how many lines?")?;
    let messages = number(1_000_000).context("how many messages?")?;
    let database = testing::database("bench_api", async |_url| {}).await;
    migrate(database.url()).await?;
    let mut client = database.connect().await;
    let api = Api::start(database.url(), &mut client).await?;
    import(&api, lines).await?;
    let key = EncryptionKey::new(KEY);
    let took = campaign(&mut client, &key, 1, messages).await?;
    println!(
        "planned {messages} message jobs in {:.1} s",
        took.as_secs_f64()
    );
    // A tenth went wrong, as on a bad day; the rest is sent.
    client
        .batch_execute(
            "UPDATE jobs SET
               status = CASE WHEN position % 10 = 0 THEN 'FAILED' ELSE 'SENT' END,
               error_class = CASE WHEN position % 10 = 0 THEN 'CHANNEL_GONE' END,
               error = CASE WHEN position % 10 = 0 THEN 'Forbidden: bot was kicked' END;
             UPDATE campaigns SET failed = (total + 9) / 10, sent = total - (total + 9) / 10;
             INSERT INTO campaign_minutes (campaign_id, minute, sent)
             SELECT id, date_trunc('minute', now()) - n * interval '1 minute', 1200
             FROM campaigns, generate_series(1, 700) AS n",
        )
        .await?;
    client.batch_execute("VACUUM ANALYZE").await?;
    let list: Value = api.get("/api/campaigns").await?.json().await?;
    let id = list["items"][0]["id"].as_str().context("a campaign")?;
    for path in [
        "",
        "/progress?seconds=0",
        "/activity",
        "/jobs",
        "/jobs?status=FAILED",
        "/events",
    ] {
        measure(&api, &format!("/api/campaigns/{id}{path}"), path).await?;
    }
    measure(&api, "/metrics", "metrics").await?;
    measure(&api, "/console", "console").await?;
    measure(
        &api,
        &format!("/console/campaigns/{id}"),
        "console: campaign",
    )
    .await?;
    let live = format!("/console/campaigns/{id}/live");
    measure(&api, &live, "console: its live part").await
}

/// Lines of which 9 % have no username but a chat id, and 14 % name a channel again.
async fn import(api: &Api, lines: i32) -> Result<()> {
    let mut file = String::from("username,title,category,tgstat_url,chat_id,collected_at\n");
    for line in 0..lines {
        let channel = if line % 50 >= 43 { line - 10 } else { line };
        let username = match channel % 100 < 9 {
            true => String::new(),
            false => format!("channel_{channel}"),
        };
        writeln!(
            file,
            "{username},Канал номер {channel},новости,https://tgstat.ru/channel/{channel},-100{channel:010},2026-01-31T00:00:00Z"
        )?;
    }
    let megabytes = file.len() as f64 / 1e6;
    let own = Path::new("/proc/self");
    let before = peak(own)?;
    let began = Instant::now();
    let answer = api
        .client
        .post(format!("{}/api/channels/import", api.url))
        .bearer_auth(&api.token)
        .header(CONTENT_TYPE, "text/csv")
        .body(file)
        .send()
        .await?
        .error_for_status()?;
    let mut report: Value = answer.json().await?;
    let took = began.elapsed();
    for lists in ["duplicateLines", "rejectedLines"] {
        let length = report[lists].as_array().map_or(0, Vec::len);
        report[lists] = json!(format!("{length} named"));
    }
    println!(
        "imported {lines} lines ({megabytes:.1} MB) in {:.2} s; peak memory {before:.0} MB before, {:.0} MB after, the file itself included",
        took.as_secs_f64(),
        peak(own)?
    );
    println!("{report}");
    Ok(())
}

async fn measure(api: &Api, path: &str, name: &str) -> Result<()> {
    let mut times = Vec::with_capacity(REQUESTS);
    for _ in 0..REQUESTS {
        let began = Instant::now();
        let answer = api.get(path).await?;
        anyhow::ensure!(
            answer.status() == StatusCode::OK,
            "{path}: {}",
            answer.status()
        );
        answer.bytes().await?;
        times.push(began.elapsed());
    }
    times.sort_unstable();
    let at = |part: usize| milliseconds(times[REQUESTS * part / 100]);
    println!(
        "GET {name:<22} p50 {:>7.2} ms   p99 {:>7.2} ms",
        at(50),
        at(99)
    );
    Ok(())
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// The API, and an administrator of it.
struct Api {
    url: String,
    token: String,
    /// Of a session of the console.
    cookie: String,
    client: Client,
}

impl Api {
    async fn start(url: &str, client: &mut tokio_postgres::Client) -> Result<Self> {
        let transaction = client.transaction().await?;
        let new = NewUser {
            username: "admin".to_owned(),
            password_hash: Password::typed(PASSWORD).hash()?,
            role: Role::Admin,
        };
        users::create(&transaction, &Actor::system(), new).await?;
        transaction.commit().await?;
        let app = App {
            pool: database::pool(&url.parse()?, 4)?,
            queue: Queue::default(),
            token_secret: TokenSecret::new(&KEY),
            encryption_key: EncryptionKey::new(KEY),
            telegram: telecast_telegram::Client::new(&telecast_telegram::Settings::default())?,
            kick: None,
            settings: Settings {
                requests_per_second: 0,
                ..Settings::default()
            },
        };
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let service = router(app).into_make_service_with_connect_info::<std::net::SocketAddr>();
        tokio::spawn(async { axum::serve(listener, service).await });
        let client = Client::builder().redirect(Policy::none()).build()?;
        let login = json!({"username": "admin", "password": PASSWORD});
        let answer = client
            .post(format!("{url}/api/auth/login"))
            .json(&login)
            .send()
            .await?
            .error_for_status()?;
        let answer: Value = answer.json().await?;
        let form = client.post(format!("{url}/console/sign-in"));
        let form = form
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(format!(
                "username=admin&password={}",
                PASSWORD.replace(' ', "+")
            ));
        let signed_in = form.send().await?;
        let cookie = signed_in.headers().get(SET_COOKIE).context("a cookie")?;
        let cookie = cookie.to_str()?.split(';').next().unwrap_or_default();
        Ok(Self {
            cookie: cookie.to_owned(),
            token: answer["token"].as_str().context("a token")?.to_owned(),
            url,
            client,
        })
    }

    async fn get(&self, path: &str) -> Result<reqwest::Response> {
        let request = self.client.get(format!("{}{path}", self.url));
        let request = request.header(COOKIE, &self.cookie);
        Ok(request.bearer_auth(&self.token).send().await?)
    }
}
