//! Campaigns made from campaigns: a copy, and the two of an A/B test.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio_postgres::Transaction;
use uuid::Uuid;

use super::{Campaign, CampaignPatch, NewCampaign, Status, create, get, update};
use crate::{
    Error, Result,
    audit::Actor,
    batches::{self, NewBatch},
    check,
};

/// Makes a draft with the settings of a campaign of any status, but for its times: those
/// were for the campaign that had them.
///
/// # Errors
/// `NotFound`; `Invalid` for a bad name, or where the template has changed in what it needs.
pub async fn clone(
    transaction: &Transaction<'_>,
    actor: &Actor,
    id: Uuid,
    name: String,
) -> Result<Campaign> {
    let source = get(transaction, id).await?;
    create(transaction, actor, settings_of(source, name)).await
}

/// How to split a draft in two.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewSplit {
    /// The name of the second campaign, and of its batch, 1 to 200 characters; the batch of
    /// the first bears it with " (rest)".
    #[schemars(length(min = 1, max = 200))]
    pub name: String,
    /// The template of the second campaign.
    pub template_id: Uuid,
    /// The second campaign's part of the channels, in percent, 1 to 99; half if absent.
    #[serde(default = "half")]
    #[schemars(range(min = 1, max = 99))]
    pub percent: i32,
}

fn half() -> i32 {
    50
}

/// Both campaigns of an A/B test: drafts that differ in their template, on two parts of a
/// batch, drawn at random.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Split {
    /// The draft that was split, on what is left of its channels.
    pub a: Campaign,
    /// The new one.
    pub b: Campaign,
}

/// Splits a draft for an A/B test. Its batch stays as it is: both get batches of their own,
/// which have no channel in common.
///
/// # Errors
/// `NotFound`; `Conflict` for a campaign that is no draft, or a name in use; `Invalid` for a
/// bad field.
pub async fn split(
    transaction: &Transaction<'_>,
    actor: &Actor,
    id: Uuid,
    new: NewSplit,
) -> Result<Split> {
    check::name("name", &new.name)?;
    check::range("percent", new.percent, 1..=99)?;
    let source = get(transaction, id).await?;
    if source.status != Status::Draft {
        return Err(Error::conflict(
            "NOT_A_DRAFT",
            format!(
                "the campaign is {}; only a draft can be split",
                source.status
            ),
        ));
    }
    let batch = async |name: String| {
        let new = NewBatch {
            name,
            description: format!("A part of the batch of {:?}, drawn at random", source.name),
            add: batches::Selection::default(),
        };
        batches::create(transaction, actor, new).await
    };
    let chosen = batch(new.name.clone()).await?.id;
    let rest = batch(format!("{} (rest)", new.name.trim())).await?.id;
    batches::share_out(transaction, source.batch_id, [chosen, rest], new.percent).await?;
    let b = NewCampaign {
        batch_id: chosen,
        template_id: new.template_id,
        scheduled_at: source.scheduled_at,
        not_after: source.not_after,
        ..settings_of(source, new.name)
    };
    let patch = CampaignPatch {
        batch_id: Some(rest),
        ..CampaignPatch::default()
    };
    Ok(Split {
        a: update(transaction, actor, id, patch).await?,
        b: create(transaction, actor, b).await?,
    })
}

fn settings_of(source: Campaign, name: String) -> NewCampaign {
    NewCampaign {
        name,
        batch_id: source.batch_id,
        template_id: source.template_id,
        bot_id: Some(source.bot_id),
        params: match source.params {
            Value::Object(params) => params,
            _ => serde_json::Map::new(),
        },
        delivery_rate: source.delivery_rate,
        retry_limit: source.retry_limit,
        on_uncertain: source.on_uncertain,
        mode: source.mode,
        test_chat_id: source.test_chat_id,
        scheduled_at: None,
        not_after: None,
        quiet_hours: source.quiet_hours,
        cron: source.cron,
        timezone: source.timezone,
    }
}
