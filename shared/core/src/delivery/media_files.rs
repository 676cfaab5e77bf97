//! Media by URL is fetched by Telegram once: the file id that it gives a bot for it
//! stands for the URL from then on.

use std::collections::{HashMap, HashSet};

use tokio_postgres::{GenericClient, Transaction, types::Type};
use uuid::Uuid;

use crate::{
    Result,
    row::parse,
    templates::{Content, MediaKind},
};

/// Longer URLs are not remembered.
const LONGEST_URL: usize = 2000;

/// Media that a bot sends by its URL.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MediaUrl {
    /// The bot: a file id is of no use to others.
    pub bot_id: Uuid,
    /// How it is sent: a file id of a photo is no document's.
    pub kind: MediaKind,
    /// Where Telegram fetches it.
    pub url: String,
}

impl MediaUrl {
    /// The media of a filled-in template, if it has any by URL.
    pub fn of(content: &Content, bot_id: Uuid) -> Option<Self> {
        let media = content.media.as_ref()?;
        // A file id has no colon in it.
        (media.source.contains("://") && media.source.len() <= LONGEST_URL).then(|| Self {
            bot_id,
            kind: media.kind,
            url: media.source.clone(),
        })
    }
}

/// What Telegram gave for media by URL, and what it takes no more.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileChanges {
    /// File ids to remember.
    pub learned: HashMap<MediaUrl, String>,
    /// Media whose file ids Telegram refused.
    pub refused: HashSet<MediaUrl>,
}

/// The file ids that are known for these.
pub async fn known_files(
    client: &impl GenericClient,
    media: &HashSet<MediaUrl>,
) -> Result<HashMap<MediaUrl, String>> {
    if media.is_empty() {
        return Ok(HashMap::new());
    }
    let (bot_ids, kinds, urls) = columns(media.iter());
    client
        .query_typed(
            "SELECT f.bot_id, f.kind, f.url, f.file_id
             FROM media_files AS f
             JOIN unnest($1::uuid[], $2::text[], $3::text[]) AS media (bot_id, kind, url)
               USING (bot_id, kind, url)",
            &[
                (&bot_ids, Type::UUID_ARRAY),
                (&kinds, Type::TEXT_ARRAY),
                (&urls, Type::TEXT_ARRAY),
            ],
        )
        .await?
        .iter()
        .map(|row| {
            let media = MediaUrl {
                bot_id: row.try_get("bot_id")?,
                kind: parse(row, "kind")?,
                url: row.try_get("url")?,
            };
            Ok((media, row.try_get("file_id")?))
        })
        .collect()
}

/// Writes down what was learned of files.
pub async fn change_files(transaction: &Transaction<'_>, changes: &FileChanges) -> Result<()> {
    if !changes.refused.is_empty() {
        let (bot_ids, kinds, urls) = columns(changes.refused.iter());
        transaction
            .execute_typed(
                "DELETE FROM media_files AS f
                 USING unnest($1::uuid[], $2::text[], $3::text[]) AS media (bot_id, kind, url)
                 WHERE (f.bot_id, f.kind, f.url) = (media.bot_id, media.kind, media.url)",
                &[
                    (&bot_ids, Type::UUID_ARRAY),
                    (&kinds, Type::TEXT_ARRAY),
                    (&urls, Type::TEXT_ARRAY),
                ],
            )
            .await?;
    }
    if !changes.learned.is_empty() {
        let (bot_ids, kinds, urls) = columns(changes.learned.keys());
        let file_ids: Vec<&str> = changes.learned.values().map(String::as_str).collect();
        transaction
            .execute_typed(
                "INSERT INTO media_files (bot_id, kind, url, file_id)
                 SELECT bot_id, kind, url, file_id
                 FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[]) AS learned (bot_id, kind, url, file_id)
                 -- In one order, so that two batches cannot wait for each other.
                 ORDER BY bot_id, kind, url
                 ON CONFLICT (bot_id, kind, url) DO UPDATE
                 SET file_id = excluded.file_id",
                &[
                    (&bot_ids, Type::UUID_ARRAY),
                    (&kinds, Type::TEXT_ARRAY),
                    (&urls, Type::TEXT_ARRAY),
                    (&file_ids, Type::TEXT_ARRAY),
                ],
            )
            .await?;
    }
    Ok(())
}

fn columns<'a>(
    media: impl Iterator<Item = &'a MediaUrl>,
) -> (Vec<Uuid>, Vec<&'static str>, Vec<&'a str>) {
    let mut columns = (Vec::new(), Vec::new(), Vec::new());
    for media in media {
        columns.0.push(media.bot_id);
        columns.1.push(media.kind.into());
        columns.2.push(media.url.as_str());
    }
    columns
}
