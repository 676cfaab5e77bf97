//! Telecast in one process: database, Telegram or its simulator, API, scheduler and
//! handlers.

mod cargo_lambda;
mod database;
mod keys;
mod services;
mod telegram;

use std::{net::SocketAddr, path::PathBuf};

use anyhow::{Context, Result};
use deadpool_postgres::Pool;
use telecast_core::{
    bots::{self, EncryptionKey},
    users,
};
use telecast_runtime::config::Variables;
use telecast_telegram::BotToken;
use telecast_telegram_sim::Simulator;

pub(crate) use database::{default_data_dir, migrate};
pub(crate) use keys::Keys;
pub(crate) use services::{Services, handlers, serve_api};
pub(crate) use telegram::{Telegram, client};

use cargo_lambda::CargoLambda;
use database::Database;

/// How much of it to start, and with what.
pub(crate) struct Settings {
    /// Address of the API.
    pub(crate) listen: SocketAddr,
    /// Where the embedded database and the keys are.
    pub(crate) data_dir: PathBuf,
    /// Whether the environment may name another database.
    pub(crate) may_use_database_url: bool,
    /// Who delivers.
    pub(crate) telegram: Telegram,
    /// Whether the functions run under `cargo lambda watch` instead of in this process.
    pub(crate) cargo_lambda: bool,
}

/// All of it, running.
pub(crate) struct Local {
    /// The API's base URL.
    pub(crate) url: String,
    /// The first admin's password, if this start made the admin.
    pub(crate) admin_password: Option<String>,
    /// The simulator, where it stands in for Telegram.
    pub(crate) simulator: Option<Simulator>,
    /// The database.
    pub(crate) pool: Pool,
    functions: Functions,
    // Last: the database goes when nothing uses it any more.
    database: Database,
}

/// API, scheduler and handlers.
enum Functions {
    InProcess(Services),
    CargoLambda(Box<CargoLambda>),
}

impl Local {
    /// Starts everything and waits until it answers.
    pub(crate) async fn start(settings: Settings, variables: Variables<'_>) -> Result<Self> {
        let database = Database::open(&settings, variables).await?;
        let applied = migrate(database.url()).await?;
        if !applied.is_empty() {
            tracing::info!(migrations = ?applied, "migrated the database");
        }
        let pool = telecast_runtime::database::pool(database.url(), 16)?;
        let keys = Keys::load(variables, &settings.data_dir)?;
        let telegram = settings.telegram.start().await?;
        let admin_password = ensure_admin(&pool, variables).await?;
        ensure_bot(&pool, &keys.encryption(), &telegram.token).await?;
        let functions = if settings.cargo_lambda {
            let own = database.own_url().zip(telegram.simulator.as_ref());
            let (own_database, simulator) =
                own.context("functions run under cargo lambda for the demonstration alone")?;
            let variables = [
                ("DATABASE_URL", own_database),
                ("JWT_SECRET", keys.jwt_secret()),
                ("ENCRYPTION_KEY", keys.encryption_key()),
                ("TELEGRAM_API_URL", simulator.base_url()),
            ];
            Functions::CargoLambda(Box::new(CargoLambda::start(&variables).await?))
        } else {
            let services = Services::start(
                settings.listen,
                database.url(),
                variables,
                &pool,
                &keys,
                telegram.client,
            );
            Functions::InProcess(services.await?)
        };
        let url = match &functions {
            Functions::InProcess(services) => services.url(),
            Functions::CargoLambda(cargo_lambda) => cargo_lambda.url(),
        };
        Ok(Self {
            url,
            admin_password,
            simulator: telegram.simulator,
            pool,
            functions,
            database,
        })
    }

    /// Finishes what is under way, then stops, the database last.
    pub(crate) async fn stop(self) -> Result<()> {
        match self.functions {
            Functions::InProcess(services) => services.stop().await?,
            Functions::CargoLambda(cargo_lambda) => cargo_lambda.stop().await?,
        }
        self.pool.close();
        self.database.close().await
    }
}

/// Makes the first admin, if there is none, and gives the password.
pub(crate) async fn ensure_admin(pool: &Pool, variables: Variables<'_>) -> Result<Option<String>> {
    let password = match variables.text("TELECAST_ADMIN_PASSWORD") {
        Some(text) => users::Password::typed(text),
        None => users::Password::generate(),
    };
    let mut client = pool.get().await?;
    let transaction = client.transaction().await?;
    let made = users::ensure_admin(&transaction, &password).await?;
    transaction.commit().await?;
    Ok(made.map(|_| password.expose().to_owned()))
}

/// Makes this bot the default one.
pub(crate) async fn ensure_bot(pool: &Pool, key: &EncryptionKey, token: &BotToken) -> Result<()> {
    let mut client = pool.get().await?;
    let transaction = client.transaction().await?;
    bots::ensure_default(&transaction, key, token).await?;
    transaction.commit().await?;
    Ok(())
}
