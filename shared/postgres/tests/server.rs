//! A private server, on the real PostgreSQL of this machine.
#![allow(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

use std::{
    fs,
    os::unix::{fs::MetadataExt, process::CommandExt},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use telecast_postgres::{Binaries, Durability, Error, Server};
use tokio_postgres::NoTls;

async fn ask(server: &Server, sql: &str) -> String {
    let (client, connection) = server.config("postgres").connect(NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    let row = client.query_one(sql, &[]).await.unwrap();
    let answer = row.get(0);
    drop(client);
    connection.await.unwrap().unwrap();
    answer
}

fn start(folder: &Path) -> Result<Server, Error> {
    Server::start(&Binaries::find()?, folder, Durability::Durable)
}

#[tokio::test]
async fn what_was_written_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(folder.path()).unwrap();
    ask(
        &server,
        "SELECT 'made' FROM (SELECT set_config('a.b', '1', false)) AS x",
    )
    .await;
    let (client, connection) = server.config("postgres").connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    client
        .batch_execute("CREATE TABLE kept AS SELECT 'kept' AS word")
        .await
        .unwrap();
    drop(client);
    drop(server);
    let again = start(folder.path()).unwrap();
    assert_eq!(ask(&again, "SELECT word FROM kept").await, "kept");
}

#[tokio::test]
async fn it_listens_on_loopback_only_and_asks_for_a_password() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(folder.path()).unwrap();
    assert_eq!(ask(&server, "SHOW listen_addresses").await, "127.0.0.1");
    let mut config = server.config("postgres");
    config.password("wrong");
    assert!(config.connect(NoTls).await.is_err());
}

#[test]
fn two_owners_cannot_share_a_data_directory() {
    let folder = tempfile::tempdir().unwrap();
    let _first = start(folder.path()).unwrap();
    assert!(matches!(start(folder.path()), Err(Error::InUse(_))));
}

#[test]
fn an_unfinished_cluster_is_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("cluster.unfinished")).unwrap();
    fs::write(folder.path().join("cluster.unfinished/PG_VERSION"), "15").unwrap();
    start(folder.path()).unwrap();
}

/// Runs in a child process, started by the test below; does nothing otherwise.
#[test]
fn child_that_starts_a_server_and_waits_to_be_killed() {
    let Ok(folder) = std::env::var("TELECAST_TEST_CHILD_FOLDER") else {
        return;
    };
    let server = start(Path::new(&folder)).unwrap();
    fs::write(Path::new(&folder).join("url"), server.url("postgres")).unwrap();
    std::thread::sleep(Duration::from_secs(600));
}

#[tokio::test]
async fn the_server_stops_when_its_owner_is_killed_and_the_next_start_works() {
    let folder = tempfile::tempdir().unwrap();
    let mut owner = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "child_that_starts_a_server_and_waits_to_be_killed",
        ])
        .env("TELECAST_TEST_CHILD_FOLDER", folder.path())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let url_file = folder.path().join("url");
    let mut url = String::new();
    while url.is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
        url = fs::read_to_string(&url_file).unwrap_or_default();
    }
    let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
    owner.kill().unwrap();
    owner.wait().unwrap();
    // The server closes our connection when it shuts down; no time-out is needed.
    connection.await.ok();
    drop(client);
    start(folder.path()).unwrap();
}

/// As after a crash of the machine: the number that the last server had is somebody
/// else's now.
#[test]
fn a_stranger_with_the_last_servers_process_id_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    drop(start(folder.path()).unwrap());
    let cluster = folder.path().join("cluster");
    let owner = fs::metadata(&cluster).unwrap().uid();
    let mut stranger = Command::new("sleep").arg("600").uid(owner).spawn().unwrap();
    let pid_file = format!("{}\n{}\n0\n1\n\n\n", stranger.id(), cluster.display());
    fs::write(cluster.join("postmaster.pid"), pid_file).unwrap();
    let started = start(folder.path());
    let lives_on = stranger.try_wait().unwrap().is_none();
    stranger.kill().unwrap();
    stranger.wait().unwrap();
    started.unwrap();
    assert!(lives_on);
}
