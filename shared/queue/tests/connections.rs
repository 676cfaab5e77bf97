//! Through a pooler in transaction mode, and over TLS.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test stops where it cannot go on"
)]

mod common;

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use common::{Bench, bench_of};
use serde_json::json;
use telecast_queue::{
    Failure, Fetch, Find, JobOptions, Listener, Match, NewJob, NewSchedule, Policy, Queue,
    QueueOptions, Send, Sender, Upkeep, Which, Worker,
};
use tokio::sync::Semaphore;
use tokio_postgres::{Client, NoTls};

const POOLER: &str = "/usr/sbin/pgbouncer";

/// A PgBouncer of three server connections for more clients than that; stops when dropped.
struct Pooler {
    process: Child,
    port: u16,
    _folder: tempfile::TempDir,
}

impl Drop for Pooler {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Pooler {
    async fn start(bench: &Bench) -> Self {
        let server = bench.database.config();
        let folder = tempfile::tempdir().unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let config = format!(
            "[databases]
             queue = host=127.0.0.1 port={} dbname={} user={} password={}
             [pgbouncer]
             listen_addr = 127.0.0.1
             listen_port = {port}
             unix_socket_dir =
             auth_type = any
             pool_mode = transaction
             default_pool_size = 3
             user = postgres",
            server.get_ports()[0],
            server.get_dbname().unwrap(),
            server.get_user().unwrap(),
            String::from_utf8_lossy(server.get_password().unwrap_or_default()),
        );
        let file = folder.path().join("pgbouncer.ini");
        let is_root = std::fs::metadata("/proc/self").unwrap();
        let config = if std::os::unix::fs::MetadataExt::uid(&is_root) == 0 {
            open_to_all(folder.path());
            config
        } else {
            config.replace("user = postgres", "")
        };
        std::fs::write(&file, config).unwrap();
        let process = Command::new(POOLER)
            .arg(&file)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let pooler = Self {
            process,
            port,
            _folder: folder,
        };
        for _ in 0..100 {
            if tokio::net::TcpStream::connect(("127.0.0.1", port))
                .await
                .is_ok()
            {
                return pooler;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the pooler does not answer");
    }

    async fn connect(&self) -> Client {
        let url = format!("postgres://anyone@127.0.0.1:{}/queue", self.port);
        let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    }
}

/// The pooler gives up root, and reads its file after.
fn open_to_all(folder: &Path) {
    let all = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(folder, all).unwrap();
}

/// Every operation at least once, a few of them often.
async fn everything(queue: Queue, mut client: Client, n: usize) {
    let own = format!("own-{n}");
    queue
        .create_queue(&client, &own, &QueueOptions::default())
        .await
        .unwrap();
    queue.subscribe(&client, "event", &own).await.unwrap();
    for turn in 0..20 {
        let options = JobOptions {
            priority: turn,
            ..JobOptions::default()
        };
        let send = Send {
            data: json!({ "n": n }),
            options,
            ..Send::to("q")
        };
        queue.send(&client, &send).await.unwrap();
        let transaction = client.transaction().await.unwrap();
        queue
            .insert(
                &transaction,
                "q",
                &[NewJob::new(json!({})), NewJob::new(json!({}))],
            )
            .await
            .unwrap();
        transaction.commit().await.unwrap();

        let mut jobs = queue
            .fetch(
                &client,
                &Fetch {
                    batch: 3,
                    ..Fetch::from("q")
                },
            )
            .await
            .unwrap();
        if let Some(job) = jobs.pop() {
            queue.touch(&client, "q", [&job]).await.unwrap();
            queue
                .fail(&client, "q", [&job], &Failure::default())
                .await
                .unwrap();
        }
        if let Some(job) = jobs.pop() {
            queue.release(&client, "q", [&job], None).await.unwrap();
        }
        let next = Fetch::from("q");
        let (_, more) = queue
            .complete_and_fetch(&client, &jobs, None, &next)
            .await
            .unwrap();
        queue.complete(&client, "q", &more, None).await.unwrap();
    }
    let schedule = NewSchedule {
        queue: own.clone(),
        cron: "* * * * *".to_owned(),
        ..NewSchedule::default()
    };
    queue.schedule(&client, &schedule).await.unwrap();
    queue
        .run_schedules(&client, Duration::ZERO, None)
        .await
        .unwrap();
    queue
        .publish(&client, "event", &json!({}), &JobOptions::default())
        .await
        .unwrap();
    let which = Which::Key("k".to_owned(), Match::Newest);
    queue
        .upsert(&client, &own, &which, &telecast_queue::Change::default())
        .await
        .unwrap();
    let upkeep = Upkeep {
        monitor_interval: Duration::ZERO,
        maintain_interval: Duration::ZERO,
        ..Upkeep::default()
    };
    queue.upkeep(&client, &upkeep, None).await.unwrap();
    queue
        .queue_stats(&client, &own, Duration::ZERO)
        .await
        .unwrap();
    assert!(
        !queue
            .find(&client, &own, &Find::default())
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn everything_works_through_a_pooler_in_transaction_mode() {
    if !Path::new(POOLER).exists() {
        eprintln!("skipped: {POOLER} is not installed (Debian's package pgbouncer)");
        assert!(std::env::var_os("CI").is_none(), "CI must have it");
        return;
    }
    let bench = bench_of(Policy::Standard).await;
    let pooler = Pooler::start(&bench).await;
    let mut clients = Vec::new();
    for n in 0..8 {
        let client = pooler.connect().await;
        clients.push(tokio::spawn(everything(bench.queue.clone(), client, n)));
    }
    for client in clients {
        client.await.unwrap();
    }
    // Not before: each runs the schedules of all, and so sends jobs to their queues.
    let client = pooler.connect().await;
    for n in 0..8 {
        let own = format!("own-{n}");
        bench.queue.unschedule(&client, &own, "").await.unwrap();
        bench.queue.delete_queue(&client, &own).await.unwrap();
    }
    // 8 clients, 20 turns, 3 jobs a turn; nothing is lost.
    assert_eq!(bench.count("name = 'q'").await, 480);
    let client = pooler.connect().await;
    let rest = Fetch {
        batch: 480,
        ..Fetch::from("q")
    };
    let jobs = bench.queue.fetch(&client, &rest).await.unwrap();
    bench
        .queue
        .complete(&client, "q", &jobs, None)
        .await
        .unwrap();
    assert_eq!(
        bench
            .count("name = 'q' AND state IN ('completed', 'failed')")
            .await,
        480
    );
}

/// Gives the test's server a certificate; it takes it up without a restart.
async fn serve_tls(bench: &Bench) -> rustls::pki_types::CertificateDer<'static> {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let folder = tempfile::tempdir().unwrap().keep();
    open_to_all(&folder);
    let (cert, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    // Through the server itself, so that the files are its own user's.
    bench
        .sql(&format!(
            "COPY (SELECT unnest(string_to_array('{cert}', E'\\n'))) TO PROGRAM 'cat > server.crt';
             COPY (SELECT unnest(string_to_array('{key}', E'\\n'))) TO PROGRAM 'umask 077; cat > server.key'"
        ))
        .await;
    bench.sql("ALTER SYSTEM SET ssl = on").await;
    bench.sql("SELECT pg_reload_conf()").await;
    made.cert.der().clone()
}

#[tokio::test]
async fn a_sender_and_a_worker_work_through_a_pooler_too() {
    if !Path::new(POOLER).exists() {
        eprintln!("skipped: {POOLER} is not installed (Debian's package pgbouncer)");
        assert!(std::env::var_os("CI").is_none(), "CI must have it");
        return;
    }
    let bench = bench_of(Policy::Standard).await;
    let pooler = Pooler::start(&bench).await;
    let sender = Sender::new(bench.queue.clone(), pooler.connect().await);
    let sends = (0..50).map(|_| sender.send(Send::to("q")));
    for sent in futures_util::future::join_all(sends).await {
        sent.unwrap();
    }
    let handled = Arc::new(Semaphore::new(0));
    let handler = |_job| {
        handled.add_permits(1);
        async { Ok(None) }
    };
    let worker = Worker::new("q");
    let stop = async { handled.acquire_many(50).await.unwrap().forget() };
    let client = pooler.connect().await;
    let run = worker.run(&bench.queue, &client, None, handler, stop);
    run.await.unwrap();
    assert_eq!(bench.count("state = 'completed'").await, 50);
}

#[tokio::test]
async fn everything_works_over_tls() {
    let bench = bench_of(Policy::Standard).await;
    let certificate = serve_tls(&bench).await;
    let mut roots = rustls::RootCertStore::empty();
    roots.add(certificate).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let tls = tokio_postgres_rustls::MakeRustlsConnect::new(tls);
    let mut config = bench.database.config();
    // The certificate is for the name; the server listens on one address.
    let port = config.get_ports()[0];
    let (user, dbname) = (
        config.get_user().unwrap().to_owned(),
        config.get_dbname().unwrap().to_owned(),
    );
    let password = config.get_password().unwrap_or_default().to_owned();
    config = tokio_postgres::Config::new();
    config
        .host("localhost")
        .hostaddr([127, 0, 0, 1].into())
        .port(port)
        .user(user)
        .password(password)
        .dbname(dbname)
        .ssl_mode(tokio_postgres::config::SslMode::Require);

    let mut tries = 0;
    let (client, connection) = loop {
        match config.connect(tls.clone()).await {
            Ok(connected) => break connected,
            // The server takes up its new settings when it gets to it.
            Err(error) if tries == 50 => panic!("{error:?}"),
            Err(_) => tries += 1,
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    tokio::spawn(connection);
    let mut listener = Listener::connect(&bench.queue, &config, tls).await.unwrap();
    let change = telecast_queue::QueueChange {
        notify: Some(true),
        ..Default::default()
    };
    bench
        .queue
        .update_queue(&client, "q", &change)
        .await
        .unwrap();
    everything(bench.queue.clone(), client, 0).await;
    assert!(listener.next().await.unwrap().contains("q"));
}
