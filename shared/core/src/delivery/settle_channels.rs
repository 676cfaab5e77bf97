//! What the outcomes of a batch tell of its channels.

use std::collections::{BTreeMap, HashMap, HashSet};

use telecast_queue::limits;
use telecast_telegram::ChatKind;
use tokio_postgres::{Transaction, types::Type};
use uuid::Uuid;

use super::{
    ChannelEffect,
    settle::{LockedCampaign, Settled},
};
use crate::{Result, campaigns, channels::kind_name};

/// What is told of one channel. Campaigns of one batch may share a channel.
#[derive(Debug, Clone, Copy, Default)]
struct Told {
    works: bool,
    errors: i32,
    gone: bool,
    chat_id: Option<i64>,
    kind: Option<ChatKind>,
}

impl Told {
    fn add(&mut self, effect: ChannelEffect, moved_to: Option<i64>) {
        match effect {
            ChannelEffect::None => {}
            ChannelEffect::Works { chat } => {
                self.works = true;
                self.chat_id = chat.map(|chat| chat.id).or(self.chat_id);
                self.kind = chat.map(|chat| chat.kind).or(self.kind);
            }
            ChannelEffect::Error => self.errors += 1,
            ChannelEffect::Gone => self.gone = true,
        }
        self.chat_id = moved_to.or(self.chat_id);
    }

    fn is_something(&self) -> bool {
        self.works || self.errors > 0 || self.gone || self.chat_id.is_some()
    }
}

/// Writes it down. What turns out to be a group gets a group's limit, for each bot of
/// the batch that writes to it.
pub(super) async fn settle_channels(
    transaction: &Transaction<'_>,
    locked: &BTreeMap<Uuid, LockedCampaign>,
    settled: &[Settled<'_>],
) -> Result<()> {
    let mut channels: HashMap<Uuid, Told> = HashMap::new();
    for settled in settled {
        channels
            .entry(settled.settlement.channel_id)
            .or_default()
            .add(settled.effect.channel, settled.settlement.moved_to);
    }
    channels.retain(|_, told| told.is_something());
    if channels.is_empty() {
        return Ok(());
    }
    let (ids, told): (Vec<Uuid>, Vec<Told>) = channels.into_iter().unzip();
    let errors: Vec<Option<i32>> = told
        .iter()
        .map(|told| (!told.works).then_some(told.errors))
        .collect();
    let gone: Vec<bool> = told.iter().map(|told| told.gone).collect();
    let chat_ids: Vec<Option<i64>> = told.iter().map(|told| told.chat_id).collect();
    let kinds: Vec<Option<&str>> = told
        .iter()
        .map(|told| told.kind.and_then(kind_name))
        .collect();
    let new_groups = transaction
        .query_typed(
            include_str!("settle_channels.sql"),
            &[
                (&ids, Type::UUID_ARRAY),
                (&errors, Type::INT4_ARRAY),
                (&gone, Type::BOOL_ARRAY),
                (&chat_ids, Type::INT8_ARRAY),
                (&kinds, Type::TEXT_ARRAY),
            ],
        )
        .await?
        .iter()
        .map(|row| row.try_get("id"))
        .collect::<std::result::Result<HashSet<Uuid>, _>>()?;
    let keys: Vec<String> = settled
        .iter()
        .map(|settled| settled.settlement)
        .filter(|settlement| new_groups.contains(&settlement.channel_id))
        .filter_map(|settlement| {
            let campaign = locked.get(&settlement.campaign_id)?;
            Some(campaigns::chat_limit_id(
                campaign.bot_id,
                settlement.channel_id,
            ))
        })
        .collect();
    if !keys.is_empty() {
        limits::set_key_limits(transaction, &keys, campaigns::limit_of_group()).await?;
    }
    Ok(())
}
