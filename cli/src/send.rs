//! `telecast send`: one campaign from files, in the terminal.

use std::{fs::File, path::Path, process::ExitCode};

use anyhow::{Context, Result, bail};
use chrono::{DateTime, Utc};
use deadpool_postgres::Pool;
use serde_json::{Map, json};
use telecast_core::{
    audit::Actor,
    batches,
    campaigns::{self, Action},
    channels::{
        NewChannel, Username,
        import::{self, BadRow, Format, Importer},
    },
    templates::{self, Chat, Content, ParseMode, Recipient},
};
use telecast_queue::Queue;
use telecast_runtime::config::{Variables, environment};
use uuid::Uuid;

use crate::{
    args::Send,
    campaign_client::Progress,
    local::{Local, Settings, Telegram, default_data_dir},
    report::Report,
    shutdown, watch,
};

pub(crate) async fn run(send: Send) -> Result<ExitCode> {
    let text = std::fs::read_to_string(&send.template)
        .with_context(|| format!("could not read {}", send.template.display()))?;
    if send.dry_run {
        return dry_run(&send.channels, text.trim());
    }
    let variables = Variables::new(&environment);
    // With the simulator nothing is worth keeping.
    let temporary = tempfile::Builder::new()
        .prefix("telecast-send-")
        .tempdir()?;
    let settings = match &send.bot_token {
        Some(token) => Settings {
            listen: ([127, 0, 0, 1], 0).into(),
            data_dir: match variables.text("TELECAST_DATA_DIR") {
                Some(folder) => folder.into(),
                None => default_data_dir()?,
            },
            may_use_database_url: true,
            telegram: Telegram::Real {
                token: token.parse().context("--bot-token")?,
                base_url: variables.text("TELEGRAM_API_URL"),
            },
            cargo_lambda: false,
        },
        None => Settings {
            listen: ([127, 0, 0, 1], 0).into(),
            data_dir: temporary.path().to_owned(),
            may_use_database_url: false,
            telegram: Telegram::from_environment(variables)?,
            cargo_lambda: false,
        },
    };
    if send.bot_token.is_none() {
        eprintln!("No bot token: the messages go to a simulator.");
    }
    let local = Local::start(settings, variables).await?;
    let id = start(&local.pool, &send, text.trim()).await?;
    let done = tokio::select! {
        done = watch::watch(|| progress(&local.pool, id)) => Some(done?),
        asked = shutdown::asked() => { asked?; None }
    };
    let code = match done {
        Some(done) => {
            let times = first_and_last(&local.pool, id).await?;
            let report = Report::new(&done, send.rate, times, None);
            report.print(send.json)?;
            if report.sent == report.total {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            }
        }
        None => {
            eprintln!("Stopped. What was not sent yet is kept, and `telecast up` goes on with it.");
            ExitCode::FAILURE
        }
    };
    local.stop().await?;
    Ok(code)
}

/// Imports the channels, makes batch, template and campaign, and starts it: all of
/// it, or nothing.
async fn start(pool: &Pool, send: &Send, text: &str) -> Result<Uuid> {
    let actor = Actor {
        user_id: None,
        name: "telecast send".to_owned(),
        ip: None,
    };
    let name = format!("send {}", Utc::now().format("%Y-%m-%d %H:%M:%S%.3f"));
    let mut client = pool.get().await?;
    let transaction = client.transaction().await?;
    let mut importer = Importer::begin(&transaction).await?;
    let (mut usernames, mut chat_ids) = (Vec::new(), Vec::new());
    for line in open(&send.channels)? {
        let line = line?;
        match &line.row {
            Ok(channel) => {
                usernames.extend(channel.username.as_ref().map(Username::key));
                chat_ids.extend(channel.chat_id);
            }
            Err(bad) => eprintln!(
                "{}:{}: {}",
                send.channels.display(),
                line.number,
                bad.message
            ),
        }
        importer.push(line).await?;
    }
    importer.finish(&actor).await?;
    let batch = serde_json::from_value(json!({"name": name}))?;
    let batch = batches::create(&transaction, &actor, batch).await?;
    batches::add_named(&transaction, batch.id, &usernames, &chat_ids).await?;
    let template =
        serde_json::from_value(json!({"name": name, "text": text, "parseMode": "HTML"}))?;
    let template = templates::create(&transaction, &actor, template).await?;
    let campaign = serde_json::from_value(json!({
        "name": name,
        "batchId": batch.id,
        "templateId": template.id,
        "deliveryRate": send.rate,
    }))?;
    let campaign = campaigns::create(&transaction, &actor, campaign).await?;
    campaigns::act(
        &transaction,
        &Queue::default(),
        &actor,
        campaign.id,
        Action::Start,
    )
    .await?;
    transaction.commit().await?;
    Ok(campaign.id)
}

async fn progress(pool: &Pool, id: Uuid) -> Result<Progress> {
    let client = pool.get().await?;
    let campaign = campaigns::get(&**client, id).await?;
    Ok(serde_json::from_value(serde_json::to_value(campaign)?)?)
}

async fn first_and_last(pool: &Pool, id: Uuid) -> Result<Option<(DateTime<Utc>, DateTime<Utc>)>> {
    let row = pool
        .get()
        .await?
        .query_typed_one(
            "SELECT min(finished_at) AS first, max(finished_at) AS last
             FROM jobs
             WHERE campaign_id = $1
               AND status = 'SENT'",
            &[(&id, tokio_postgres::types::Type::UUID)],
        )
        .await?;
    let first: Option<DateTime<Utc>> = row.try_get("first")?;
    Ok(first.zip(row.try_get("last")?))
}

/// Prints each message as its channel would get it, and each line that is no channel.
fn dry_run(channels: &Path, text: &str) -> Result<ExitCode> {
    let content = Content {
        text: text.to_owned(),
        parse_mode: ParseMode::Html,
        media: None,
        options: templates::Options::default(),
    };
    templates::check(&content)?;
    let (mut messages, mut bad_lines) = (0, 0);
    for line in open(channels)? {
        let line = line?;
        match line.row {
            Ok(channel) => {
                let recipient = recipient(channel);
                let message = templates::fill(&content, &recipient, &Map::new())?;
                println!("--- {}\n{}", address(&recipient.chat), message.text);
                messages += 1;
            }
            Err(bad) => {
                eprintln!("{}:{}: {}", channels.display(), line.number, told(&bad));
                bad_lines += 1;
            }
        }
    }
    println!("--- {messages} messages, {bad_lines} lines that are no channel; nothing was sent");
    Ok(if bad_lines == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// What is wrong with a line, the field first.
fn told(bad: &BadRow) -> String {
    match &bad.field {
        Some(field) => format!("{field} {}", bad.message),
        None => bad.message.clone(),
    }
}

fn open(path: &Path) -> Result<import::Lines<'static>> {
    let format = match path.extension().and_then(|extension| extension.to_str()) {
        Some("csv") => Format::Csv,
        Some("jsonl") => Format::Jsonl,
        _ => bail!("{} must end in .csv or .jsonl", path.display()),
    };
    let file = File::open(path).with_context(|| format!("could not read {}", path.display()))?;
    import::read(format, file).with_context(|| path.display().to_string())
}

fn recipient(channel: NewChannel) -> Recipient {
    let username = channel.username.map(|name| name.as_str().to_owned());
    Recipient {
        chat: match (channel.chat_id, &username) {
            (Some(id), _) => Chat::Id(id),
            (None, name) => Chat::Username(format!("@{}", name.as_deref().unwrap_or_default())),
        },
        username,
        title: channel.title,
        category: channel.category,
    }
}

fn address(chat: &Chat) -> String {
    match chat {
        Chat::Id(id) => id.to_string(),
        Chat::Username(name) => name.clone(),
    }
}
