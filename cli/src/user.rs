//! Users by the command line: the first administrator, and a password that was forgotten.

use std::{io, process::ExitCode};

use anyhow::{Context, Result};
use telecast_core::{
    audit::Actor,
    users::{self, NewUser, Password, UserPatch},
};
use telecast_runtime::{
    config::{Variables, environment},
    database::pool,
};

use crate::args::{User, UserCommand};

pub(crate) async fn run(user: User) -> Result<ExitCode> {
    let url = Variables::new(&environment).required_database_url()?;
    let (password, is_generated) = password(user.password_stdin)?;
    let password_hash = password.hash().context("the password")?;
    let pool = pool(&url, 1)?;
    let mut client = pool.get().await?;
    let transaction = client.transaction().await?;
    // Who may reach the database needs no login.
    let actor = Actor {
        name: "command line".to_owned(),
        ..Actor::system()
    };
    let done = match user.command {
        UserCommand::Create { name, role } => {
            let new = NewUser {
                username: name,
                password_hash,
                role,
            };
            let user = users::create(&transaction, &actor, new).await?;
            format!("made the user {}, {}", user.username, user.role)
        }
        UserCommand::Password { name } => {
            let found = users::credentials(&*transaction, &name).await?;
            let user = found
                .with_context(|| format!("there is no user named {name:?}"))?
                .user;
            let patch = UserPatch {
                password_hash: Some(password_hash),
                ..UserPatch::default()
            };
            users::update(&transaction, &actor, user.id, patch).await?;
            format!(
                "changed the password of {}; their sessions have ended",
                user.username
            )
        }
    };
    transaction.commit().await?;
    println!("{done}");
    if is_generated {
        println!("the password is {}", password.expose());
    }
    Ok(ExitCode::SUCCESS)
}

/// From standard input, else generated; and which of these.
fn password(from_stdin: bool) -> Result<(Password, bool)> {
    if !from_stdin {
        return Ok((Password::generate(), true));
    }
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    Ok((Password::typed(line.trim_end_matches(['\r', '\n'])), false))
}
