//! Users, their sessions, and login back-off.
#![allow(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

mod common;

use common::{audited, database, operator, scalar};
use telecast_core::{
    Error,
    users::{self, LoginKeys, NewUser, Password, Role, User, UserPatch},
};
use tokio_postgres::Client;

async fn add(client: &mut Client, name: &str, role: Role) -> User {
    let transaction = client.transaction().await.unwrap();
    let new = NewUser {
        username: name.to_owned(),
        password_hash: Password::typed("correct horse").hash().unwrap(),
        role,
    };
    let user = users::create(&transaction, &operator(), new).await.unwrap();
    transaction.commit().await.unwrap();
    user
}

async fn update(client: &mut Client, user: &User, patch: UserPatch) -> Result<User, Error> {
    let transaction = client.transaction().await.unwrap();
    let user = users::update(&transaction, &operator(), user.id, patch).await?;
    transaction.commit().await.unwrap();
    Ok(user)
}

#[tokio::test]
async fn the_first_admin_is_made_once() {
    let mut client = database().await;
    let password = Password::generate();
    for first in [true, false] {
        let transaction = client.transaction().await.unwrap();
        let made = users::ensure_admin(&transaction, &password).await.unwrap();
        transaction.commit().await.unwrap();
        assert_eq!(made.is_some(), first);
    }
    let admin = users::credentials(&client, "Admin").await.unwrap().unwrap();
    assert_eq!(admin.user.role, Role::Admin);
    assert!(password.matches(Some(&admin.password_hash)));
    assert_eq!(audited(&client).await, ["USER_CREATED"]);
}

#[tokio::test]
async fn a_name_is_unique_without_regard_to_case() {
    let mut client = database().await;
    add(&mut client, "Olga", Role::Operator).await;
    let transaction = client.transaction().await.unwrap();
    let new = NewUser {
        username: "olga".to_owned(),
        password_hash: Password::typed("correct horse").hash().unwrap(),
        role: Role::Admin,
    };
    let error = users::create(&transaction, &operator(), new)
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            Error::Conflict {
                code: "NAME_TAKEN",
                ..
            }
        ),
        "{error}"
    );
}

#[tokio::test]
async fn the_last_administrator_can_neither_leave_nor_step_down() {
    let mut client = database().await;
    let ada = add(&mut client, "ada", Role::Admin).await;
    let disabled = || UserPatch {
        disabled: Some(true),
        ..UserPatch::default()
    };
    let demoted = UserPatch {
        role: Some(Role::Auditor),
        ..UserPatch::default()
    };
    for patch in [disabled(), demoted] {
        let error = update(&mut client, &ada, patch).await.unwrap_err();
        assert!(
            matches!(
                error,
                Error::Conflict {
                    code: "LAST_ADMIN",
                    ..
                }
            ),
            "{error}"
        );
    }
    add(&mut client, "grace", Role::Admin).await;
    let ada = update(&mut client, &ada, disabled()).await.unwrap();
    assert!(ada.disabled_at.is_some());
}

#[tokio::test]
async fn a_session_ends_with_logout_with_its_time_and_with_its_user() {
    let mut client = database().await;
    add(&mut client, "ada", Role::Admin).await;
    let olga = add(&mut client, "olga", Role::Operator).await;
    let transaction = client.transaction().await.unwrap();
    let mut sessions = Vec::new();
    for _ in 0..3 {
        sessions.push(users::open(&transaction, olga.id).await.unwrap().id);
    }
    transaction.commit().await.unwrap();
    for id in &sessions {
        let user = users::authenticate(&client, *id).await.unwrap().unwrap();
        assert_eq!(user.username, "olga");
    }

    let transaction = client.transaction().await.unwrap();
    assert!(users::close(&transaction, sessions[0]).await.unwrap());
    assert!(!users::close(&transaction, sessions[0]).await.unwrap());
    transaction.commit().await.unwrap();
    common::execute(
        &client,
        "UPDATE sessions SET expires_at = now() WHERE id = $1::text::uuid",
        &sessions[1].to_string(),
    )
    .await;
    let transaction = client.transaction().await.unwrap();
    users::open(&transaction, olga.id).await.unwrap();
    transaction.commit().await.unwrap();
    let kept: i64 = scalar(&client, "SELECT count(*) FROM sessions").await;
    assert_eq!(
        kept, 2,
        "the ended session is forgotten with the next login"
    );
    assert!(
        users::authenticate(&client, sessions[0])
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        users::authenticate(&client, sessions[1])
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        users::authenticate(&client, sessions[2])
            .await
            .unwrap()
            .is_some()
    );

    let patch = UserPatch {
        disabled: Some(true),
        ..UserPatch::default()
    };
    update(&mut client, &olga, patch).await.unwrap();
    assert!(
        users::authenticate(&client, sessions[2])
            .await
            .unwrap()
            .is_none()
    );
    assert!(users::credentials(&client, "olga").await.unwrap().is_none());
}

#[tokio::test]
async fn a_refresh_token_works_once_and_brings_the_next() {
    let mut client = database().await;
    let olga = add(&mut client, "olga", Role::Admin).await;
    let transaction = client.transaction().await.unwrap();
    let first = users::open(&transaction, olga.id).await.unwrap();
    let (user, second) = users::refresh(&transaction, &first.refresh_token)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((user.id, second.id), (olga.id, first.id));
    assert!(
        users::refresh(&transaction, &first.refresh_token)
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        users::refresh(&transaction, &second.refresh_token)
            .await
            .unwrap()
            .is_some()
    );
}

#[tokio::test]
async fn a_new_password_ends_all_sessions() {
    let mut client = database().await;
    let olga = add(&mut client, "olga", Role::Admin).await;
    let transaction = client.transaction().await.unwrap();
    let session = users::open(&transaction, olga.id).await.unwrap();
    transaction.commit().await.unwrap();
    let patch = UserPatch {
        password_hash: Some(Password::typed("battery staple").hash().unwrap()),
        ..UserPatch::default()
    };
    update(&mut client, &olga, patch).await.unwrap();
    assert!(
        users::authenticate(&client, session.id)
            .await
            .unwrap()
            .is_none()
    );
    let shown: String = scalar(
        &client,
        "SELECT details::text FROM audit_logs WHERE action = 'USER_UPDATED'",
    )
    .await;
    assert!(shown.contains("\"passwordChanged\": true"));
    assert!(!shown.contains("argon2"));
}

async fn blocked(client: &mut Client, keys: &LoginKeys) -> bool {
    let transaction = client.transaction().await.unwrap();
    let until = users::charge(&transaction, keys).await.unwrap();
    transaction.commit().await.unwrap();
    until.is_some()
}

#[tokio::test]
async fn failures_of_one_user_block_that_user_for_a_while() {
    let mut client = database().await;
    let olga = LoginKeys::new("Olga", Some("192.0.2.1"));
    for attempt in 1..=5 {
        assert!(!blocked(&mut client, &olga).await, "attempt {attempt}");
    }
    assert!(blocked(&mut client, &olga).await);
    assert!(blocked(&mut client, &LoginKeys::new(" olga", Some("192.0.2.2"))).await);
    assert!(!blocked(&mut client, &LoginKeys::new("ada", Some("192.0.2.1"))).await);

    // The wait is over; one more failure waits longer, to a minute at most.
    let wait = "SELECT extract(epoch FROM blocked_until - last_at)::float8 FROM login_failures WHERE key = 'user:olga'";
    let mut waits = vec![scalar::<f64>(&client, wait).await];
    for _ in 0..8 {
        client
            .batch_execute("UPDATE login_failures SET blocked_until = now()")
            .await
            .unwrap();
        assert!(!blocked(&mut client, &olga).await);
        waits.push(scalar(&client, wait).await);
    }
    assert_eq!(waits, [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0]);
}

#[tokio::test]
async fn failures_from_one_address_block_that_address_for_all_users() {
    let mut client = database().await;
    for n in 0..20 {
        let keys = LoginKeys::new(&format!("user{n}"), Some("192.0.2.1"));
        assert!(!blocked(&mut client, &keys).await);
    }
    assert!(blocked(&mut client, &LoginKeys::new("ada", Some("192.0.2.1"))).await);
    assert!(!blocked(&mut client, &LoginKeys::new("grace", Some("192.0.2.2"))).await);
}

#[tokio::test]
async fn a_success_and_a_quarter_of_an_hour_forgive() {
    let mut client = database().await;
    let olga = LoginKeys::new("olga", Some("192.0.2.1"));
    for _ in 0..4 {
        assert!(!blocked(&mut client, &olga).await);
    }
    let transaction = client.transaction().await.unwrap();
    users::forgive(&transaction, &olga).await.unwrap();
    transaction.commit().await.unwrap();
    for _ in 0..5 {
        assert!(!blocked(&mut client, &olga).await);
    }
    assert!(blocked(&mut client, &olga).await);
    client
        .batch_execute(
            "UPDATE login_failures
             SET last_at = now() - interval '16 minutes', blocked_until = now()",
        )
        .await
        .unwrap();
    for _ in 0..5 {
        assert!(!blocked(&mut client, &olga).await);
    }
}
