//! `telegram-sim`: the simulator in a process of its own.
#![forbid(unsafe_code)]

use std::net::SocketAddr;

use clap::Parser;
use telecast_telegram_sim::{Config, Limits, Simulator};

/// A Telegram Bot API simulator that is as strict as Telegram.
///
/// It is steered over HTTP: POST /sim/chats {"count": 100}; POST /sim/script {"chat":
/// "@sim_channel_1", "steps": [{"type": "kicked"}]}; POST /sim/flood {"bot": "123456",
/// "seconds": 30}; POST /sim/revoke {"token": "…"}; GET /sim/ledger[?chat=@name];
/// DELETE /sim/ledger; GET /sim/summary.
#[derive(Parser)]
#[command(name = "telegram-sim", version)]
struct Arguments {
    /// The address to listen on; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:8081")]
    listen: SocketAddr,
    /// How many channels to know, named @sim_channel_1 and so on.
    #[arg(long, default_value_t = 100)]
    chats: u32,
    /// Make a channel of any other @username when it is first written to.
    #[arg(long)]
    any_username: bool,
    /// Know this bot token alone; may be given more than once.
    #[arg(long = "token", value_name = "TOKEN")]
    tokens: Vec<String>,
    /// Enforce no rates.
    #[arg(long)]
    unlimited: bool,
    /// Seconds up to which an ignored flood wait grows.
    #[arg(long, default_value_t = 3600)]
    longest_wait: u64,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .init();
    let arguments = Arguments::parse();
    let mut simulator = Simulator::start(Config {
        listen: arguments.listen,
        limits: Limits {
            longest_wait: arguments.longest_wait,
            ..if arguments.unlimited {
                Limits::UNLIMITED
            } else {
                Limits::default()
            }
        },
        chats: arguments.chats,
        accept_any_username: arguments.any_username,
        tokens: arguments.tokens,
    })
    .await?;
    println!("{}", simulator.base_url());
    tokio::select! {
        () = simulator.wait() => {}
        interrupted = tokio::signal::ctrl_c() => interrupted?,
    }
    Ok(())
}
