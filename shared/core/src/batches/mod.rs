//! Batches: named sets of channels that a campaign goes to.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio_postgres::{GenericClient, Row, Transaction, types::Type};
use uuid::Uuid;

use crate::{
    Error, Result,
    audit::{self, Actor},
    channels::Filter,
    check,
    page::{List, Page},
};

/// The most channels named one by one in a request; a filter takes any number.
const MOST_IDS: usize = 10_000;

/// A batch.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Batch {
    /// Its id.
    pub id: Uuid,
    /// The operators' name for it, unique.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// How many channels it has.
    pub channels: i64,
    /// How many of them a campaign would write to: active, and not opted out.
    pub sendable: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// Which channels: those named, and those that match the filter.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Selection {
    /// Up to 10,000 channels by id.
    #[serde(default)]
    #[schemars(length(max = 10_000))]
    pub channel_ids: Vec<Uuid>,
    /// All that match; `{}` matches every channel.
    #[serde(default)]
    pub filter: Option<Filter>,
}

/// A batch to make.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewBatch {
    /// 1 to 200 characters, unique.
    #[schemars(length(min = 1, max = 200))]
    pub name: String,
    /// What it is for.
    #[serde(default)]
    #[schemars(length(max = 2000))]
    pub description: String,
    /// Its channels; none, if absent.
    #[serde(default)]
    pub add: Selection,
}

/// Changes to a batch. Campaigns that started keep the channels they started with.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BatchPatch {
    /// Another name.
    #[schemars(length(min = 1, max = 200))]
    pub name: Option<String>,
    /// Another description.
    #[schemars(length(max = 2000))]
    pub description: Option<String>,
    /// Channels to take out; done first.
    #[serde(default)]
    pub remove: Selection,
    /// Channels to put in.
    #[serde(default)]
    pub add: Selection,
}

impl Batch {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            id: row.try_get("id")?,
            name: row.try_get("name")?,
            description: row.try_get("description")?,
            channels: row.try_get("channels")?,
            sendable: row.try_get("sendable")?,
            created_at: row.try_get("created_at")?,
            updated_at: row.try_get("updated_at")?,
        })
    }
}

/// Makes a batch. Channels that opted out are not put in by a filter, and refused by id.
///
/// # Errors
/// `Invalid` for a bad field, an unknown channel or one that opted out; `Conflict` for a name in use.
pub async fn create(transaction: &Transaction<'_>, actor: &Actor, new: NewBatch) -> Result<Batch> {
    check::name("name", &new.name)?;
    check_description(&new.description)?;
    let id = Uuid::now_v7();
    let name = new.name.trim();
    transaction
        .execute_typed(
            "INSERT INTO batches (id, name, description) VALUES ($1, $2, $3)",
            &[
                (&id, Type::UUID),
                (&name, Type::TEXT),
                (&new.description, Type::TEXT),
            ],
        )
        .await
        .map_err(|error| check::name_taken(error, "batch", name))?;
    add(transaction, id, &new.add).await?;
    let batch = get(transaction, id).await?;
    let details = json!({"after": batch, "add": new.add});
    audit::record(transaction, actor, "BATCH_CREATED", "batch", id, details).await?;
    Ok(batch)
}

/// Changes a batch.
///
/// # Errors
/// As [`create`], and `NotFound`.
pub async fn update(
    transaction: &Transaction<'_>,
    actor: &Actor,
    id: Uuid,
    patch: BatchPatch,
) -> Result<Batch> {
    if let Some(name) = &patch.name {
        check::name("name", name)?;
    }
    if let Some(description) = &patch.description {
        check_description(description)?;
    }
    let before = lock(transaction, id).await?;
    let name = patch
        .name
        .as_deref()
        .map_or(before.name.as_str(), str::trim);
    transaction
        .execute_typed(
            "UPDATE batches
             SET name = $2, description = coalesce($3, description), updated_at = now()
             WHERE id = $1",
            &[
                (&id, Type::UUID),
                (&name, Type::TEXT),
                (&patch.description, Type::TEXT),
            ],
        )
        .await
        .map_err(|error| check::name_taken(error, "batch", name))?;
    remove(transaction, id, &patch.remove).await?;
    add(transaction, id, &patch.add).await?;
    let batch = get(transaction, id).await?;
    let details =
        json!({"before": before, "after": batch, "remove": patch.remove, "add": patch.add});
    audit::record(transaction, actor, "BATCH_UPDATED", "batch", id, details).await?;
    Ok(batch)
}

/// Makes a batch of the same channels, but for those that opted out since.
///
/// # Errors
/// `NotFound`, `Invalid` for a bad name, `Conflict` for a name in use.
pub async fn clone(
    transaction: &Transaction<'_>,
    actor: &Actor,
    id: Uuid,
    name: String,
) -> Result<Batch> {
    let source = get(transaction, id).await?;
    let new = NewBatch {
        name,
        description: source.description,
        add: Selection {
            channel_ids: Vec::new(),
            filter: Some(Filter {
                batch_id: Some(id),
                ..Filter::default()
            }),
        },
    };
    create(transaction, actor, new).await
}

/// Draws the channels of a batch at random into two others: `percent` into the first, the
/// rest into the second.
pub(crate) async fn share_out(
    transaction: &Transaction<'_>,
    id: Uuid,
    [first, rest]: [Uuid; 2],
    percent: i32,
) -> Result<()> {
    transaction
        .execute_typed(
            include_str!("share_out.sql"),
            &[
                (&id, Type::UUID),
                (&first, Type::UUID),
                (&rest, Type::UUID),
                (&percent, Type::INT4),
            ],
        )
        .await?;
    Ok(())
}

/// Deletes a batch; its channels stay.
///
/// # Errors
/// `NotFound`; `Conflict` while a campaign uses it.
pub async fn delete(transaction: &Transaction<'_>, actor: &Actor, id: Uuid) -> Result<()> {
    let before = lock(transaction, id).await?;
    transaction
        .execute_typed("DELETE FROM batches WHERE id = $1", &[(&id, Type::UUID)])
        .await
        .map_err(|error| check::in_use(error, "batch"))?;
    let details = json!({"before": before});
    audit::record(transaction, actor, "BATCH_DELETED", "batch", id, details).await
}

/// The batch with this id.
///
/// # Errors
/// `NotFound`.
pub async fn get(client: &impl GenericClient, id: Uuid) -> Result<Batch> {
    let row = client
        .query_typed_opt(include_str!("get.sql"), &[(&id, Type::UUID)])
        .await?
        .ok_or_else(|| Error::not_found("batch", id))?;
    Batch::from_row(&row)
}

/// Batches, newest first.
pub async fn list(client: &impl GenericClient, page: Page) -> Result<List<Batch>> {
    let rows = client
        .query_typed(
            include_str!("list.sql"),
            &[(&page.after(), Type::UUID), (&page.fetch(), Type::INT8)],
        )
        .await?;
    let batches = rows.iter().map(Batch::from_row).collect::<Result<_>>()?;
    Ok(page.list(batches, |batch: &Batch| batch.id))
}

async fn lock(transaction: &Transaction<'_>, id: Uuid) -> Result<Batch> {
    transaction
        .query_typed(
            "SELECT FROM batches WHERE id = $1 FOR UPDATE",
            &[(&id, Type::UUID)],
        )
        .await?;
    get(transaction, id).await
}

/// Puts channels into a batch by what an import named them: public names (in lower
/// case, without the @) and chat ids. Gives how many were added.
pub async fn add_named(
    transaction: &Transaction<'_>,
    id: Uuid,
    usernames: &[String],
    chat_ids: &[i64],
) -> Result<u64> {
    Ok(transaction
        .execute_typed(
            include_str!("add_named.sql"),
            &[
                (&id, Type::UUID),
                (&usernames, Type::TEXT_ARRAY),
                (&chat_ids, Type::INT8_ARRAY),
            ],
        )
        .await?)
}

async fn add(transaction: &Transaction<'_>, id: Uuid, selection: &Selection) -> Result<()> {
    check_ids("add.channelIds", &selection.channel_ids)?;
    if !selection.channel_ids.is_empty() {
        let refused = transaction
            .query_typed_opt(
                include_str!("refused.sql"),
                &[(&selection.channel_ids, Type::UUID_ARRAY)],
            )
            .await?;
        if let Some(row) = refused {
            let channel: Uuid = row.try_get("id")?;
            let why = match row.try_get("known")? {
                true => "has opted out; its owner wants no messages",
                false => "does not exist",
            };
            let message = format!("channel {channel} {why}");
            return Err(Error::invalid("add.channelIds", message));
        }
        transaction
            .execute_typed(
                "INSERT INTO batch_channels (batch_id, channel_id)
                 SELECT $1, unnest($2::uuid[])
                 ON CONFLICT DO NOTHING",
                &[
                    (&id, Type::UUID),
                    (&selection.channel_ids, Type::UUID_ARRAY),
                ],
            )
            .await?;
    }
    if let Some(filter) = &selection.filter {
        by_filter(transaction, include_str!("add_by_filter.sql"), id, filter).await?;
    }
    Ok(())
}

async fn remove(transaction: &Transaction<'_>, id: Uuid, selection: &Selection) -> Result<()> {
    check_ids("remove.channelIds", &selection.channel_ids)?;
    transaction
        .execute_typed(
            "DELETE FROM batch_channels WHERE batch_id = $1 AND channel_id = ANY ($2)",
            &[
                (&id, Type::UUID),
                (&selection.channel_ids, Type::UUID_ARRAY),
            ],
        )
        .await?;
    if let Some(filter) = &selection.filter {
        by_filter(
            transaction,
            include_str!("remove_by_filter.sql"),
            id,
            filter,
        )
        .await?;
    }
    Ok(())
}

async fn by_filter(
    transaction: &Transaction<'_>,
    statement: &str,
    id: Uuid,
    filter: &Filter,
) -> Result<()> {
    transaction
        .execute_typed(
            statement,
            &[
                (&id, Type::UUID),
                (&filter.category, Type::TEXT),
                (&filter.active, Type::BOOL),
                (&filter.pattern(), Type::TEXT),
                (&filter.batch_id, Type::UUID),
            ],
        )
        .await?;
    Ok(())
}

fn check_ids(field: &'static str, ids: &[Uuid]) -> Result<()> {
    if ids.len() <= MOST_IDS {
        Ok(())
    } else {
        let message = format!("names {} channels; at most {MOST_IDS} at once", ids.len());
        Err(Error::invalid(field, message))
    }
}

fn check_description(text: &str) -> Result<()> {
    if text.chars().count() <= 2000 {
        Ok(())
    } else {
        Err(Error::invalid(
            "description",
            "must have at most 2000 characters",
        ))
    }
}
