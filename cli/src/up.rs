//! `telecast up`: everything, until Ctrl-C.

use std::process::ExitCode;

use anyhow::Result;
use telecast_runtime::config::{Variables, environment};

use crate::{
    args::Up,
    local::{Local, Settings, Telegram, default_data_dir},
    shutdown,
};

pub(crate) async fn run(up: Up) -> Result<ExitCode> {
    let variables = Variables::new(&environment);
    let settings = Settings {
        listen: up.listen,
        data_dir: match up.data_dir {
            Some(folder) => folder,
            None => default_data_dir()?,
        },
        may_use_database_url: true,
        telegram: Telegram::from_environment(variables)?,
        cargo_lambda: false,
    };
    let local = Local::start(settings, variables).await?;
    println!("Telecast listens on {}", local.url);
    if let Some(password) = &local.admin_password {
        println!("Sign in as admin with the password {password}");
        println!("It is shown once. Change it with PATCH /api/users/<id>.");
    }
    if let Some(simulator) = &local.simulator {
        println!(
            "TELEGRAM_BOT_TOKEN is not set: messages go to a simulator at {}",
            simulator.base_url()
        );
    }
    println!("Press Ctrl-C to stop.");
    shutdown::asked().await?;
    println!("Stopping: finishing what is under way.");
    local.stop().await?;
    Ok(ExitCode::SUCCESS)
}
