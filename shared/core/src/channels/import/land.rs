//! Rows of an import land in the database, a chunk a statement.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use tokio_postgres::{Transaction, types::Type};
use uuid::Uuid;

use super::{Line, Report};
use crate::{
    Result,
    audit::{self, Actor},
    channels::{NewChannel, Username},
};

/// Rows a statement.
const CHUNK: usize = 1000;

/// Any number: the key under which imports exclude each other. Two at once that
/// name the same channels in another order would wait for each other in a circle.
const IMPORT_LOCK: i64 = 0x696d_706f_7274;

/// Takes rows and lands them, in the caller's transaction.
pub struct Importer<'a> {
    transaction: &'a Transaction<'a>,
    waiting: Vec<NewChannel>,
    usernames: HashSet<String>,
    chat_ids: HashSet<i64>,
    report: Report,
}

impl<'a> Importer<'a> {
    /// Begins an import, once no other is running.
    pub async fn begin(transaction: &'a Transaction<'a>) -> Result<Self> {
        transaction
            .execute_typed(
                "SELECT pg_advisory_xact_lock($1)",
                &[(&IMPORT_LOCK, Type::INT8)],
            )
            .await?;
        Ok(Self {
            transaction,
            waiting: Vec::with_capacity(CHUNK),
            usernames: HashSet::new(),
            chat_ids: HashSet::new(),
            report: Report::default(),
        })
    }

    /// Takes a row.
    pub async fn push(&mut self, line: Line) -> Result<()> {
        self.report.rows += 1;
        let channel = match line.row {
            Ok(channel) => channel,
            Err(bad) => {
                self.report.reject(line.number, bad);
                return Ok(());
            }
        };
        if !self.is_first(&channel) {
            self.report.duplicate(line.number);
            return Ok(());
        }
        self.waiting.push(channel);
        if self.waiting.len() == CHUNK {
            self.land().await?;
        }
        Ok(())
    }

    /// Lands what is left, and writes the audit row.
    pub async fn finish(mut self, actor: &Actor) -> Result<Report> {
        self.land().await?;
        let report = self.report;
        let details = json!({
            "rows": report.rows,
            "inserted": report.inserted,
            "updated": report.updated,
            "unchanged": report.unchanged,
            "duplicates": report.duplicates,
            "rejected": report.rejected,
        });
        let id = Uuid::now_v7();
        audit::record(
            self.transaction,
            actor,
            "CHANNELS_IMPORTED",
            "import",
            id,
            details,
        )
        .await?;
        Ok(report)
    }

    fn is_first(&mut self, channel: &NewChannel) -> bool {
        let name = channel.username.as_ref().map(Username::key);
        let seen = name
            .as_ref()
            .is_some_and(|name| self.usernames.contains(name))
            || channel
                .chat_id
                .is_some_and(|id| self.chat_ids.contains(&id));
        self.usernames.extend(name);
        self.chat_ids.extend(channel.chat_id);
        !seen
    }

    async fn land(&mut self) -> Result<()> {
        let rows = std::mem::take(&mut self.waiting);
        let username: Vec<_> = rows
            .iter()
            .map(|row| row.username.as_ref().map(Username::as_str))
            .collect();
        let chat_id: Vec<Option<i64>> = rows.iter().map(|row| row.chat_id).collect();
        let title: Vec<_> = rows.iter().map(|row| row.title.as_deref()).collect();
        let category: Vec<_> = rows.iter().map(|row| row.category.as_deref()).collect();
        let tgstat_url: Vec<_> = rows.iter().map(|row| row.tgstat_url.as_deref()).collect();
        let collected_at: Vec<Option<DateTime<Utc>>> =
            rows.iter().map(|row| row.collected_at).collect();
        let metadata: Vec<Value> = rows
            .iter()
            .map(|row| Value::Object(row.metadata.clone()))
            .collect();
        let counts = self
            .transaction
            .query_typed_one(
                include_str!("land.sql"),
                &[
                    (&username, Type::TEXT_ARRAY),
                    (&chat_id, Type::INT8_ARRAY),
                    (&title, Type::TEXT_ARRAY),
                    (&category, Type::TEXT_ARRAY),
                    (&tgstat_url, Type::TEXT_ARRAY),
                    (&collected_at, Type::TIMESTAMPTZ_ARRAY),
                    (&metadata, Type::JSONB_ARRAY),
                ],
            )
            .await?;
        let (inserted, updated): (i64, i64) =
            (counts.try_get("inserted")?, counts.try_get("updated")?);
        self.report.inserted += inserted.unsigned_abs();
        self.report.updated += updated.unsigned_abs();
        self.report.unchanged +=
            rows.len() as u64 - inserted.unsigned_abs() - updated.unsigned_abs();
        Ok(())
    }
}
