//! The command line.

use std::{net::SocketAddr, path::PathBuf};

use chrono::{DateTime, Utc};
use clap::{Args, Parser, Subcommand, ValueEnum};
use telecast_core::users::Role;

/// Delivers Telegram campaigns: one message, many channels, at a chosen rate, with
/// retries, on nothing but PostgreSQL.
#[derive(Debug, Parser)]
#[command(name = "telecast", version, after_long_help = ENVIRONMENT)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run everything in this process: API, scheduler, handlers and, unless
    /// DATABASE_URL is set, a PostgreSQL server of its own
    Up(Up),
    /// Watch a campaign to simulated channels, from its creation over the API to its end
    Demo(Demo),
    /// Send one campaign from files, to Telegram or, without a bot token, to the simulator
    Send(Send),
    /// Print when the messages of a campaign would go, and send nothing
    Plan(Plan),
    /// Bring the database of DATABASE_URL to this version's schema; make the first admin and,
    /// where TELEGRAM_BOT_TOKEN and ENCRYPTION_KEY are set, the default bot
    Migrate,
    /// Add a user to the database of DATABASE_URL, or give one another password
    User(User),
    /// Run the scheduler on the database of DATABASE_URL, and the handlers in this process
    /// or elsewhere
    Scheduler(Scheduler),
    /// Run the API on the database of DATABASE_URL
    Api(Api),
}

/// Where to listen and where to keep what lasts.
#[derive(Debug, Args)]
pub(crate) struct Up {
    /// Address of the API
    #[arg(long, env = "TELECAST_LISTEN", default_value = "127.0.0.1:8787")]
    pub(crate) listen: SocketAddr,
    /// Where the embedded database and the keys are kept [default: the user's data directory]
    #[arg(long, env = "TELECAST_DATA_DIR")]
    pub(crate) data_dir: Option<PathBuf>,
}

/// Where to listen.
#[derive(Debug, Args)]
pub(crate) struct Api {
    /// Address of the API
    #[arg(long, env = "TELECAST_LISTEN", default_value = "127.0.0.1:8787")]
    pub(crate) listen: SocketAddr,
}

/// A user.
#[derive(Debug, Args)]
pub(crate) struct User {
    #[command(subcommand)]
    pub(crate) command: UserCommand,
    /// Read the password from standard input instead of making one and printing it
    #[arg(long, global = true)]
    pub(crate) password_stdin: bool,
}

/// What to do with a user.
#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Add a user
    Create {
        /// 1 to 100 characters
        name: String,
        /// ADMIN, OPERATOR or AUDITOR
        #[arg(long, default_value_t = Role::Admin)]
        role: Role,
    },
    /// Give a user another password, and end their sessions
    Password {
        /// The user's name
        name: String,
    },
}

/// How handlers are reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Invoker {
    /// In this process
    Inprocess,
    /// As Lambda functions, by the Invoke API
    Lambda,
    /// By their URLs
    Url,
}

/// Where the handlers are, and what makes the scheduler run.
#[derive(Debug, Args)]
pub(crate) struct Scheduler {
    /// How handlers are reached
    #[arg(long, env = "INVOKER", value_enum, default_value_t = Invoker::Inprocess)]
    pub(crate) invoker: Invoker,
    /// Lambda's Invoke API, such as http://127.0.0.1:9000 for `cargo lambda watch`
    /// [default: AWS's]
    #[arg(long, env = "LAMBDA_ENDPOINT", value_name = "URL")]
    pub(crate) endpoint: Option<String>,
    /// Each queue's handler, for `--invoker url`: send-message=https://…,start-campaign=https://…
    #[arg(long, env = "HANDLER_URLS", value_name = "QUEUE=URL,…")]
    pub(crate) handler_urls: Option<String>,
    /// Run for a minute at each POST to this address, which must carry HANDLER_SECRET as
    /// a bearer, instead of all the time
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) tick_on: Option<SocketAddr>,
}

/// The demonstration.
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Simulated channels
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) channels: u32,
    /// Messages per minute
    #[arg(long, default_value_t = 1200, value_parser = clap::value_parser!(i32).range(1..=60_000))]
    pub(crate) rate: i32,
    /// Exit when the campaign is done, instead of staying up
    #[arg(long)]
    pub(crate) once: bool,
    /// Print the report as one line of JSON at the end
    #[arg(long)]
    pub(crate) json: bool,
    /// Address of the API [default: a free port]
    #[arg(long, default_value = "127.0.0.1:0")]
    pub(crate) listen: SocketAddr,
    /// Run the functions as Lambda functions, under `cargo lambda watch`, and print their
    /// logs; to be run where Telecast's sources are
    #[arg(long)]
    pub(crate) cargo_lambda: bool,
}

/// One campaign from files.
#[derive(Debug, Args)]
pub(crate) struct Send {
    /// The channels: .csv with a header line, or .jsonl
    #[arg(long, value_name = "FILE")]
    pub(crate) channels: PathBuf,
    /// The message: HTML as Telegram knows it, with {{username}}, {{title}}, {{category}}
    #[arg(long, value_name = "FILE")]
    pub(crate) template: PathBuf,
    /// Messages per minute
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(i32).range(1..=60_000))]
    pub(crate) rate: i32,
    /// The bot; without one the simulator stands in for Telegram
    #[arg(long, env = "TELEGRAM_BOT_TOKEN", hide_env_values = true)]
    pub(crate) bot_token: Option<String>,
    /// Check the files and print each message instead of sending it
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Print the report as one line of JSON at the end
    #[arg(long)]
    pub(crate) json: bool,
}

/// A campaign to be, in numbers.
#[derive(Debug, Args)]
pub(crate) struct Plan {
    /// Messages per minute
    #[arg(long, value_parser = clap::value_parser!(i32).range(1..=60_000))]
    pub(crate) rate: i32,
    /// How many channels
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    pub(crate) channels: u32,
    /// Messages per second of the bot
    #[arg(long, default_value_t = 25, value_parser = clap::value_parser!(i32).range(1..=1_000))]
    pub(crate) bot_rate: i32,
    /// When it begins, such as 2030-01-31T09:00:00Z [default: now]
    #[arg(long)]
    pub(crate) start: Option<DateTime<Utc>>,
}

const ENVIRONMENT: &str = include_str!("environment.txt");
