//! Who delivers: Telegram, or the simulator until a bot's token is given.

use anyhow::Result;
use telecast_runtime::config::Variables;
use telecast_telegram::{BotToken, Client, Settings};
use telecast_telegram_sim::{Config, Simulator};

/// The bot of the simulator.
const SIMULATED_TOKEN: &str = "1:simulated-bot-of-no-use-elsewhere-0000";

/// Telegram, or something that stands in for it.
pub(crate) enum Telegram {
    /// The Bot API at this base, or at Telegram's own.
    Real {
        /// The default bot.
        token: BotToken,
        /// TELEGRAM_API_URL.
        base_url: Option<String>,
    },
    /// A simulator with so many channels, and perhaps any other.
    Simulated {
        /// Channels named @sim_channel_1 and so on.
        channels: u32,
        /// Whether any other public name is a channel too.
        accept_any_username: bool,
    },
}

/// Ready to deliver.
pub(super) struct Started {
    pub(super) client: Client,
    pub(super) token: BotToken,
    pub(super) simulator: Option<Simulator>,
}

impl Telegram {
    /// By the environment: TELEGRAM_BOT_TOKEN, else the simulator, which then knows
    /// every channel.
    pub(crate) fn from_environment(variables: Variables<'_>) -> Result<Self> {
        Ok(match variables.optional("TELEGRAM_BOT_TOKEN")? {
            Some(token) => Self::Real {
                token,
                base_url: variables.text("TELEGRAM_API_URL"),
            },
            None => Self::Simulated {
                channels: 0,
                accept_any_username: true,
            },
        })
    }

    pub(super) async fn start(self) -> Result<Started> {
        match self {
            Self::Real { token, base_url } => Ok(Started {
                client: client(base_url)?,
                token,
                simulator: None,
            }),
            Self::Simulated {
                channels,
                accept_any_username,
            } => {
                let simulator = Simulator::start(Config {
                    chats: channels,
                    accept_any_username,
                    tokens: vec![SIMULATED_TOKEN.to_owned()],
                    ..Config::default()
                })
                .await?;
                Ok(Started {
                    client: client(Some(simulator.base_url()))?,
                    token: SIMULATED_TOKEN.parse()?,
                    simulator: Some(simulator),
                })
            }
        }
    }
}

/// A client of the Bot API at this base, or at Telegram's own.
pub(crate) fn client(base_url: Option<String>) -> Result<Client> {
    Ok(Client::new(&Settings::at(base_url))?)
}
