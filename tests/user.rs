//! `telecast user`: who is let in where nobody can log in yet, or any more.
#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a test stops where it cannot go on"
)]

use std::{
    io::Write,
    process::{Command, Output, Stdio},
};

use telecast_core::users::{self, Password, Role};
use telecast_postgres::testing::{self, Database};

fn telecast(database: &Database, arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_telecast"))
        .args(arguments)
        .env("DATABASE_URL", database.url())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    child.wait_with_output().unwrap()
}

fn printed(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[tokio::test]
async fn a_user_is_made_and_gets_another_password() {
    let database = testing::database("user", async |_| {}).await;
    let run = |arguments: &[&str], input: &str| telecast(&database, arguments, input);
    assert!(run(&["migrate"], "").status.success());

    let made = run(&["user", "create", "olga", "--role", "OPERATOR"], "");
    assert!(made.status.success());
    assert!(printed(&made).contains("made the user olga, OPERATOR"));
    assert!(printed(&made).contains("the password is "));
    let again = run(&["user", "create", "olga"], "");
    assert!(!again.status.success());
    assert!(String::from_utf8_lossy(&again.stderr).contains("olga"));

    let client = database.connect().await;
    let before = users::credentials(&client, "olga").await.unwrap().unwrap();
    assert_eq!(before.user.role, Role::Operator);
    let typed = ["user", "password", "olga", "--password-stdin"];
    let changed = run(&typed, "correct horse battery\n");
    assert!(changed.status.success());
    assert!(!printed(&changed).contains("the password is "));
    let after = users::credentials(&client, "olga").await.unwrap().unwrap();
    let typed_in = Password::typed("correct horse battery");
    assert!(typed_in.matches(Some(&after.password_hash)));

    assert!(!run(&["user", "password", "nobody"], "").status.success());
}
