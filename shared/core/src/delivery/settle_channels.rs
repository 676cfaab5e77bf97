//! What the outcomes of a batch tell of its channels.

use std::collections::HashMap;

use tokio_postgres::{Transaction, types::Type};
use uuid::Uuid;

use super::{ChannelEffect, settle::Settled};
use crate::Result;

/// What is told of one channel. Campaigns of one batch may share a channel.
#[derive(Debug, Clone, Copy, Default)]
struct Told {
    works: bool,
    errors: i32,
    gone: bool,
    chat_id: Option<i64>,
}

impl Told {
    fn add(&mut self, effect: ChannelEffect, moved_to: Option<i64>) {
        match effect {
            ChannelEffect::None => {}
            ChannelEffect::Works { chat_id } => {
                self.works = true;
                self.chat_id = chat_id.or(self.chat_id);
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

/// Writes it down.
pub(super) async fn settle_channels(
    transaction: &Transaction<'_>,
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
    transaction
        .execute_typed(
            include_str!("settle_channels.sql"),
            &[
                (&ids, Type::UUID_ARRAY),
                (&errors, Type::INT4_ARRAY),
                (&gone, Type::BOOL_ARRAY),
                (&chat_ids, Type::INT8_ARRAY),
            ],
        )
        .await?;
    Ok(())
}
