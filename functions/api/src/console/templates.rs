//! Message templates: an editor with a preview, and a message to try it.

use askama::Template;
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use serde_json::{Map, Value, json};
use telecast_core::{
    audit, bots, channels,
    page::{List, Page},
    templates::{self, Chat, Content, NewTemplate, ParseMode, Recipient, TemplatePatch},
};
use uuid::Uuid;

use super::{
    fields::{Fields, typed},
    filters,
    frame::{Frame, part},
    message_preview::{Preview, preview_of},
    texts::Texts,
};
use crate::openapi::problems::TELEGRAM_REFUSED;
use crate::{
    ApiError, App,
    access::Caller,
    extract::{Id, PageQuery, Query},
};

#[derive(Template)]
#[template(path = "templates.html")]
struct Templates {
    t: &'static Texts,
    frame: Frame,
    list: List<templates::Template>,
}

#[derive(Template)]
#[template(path = "template.html")]
struct Editor {
    t: &'static Texts,
    frame: Frame,
    id: Option<Uuid>,
    name: String,
    content: Content,
    version: i32,
    versions: Vec<templates::Version>,
    preview: Preview,
    error: Option<String>,
    sent: bool,
}

impl Editor {
    fn placeholders(&self) -> [&'static str; 4] {
        [
            "{{title}}",
            "{{username}}",
            "{{category}}",
            "{{params.name}}",
        ]
    }

    fn modes(&self) -> [(ParseMode, &'static str); 3] {
        [
            (ParseMode::None, self.t.plain),
            (ParseMode::Html, "HTML"),
            (ParseMode::MarkdownV2, "MarkdownV2"),
        ]
    }

    fn is_kind(&self, kind: &str) -> bool {
        let media = self.content.media.as_ref();
        media.is_some_and(|media| <&str>::from(media.kind) == kind)
    }
}

/// GET /console/templates
pub(super) async fn show(
    State(app): State<App>,
    frame: Frame,
    Query(query): Query<PageQuery>,
) -> Result<Response, ApiError> {
    let content = Templates {
        t: frame.t,
        frame: frame.clone(),
        list: templates::list(&**app.database().await?, query.page()?).await?,
    };
    frame.page(frame.t.templates, &content)
}

/// The channel that previews are made for: the newest, or one that does not exist.
async fn example(app: &App) -> Result<Recipient, ApiError> {
    let one = Page::parse(Some(1), None)?;
    let any = channels::Filter::default();
    let list = channels::list(&**app.database().await?, &any, one).await?;
    Ok(match list.items.first() {
        Some(channel) => channels::recipient(channel),
        None => Recipient {
            chat: Chat::Username("@example".to_owned()),
            username: Some("example".to_owned()),
            title: Some("Example".to_owned()),
            category: Some("news".to_owned()),
        },
    })
}

/// GET /console/templates/new
pub(super) async fn new(State(app): State<App>, frame: Frame) -> Result<Response, ApiError> {
    let content = Content {
        text: "Hello <b>{{title}}</b>".to_owned(),
        parse_mode: ParseMode::Html,
        media: None,
        options: templates::Options::default(),
    };
    let editor = Editor {
        t: frame.t,
        frame: frame.clone(),
        id: None,
        name: String::new(),
        preview: preview_of(frame.t, &content, &example(&app).await?),
        content,
        version: 0,
        versions: Vec::new(),
        error: None,
        sent: false,
    };
    frame.page(frame.t.new_template, &editor)
}

async fn editor(app: &App, frame: &Frame, id: Uuid) -> Result<Editor, ApiError> {
    let database = app.database().await?;
    let template = templates::get(&**database, id).await?;
    let versions = templates::versions(&**database, id).await?;
    drop(database);
    Ok(Editor {
        t: frame.t,
        frame: frame.clone(),
        id: Some(id),
        name: template.name,
        preview: preview_of(frame.t, &template.content, &example(app).await?),
        content: template.content,
        version: template.version,
        versions,
        error: None,
        sent: false,
    })
}

/// GET /console/templates/{id}
pub(super) async fn edit(
    State(app): State<App>,
    frame: Frame,
    Id(id): Id,
) -> Result<Response, ApiError> {
    let editor = editor(&app, &frame, id).await?;
    frame.page(&editor.name.clone(), &editor)
}

/// The content that was written, over what the form does not show.
fn written(fields: &Fields, mut content: Content) -> Result<Content, ApiError> {
    content.text = fields.verbatim("text");
    content.parse_mode = typed::<ContentMode>(fields.object(&["parseMode"]))?.parse_mode;
    content.media = match (fields.text("mediaKind"), fields.text("mediaSource")) {
        (Some(_), Some(_)) => {
            let object = fields.object(&["mediaKind", "mediaSource"]);
            Some(typed(
                object
                    .into_iter()
                    .map(|(name, value)| (name.replace("media", "").to_lowercase(), value))
                    .collect(),
            )?)
        }
        _ => None,
    };
    Ok(content)
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct ContentMode {
    #[serde(default)]
    parse_mode: ParseMode,
}

/// An empty content, to be written into.
fn blank() -> Content {
    Content {
        text: String::new(),
        parse_mode: ParseMode::None,
        media: None,
        options: templates::Options::default(),
    }
}

/// POST /console/templates/preview: how it will look, for the module.
pub(super) async fn preview(
    State(app): State<App>,
    frame: Frame,
    fields: Fields,
) -> Result<Response, ApiError> {
    let content = written(&fields, blank())?;
    part(&preview_of(frame.t, &content, &example(&app).await?))
}

/// POST /console/templates/new
pub(super) async fn save_new(
    State(app): State<App>,
    frame: Frame,
    caller: Caller,
    fields: Fields,
) -> Result<Response, ApiError> {
    let content = written(&fields, blank())?;
    let name = fields.text("name").unwrap_or_default().to_owned();
    let made = match fields.has("preview") {
        true => None,
        false => Some(create(&app, &caller, name.clone(), content.clone()).await),
    };
    let error = match made {
        Some(Ok(id)) => {
            return Ok(Redirect::to(&format!("/console/templates/{id}")).into_response());
        }
        Some(Err(error)) => Some(error),
        None => None,
    };
    let editor = Editor {
        t: frame.t,
        frame: frame.clone(),
        id: None,
        name,
        preview: preview_of(frame.t, &content, &example(&app).await?),
        content,
        version: 0,
        versions: Vec::new(),
        error: error.as_ref().map(ToString::to_string),
        sent: false,
    };
    let status = error.map_or(StatusCode::OK, |error| error.status());
    Ok((status, frame.page(frame.t.new_template, &editor)?).into_response())
}

async fn create(
    app: &App,
    caller: &Caller,
    name: String,
    content: Content,
) -> Result<Uuid, ApiError> {
    let new = NewTemplate {
        name,
        text: content.text,
        parse_mode: content.parse_mode,
        media: content.media,
        options: content.options,
    };
    let mut database = app.database().await?;
    let transaction = database.transaction().await?;
    let template = templates::create(&transaction, &caller.actor, new).await?;
    transaction.commit().await?;
    Ok(template.id)
}

/// POST /console/templates/{id}: a new version, a look at it, or the end of the template.
pub(super) async fn save(
    State(app): State<App>,
    frame: Frame,
    caller: Caller,
    Id(id): Id,
    fields: Fields,
) -> Result<Response, ApiError> {
    let mut editor = editor(&app, &frame, id).await?;
    if fields.has("delete") {
        let mut database = app.database().await?;
        let transaction = database.transaction().await?;
        templates::delete(&transaction, &caller.actor, id).await?;
        transaction.commit().await?;
        return Ok(Redirect::to("/console/templates").into_response());
    }
    editor.content = written(&fields, editor.content)?;
    editor.name = fields.text("name").unwrap_or_default().to_owned();
    let mut status = StatusCode::OK;
    if !fields.has("preview") {
        let patch = TemplatePatch {
            name: Some(editor.name.clone()),
            text: Some(editor.content.text.clone()),
            parse_mode: Some(editor.content.parse_mode),
            media: Some(editor.content.media.clone()),
            options: None,
        };
        let mut database = app.database().await?;
        let transaction = database.transaction().await?;
        match templates::update(&transaction, &caller.actor, id, patch).await {
            Ok(_) => {
                transaction.commit().await?;
                return Ok(Redirect::to(&format!("/console/templates/{id}")).into_response());
            }
            Err(error) => {
                let error = ApiError::from(error);
                status = error.status();
                editor.error = Some(error.to_string());
            }
        }
    }
    editor.preview = preview_of(frame.t, &editor.content, &example(&app).await?);
    Ok((status, frame.page(&editor.name.clone(), &editor)?).into_response())
}

/// POST /console/templates/{id}/test: the saved version, to one chat, at once.
pub(super) async fn test(
    State(app): State<App>,
    frame: Frame,
    caller: Caller,
    Id(id): Id,
    fields: Fields,
) -> Result<Response, ApiError> {
    let chat = fields
        .number("chatId")?
        .ok_or_else(|| ApiError::invalid("chatId", "give the id of your own chat"))?;
    let mut editor = editor(&app, &frame, id).await?;
    let params: Map<String, Value> = Map::new();
    let message = templates::render(&editor.content, &example(&app).await?, &params)
        .map_err(|error| ApiError::invalid("text", error.to_string()))?;
    let mut database = app.database().await?;
    let newest = bots::list(&**database, Page::default()).await?.items;
    let chosen = newest
        .iter()
        .find(|bot| bot.name == bots::DEFAULT)
        .or(newest.first())
        .ok_or_else(|| ApiError::invalid("bot", "add a bot first"))?;
    let (_, token) = bots::get_with_token(&**database, chosen.id, &app.encryption_key).await?;
    let chat = Chat::Id(chat);
    if let Err(failure) = app.telegram.send(&token, &chat, &message).await {
        return Err(ApiError::new(TELEGRAM_REFUSED, failure.to_string()));
    }
    let transaction = database.transaction().await?;
    let details = json!({"chat": chat, "version": editor.version});
    audit::record(
        &transaction,
        &caller.actor,
        "TEMPLATE_TESTED",
        "template",
        id,
        details,
    )
    .await?;
    transaction.commit().await?;
    editor.sent = true;
    frame.page(&editor.name.clone(), &editor)
}
