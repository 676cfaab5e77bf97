//! Webhooks in the database. Their secrets are sealed at rest, and told once.

use base64::{Engine, prelude::BASE64_STANDARD};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio_postgres::{GenericClient, Row, Transaction, types::Type};
use uuid::Uuid;

use super::{Event, announce};
use crate::{
    Error, Result,
    audit::{self, Actor},
    bots::EncryptionKey,
    check,
    page::{List, Page},
};

/// What secrets begin with, as the Standard Webhooks have it.
const PREFIX: &str = "whsec_";

/// A webhook, without its secret.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Webhook {
    /// Its id.
    pub id: Uuid,
    /// The administrators' name for it, unique.
    pub name: String,
    /// Where it is told.
    pub url: String,
    /// What it is told.
    pub events: Vec<Event>,
    /// Whether it is told at all.
    pub active: bool,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// A webhook to make.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewWebhook {
    /// 1 to 200 characters, unique.
    #[schemars(length(min = 1, max = 200))]
    pub name: String,
    /// An https URL.
    #[schemars(length(min = 9, max = 2000))]
    pub url: String,
    /// At least one.
    #[schemars(length(min = 1, max = 20))]
    pub events: Vec<Event>,
}

/// Changes to a webhook.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WebhookPatch {
    /// Another name.
    #[schemars(length(min = 1, max = 200))]
    pub name: Option<String>,
    /// Another URL.
    #[schemars(length(min = 9, max = 2000))]
    pub url: Option<String>,
    /// Other events; they replace all former ones.
    #[schemars(length(min = 1, max = 20))]
    pub events: Option<Vec<Event>>,
    /// Whether it is told at all.
    pub active: Option<bool>,
}

/// A webhook with its secret: the answer to its making, and to nothing else.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Created {
    /// What signs its deliveries: `whsec_` and the key in base64.
    pub secret: String,
    /// The webhook.
    #[serde(flatten)]
    pub webhook: Webhook,
}

impl Webhook {
    fn from_row(row: &Row) -> Result<Self> {
        let events: Vec<String> = row.try_get("events")?;
        let events = events.iter().map(|name| {
            name.parse().map_err(|_| Error::Corrupt {
                what: "webhook event",
                message: format!("{name:?} is not known"),
            })
        });
        Ok(Self {
            id: row.try_get("id")?,
            name: row.try_get("name")?,
            url: row.try_get("url")?,
            events: events.collect::<Result<_>>()?,
            active: row.try_get("active")?,
            created_at: row.try_get("created_at")?,
            updated_at: row.try_get("updated_at")?,
        })
    }
}

/// Makes a webhook. Whether its URL may be called is the caller's to say.
///
/// # Errors
/// `Invalid` for a bad field, `Conflict` for a name in use.
pub async fn create(
    transaction: &Transaction<'_>,
    actor: &Actor,
    key: &EncryptionKey,
    new: NewWebhook,
) -> Result<Created> {
    check::name("name", &new.name)?;
    check_events(&new.events)?;
    let id = Uuid::now_v7();
    let secret: [u8; 32] = rand::random();
    let sealed = key
        .seal(id.as_bytes(), &secret)
        .map_err(|error| Error::invalid("secret", error.to_string()))?;
    let name = new.name.trim();
    transaction
        .execute_typed(
            "INSERT INTO webhooks (id, name, url, events, secret_sealed, created_by)
             VALUES ($1, $2, $3, $4, $5, $6)",
            &[
                (&id, Type::UUID),
                (&name, Type::TEXT),
                (&new.url, Type::TEXT),
                (&names(&new.events), Type::TEXT_ARRAY),
                (&sealed, Type::BYTEA),
                (&actor.user_id, Type::UUID),
            ],
        )
        .await
        .map_err(|error| check::name_taken(error, "webhook", name))?;
    let webhook = get(transaction, id).await?;
    let details = json!({"after": webhook});
    audit::record(
        transaction,
        actor,
        "WEBHOOK_CREATED",
        "webhook",
        id,
        details,
    )
    .await?;
    Ok(Created {
        secret: format!("{PREFIX}{}", BASE64_STANDARD.encode(secret)),
        webhook,
    })
}

/// Changes a webhook. Deliveries that wait go to the new URL.
///
/// # Errors
/// `NotFound`, `Invalid`, `Conflict` for a name in use.
pub async fn update(
    transaction: &Transaction<'_>,
    actor: &Actor,
    id: Uuid,
    patch: WebhookPatch,
) -> Result<Webhook> {
    if let Some(name) = &patch.name {
        check::name("name", name)?;
    }
    if let Some(events) = &patch.events {
        check_events(events)?;
    }
    let before = get(transaction, id).await?;
    let name = patch.name.as_deref().map(str::trim);
    transaction
        .execute_typed(
            "UPDATE webhooks
             SET
               name = coalesce($2, name),
               url = coalesce($3, url),
               events = coalesce($4, events),
               active = coalesce($5, active),
               updated_at = now()
             WHERE id = $1",
            &[
                (&id, Type::UUID),
                (&name, Type::TEXT),
                (&patch.url, Type::TEXT),
                (&patch.events.as_deref().map(names), Type::TEXT_ARRAY),
                (&patch.active, Type::BOOL),
            ],
        )
        .await
        .map_err(|error| check::name_taken(error, "webhook", name.unwrap_or_default()))?;
    let after = get(transaction, id).await?;
    let details = json!({"before": before, "after": after});
    audit::record(
        transaction,
        actor,
        "WEBHOOK_UPDATED",
        "webhook",
        id,
        details,
    )
    .await?;
    Ok(after)
}

/// Deletes a webhook; what waits to be told to it never will be.
///
/// # Errors
/// `NotFound`.
pub async fn delete(transaction: &Transaction<'_>, actor: &Actor, id: Uuid) -> Result<()> {
    let before = get(transaction, id).await?;
    transaction
        .execute_typed("DELETE FROM webhooks WHERE id = $1", &[(&id, Type::UUID)])
        .await?;
    let details = json!({"before": before});
    audit::record(
        transaction,
        actor,
        "WEBHOOK_DELETED",
        "webhook",
        id,
        details,
    )
    .await
}

/// Has a webhook told an event that means nothing, and gives the queue job's id.
///
/// # Errors
/// `NotFound`.
pub async fn test(transaction: &Transaction<'_>, actor: &Actor, id: Uuid) -> Result<Option<Uuid>> {
    get(transaction, id).await?;
    let job = announce::test(transaction, id).await?;
    let details = json!({"jobId": job});
    audit::record(transaction, actor, "WEBHOOK_TESTED", "webhook", id, details).await?;
    Ok(job)
}

/// The webhook with this id.
///
/// # Errors
/// `NotFound`.
pub async fn get(client: &impl GenericClient, id: Uuid) -> Result<Webhook> {
    Webhook::from_row(&one(client, id).await?)
}

/// A webhook with the key that signs its deliveries.
///
/// # Errors
/// `NotFound`; `Corrupt` where it was sealed under another key.
pub async fn get_with_secret(
    client: &impl GenericClient,
    id: Uuid,
    key: &EncryptionKey,
) -> Result<(Webhook, Vec<u8>)> {
    let row = one(client, id).await?;
    let secret = key
        .open(id.as_bytes(), row.try_get("secret_sealed")?)
        .map_err(|error| Error::Corrupt {
            what: "webhook secret",
            message: error.to_string(),
        })?;
    Ok((Webhook::from_row(&row)?, secret))
}

/// All webhooks, newest first.
pub async fn list(client: &impl GenericClient, page: Page) -> Result<List<Webhook>> {
    let rows = read(client, None, page.after(), page.fetch()).await?;
    let webhooks = rows.iter().map(Webhook::from_row).collect::<Result<_>>()?;
    Ok(page.list(webhooks, |webhook: &Webhook| webhook.id))
}

async fn one(client: &impl GenericClient, id: Uuid) -> Result<Row> {
    read(client, Some(id), None, 1)
        .await?
        .pop()
        .ok_or_else(|| Error::not_found("webhook", id))
}

async fn read(
    client: &impl GenericClient,
    id: Option<Uuid>,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Row>> {
    Ok(client
        .query_typed(
            include_str!("read.sql"),
            &[
                (&id, Type::UUID),
                (&after, Type::UUID),
                (&limit, Type::INT8),
            ],
        )
        .await?)
}

fn check_events(events: &[Event]) -> Result<()> {
    if (1..=20).contains(&events.len()) {
        Ok(())
    } else {
        Err(Error::invalid("events", "must name 1 to 20 events"))
    }
}

fn names(events: &[Event]) -> Vec<&'static str> {
    events.iter().map(|event| event.into()).collect()
}
