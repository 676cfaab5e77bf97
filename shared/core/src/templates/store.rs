//! Templates and their versions in the database.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio_postgres::{GenericClient, Row, Transaction, types::Type};
use uuid::Uuid;

use super::{Content, Media, Options, ParseMode, render};
use crate::{
    Error, Result,
    audit::{self, Actor},
    check,
    page::{List, Page},
    row,
};

/// A template, with its latest version.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Template {
    /// Its id.
    pub id: Uuid,
    /// The operators' name for it, unique.
    pub name: String,
    /// The number of the latest version, from 1.
    pub version: i32,
    /// What the latest version holds.
    #[serde(flatten)]
    pub content: Content,
    /// When the template was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// One version of a template; it never changes.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Version {
    /// Whose version it is.
    pub template_id: Uuid,
    /// From 1.
    pub version: i32,
    /// What it holds.
    #[serde(flatten)]
    pub content: Content,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// A template to make.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewTemplate {
    /// 1 to 200 characters, unique.
    #[schemars(length(min = 1, max = 200))]
    pub name: String,
    /// The text, or the caption where there is media.
    #[serde(default)]
    pub text: String,
    /// How Telegram reads it.
    #[serde(default)]
    pub parse_mode: ParseMode,
    /// A photo, video or document.
    #[serde(default)]
    pub media: Option<Media>,
    /// Buttons and delivery options.
    #[serde(default)]
    pub options: Options,
}

/// Changes to a template: a change of anything but the name makes a new version.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TemplatePatch {
    /// Another name.
    #[schemars(length(min = 1, max = 200))]
    pub name: Option<String>,
    /// Another text.
    pub text: Option<String>,
    /// Another way to read it.
    pub parse_mode: Option<ParseMode>,
    /// Other media; `null` takes it away.
    #[serde(default, deserialize_with = "present")]
    pub media: Option<Option<Media>>,
    /// Other buttons and delivery options; they replace all former ones.
    pub options: Option<Options>,
}

/// Tells `null` from an absent field.
fn present<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> std::result::Result<Option<Option<Media>>, D::Error> {
    Option::<Media>::deserialize(deserializer).map(Some)
}

/// Makes a template, with its version 1.
///
/// # Errors
/// `Invalid`, with line and column, for an unknown placeholder or bad markup; `Conflict` for a name in use.
pub async fn create(
    transaction: &Transaction<'_>,
    actor: &Actor,
    new: NewTemplate,
) -> Result<Template> {
    check::name("name", &new.name)?;
    let content = Content {
        text: new.text,
        parse_mode: new.parse_mode,
        media: new.media,
        options: new.options,
    };
    render::check(&content)?;
    let id = Uuid::now_v7();
    let name = new.name.trim();
    transaction
        .execute_typed(
            "INSERT INTO templates (id, name, version) VALUES ($1, $2, 1)",
            &[(&id, Type::UUID), (&name, Type::TEXT)],
        )
        .await
        .map_err(|error| check::name_taken(error, "template", name))?;
    add_version(transaction, id, 1, &content).await?;
    let template = get(transaction, id).await?;
    let details = json!({"after": template});
    audit::record(
        transaction,
        actor,
        "TEMPLATE_CREATED",
        "template",
        id,
        details,
    )
    .await?;
    Ok(template)
}

/// Changes a template; former versions stay, and campaigns that started keep theirs.
///
/// # Errors
/// As [`create`], and `NotFound`.
pub async fn update(
    transaction: &Transaction<'_>,
    actor: &Actor,
    id: Uuid,
    patch: TemplatePatch,
) -> Result<Template> {
    if let Some(name) = &patch.name {
        check::name("name", name)?;
    }
    let before = lock(transaction, id).await?;
    let old = before.content.clone();
    let content = Content {
        text: patch.text.unwrap_or(old.text),
        parse_mode: patch.parse_mode.unwrap_or(old.parse_mode),
        media: patch.media.unwrap_or(old.media),
        options: patch.options.unwrap_or(old.options),
    };
    let mut version = before.version;
    if content != before.content {
        render::check(&content)?;
        version += 1;
        add_version(transaction, id, version, &content).await?;
    }
    let name = patch
        .name
        .as_deref()
        .map_or(before.name.as_str(), str::trim);
    transaction
        .execute_typed(
            "UPDATE templates SET name = $2, version = $3, updated_at = now() WHERE id = $1",
            &[
                (&id, Type::UUID),
                (&name, Type::TEXT),
                (&version, Type::INT4),
            ],
        )
        .await
        .map_err(|error| check::name_taken(error, "template", name))?;
    let template = get(transaction, id).await?;
    let details = json!({"before": before, "after": template});
    audit::record(
        transaction,
        actor,
        "TEMPLATE_UPDATED",
        "template",
        id,
        details,
    )
    .await?;
    Ok(template)
}

/// Deletes a template with all its versions.
///
/// # Errors
/// `NotFound`; `Conflict` while a campaign uses it.
pub async fn delete(transaction: &Transaction<'_>, actor: &Actor, id: Uuid) -> Result<()> {
    let before = lock(transaction, id).await?;
    transaction
        .execute_typed("DELETE FROM templates WHERE id = $1", &[(&id, Type::UUID)])
        .await
        .map_err(|error| check::in_use(error, "template"))?;
    let details = json!({"before": before});
    audit::record(
        transaction,
        actor,
        "TEMPLATE_DELETED",
        "template",
        id,
        details,
    )
    .await
}

/// The template with this id.
///
/// # Errors
/// `NotFound`.
pub async fn get(client: &impl GenericClient, id: Uuid) -> Result<Template> {
    let row = client
        .query_typed_opt(include_str!("get.sql"), &[(&id, Type::UUID)])
        .await?
        .ok_or_else(|| Error::not_found("template", id))?;
    template(&row)
}

/// One version of a template.
///
/// # Errors
/// `NotFound`.
pub async fn get_version(client: &impl GenericClient, id: Uuid, number: i32) -> Result<Version> {
    let row = client
        .query_typed_opt(
            include_str!("get_version.sql"),
            &[(&id, Type::UUID), (&number, Type::INT4)],
        )
        .await?
        .ok_or_else(|| Error::not_found("template version", format!("{id} v{number}")))?;
    version(&row)
}

/// All versions of a template, newest first.
///
/// # Errors
/// `NotFound`.
pub async fn versions(client: &impl GenericClient, id: Uuid) -> Result<Vec<Version>> {
    let rows = client
        .query_typed(include_str!("versions.sql"), &[(&id, Type::UUID)])
        .await?;
    if rows.is_empty() {
        return Err(Error::not_found("template", id));
    }
    rows.iter().map(version).collect()
}

/// Templates with their latest versions, newest first.
pub async fn list(client: &impl GenericClient, page: Page) -> Result<List<Template>> {
    let rows = client
        .query_typed(
            include_str!("list.sql"),
            &[(&page.after(), Type::UUID), (&page.fetch(), Type::INT8)],
        )
        .await?;
    let templates = rows.iter().map(template).collect::<Result<_>>()?;
    Ok(page.list(templates, |template: &Template| template.id))
}

async fn lock(transaction: &Transaction<'_>, id: Uuid) -> Result<Template> {
    transaction
        .query_typed(
            "SELECT FROM templates WHERE id = $1 FOR UPDATE",
            &[(&id, Type::UUID)],
        )
        .await?;
    get(transaction, id).await
}

async fn add_version(
    transaction: &Transaction<'_>,
    id: Uuid,
    version: i32,
    content: &Content,
) -> Result<()> {
    let parse_mode: &str = content.parse_mode.into();
    let media = content.media.as_ref().map(|media| json!(media));
    transaction
        .execute_typed(
            include_str!("add_version.sql"),
            &[
                (&id, Type::UUID),
                (&version, Type::INT4),
                (&content.text, Type::TEXT),
                (&parse_mode, Type::TEXT),
                (&media, Type::JSONB),
                (&json!(content.options), Type::JSONB),
            ],
        )
        .await?;
    Ok(())
}

fn template(row: &Row) -> Result<Template> {
    Ok(Template {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        version: row.try_get("version")?,
        content: content(row)?,
        created_at: row.try_get("created_at")?,
        updated_at: row.try_get("updated_at")?,
    })
}

fn version(row: &Row) -> Result<Version> {
    Ok(Version {
        template_id: row.try_get("template_id")?,
        version: row.try_get("version")?,
        content: content(row)?,
        created_at: row.try_get("created_at")?,
    })
}

fn content(row: &Row) -> Result<Content> {
    let corrupt = |what| {
        move |error: serde_json::Error| Error::Corrupt {
            what,
            message: error.to_string(),
        }
    };
    let media: Option<Value> = row.try_get("media")?;
    Ok(Content {
        text: row.try_get("text")?,
        parse_mode: row::parse(row, "parse_mode")?,
        media: media
            .map(serde_json::from_value)
            .transpose()
            .map_err(corrupt("template media"))?,
        options: serde_json::from_value(row.try_get("options")?)
            .map_err(corrupt("template options"))?,
    })
}
