//! What an authentic activity says:
//! <https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-api-reference#activity-object>.

use channel::{Attachment, Context, Fetch, Home, Inbound, Kind, Received, Response, Sender, Verified};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::render::{SERVICE_URL, WITH_TOKEN};
use crate::spec::{NAME, TENANT_ID};
use crate::stream::STREAMS;

/// Ids of messages in Teams are times in milliseconds; one further from now than this is none.
const PLAUSIBLE_MS: u64 = 24 * 3_600_000;

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Activity {
    #[serde(rename = "type")]
    kind: String,
    id: String,
    service_url: String,
    channel_id: String,
    from: Party,
    recipient: Party,
    conversation: Conversation,
    text: String,
    entities: Vec<Entity>,
    attachments: Vec<File>,
    channel_data: ChannelData,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Party {
    id: String,
    name: Option<String>,
    aad_object_id: Option<String>,
    role: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Conversation {
    id: String,
    conversation_type: Option<String>,
    is_group: bool,
    tenant_id: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Entity {
    #[serde(rename = "type")]
    kind: String,
    text: String,
    mentioned: Party,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct File {
    content_type: String,
    content_url: Option<String>,
    name: Option<String>,
    content: Value,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ChannelData {
    tenant: Tenant,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Tenant {
    id: Option<String>,
}

pub fn parse(verified: &Verified<'_>, ctx: &Context<'_>) -> Received {
    let Some(activity) = verified.json::<Activity>() else { return nothing("unknown body") };
    match activity.kind.as_str() {
        "message" => said(activity, ctx).map_or_else(nothing, |inbound| Received::Events {
            ack: Response::empty(200),
            on_failure: Response::empty(503),
            inbound: vec![inbound],
        }),
        "conversationUpdate" | "installationUpdate" => nothing("membership"),
        "messageUpdate" | "messageDelete" => nothing("edit"),
        "messageReaction" | "typing" => nothing("sign"),
        // It wants an answer in JSON; we made no card that could ask.
        "invoke" => Received::Nothing(Response::json(200, &json!({})), "invoke"),
        _ => nothing("unknown kind"),
    }
}

fn nothing(kind: &'static str) -> Received {
    Received::Nothing(Response::empty(200), kind)
}

/// The message, or why it is none to answer.
fn said(activity: Activity, ctx: &Context<'_>) -> Result<Inbound, &'static str> {
    let Activity { from, recipient, conversation: place, .. } = &activity;
    if from.id.is_empty() || place.id.is_empty() || activity.service_url.is_empty() {
        return Err("no sender");
    }
    if from.id == recipient.id || from.role.as_deref() == Some("bot") {
        return Err("bot");
    }
    let attachments = attachments(&activity, ctx.account);
    let named = |entity: &&Entity| entity.kind == "mention" && entity.mentioned.id == recipient.id;
    let mentions: Vec<&Entity> = activity.entities.iter().filter(named).collect();
    let text =
        mentions.iter().fold(activity.text.clone(), |text, mention| text.replacen(&mention.text, "", 1));
    let text = unescape(text.trim());
    if text.is_empty() && attachments.is_empty() && mentions.is_empty() {
        return Err("empty");
    }
    // A bare mention asks what it can do.
    let text = if text.is_empty() && attachments.is_empty() { "/help".to_owned() } else { text };
    let group = place.is_group || matches!(place.conversation_type.as_deref(), Some("channel" | "groupChat"));
    let (chat, thread) = match place.id.split_once(";messageid=") {
        Some((chat, thread)) => (chat, Some(thread.to_owned())),
        None => (place.id.as_str(), None),
    };
    let id = format!("{}:{}", place.id, activity.id);
    let mut inbound = Inbound::new(NAME, ctx, id, chat, sender(&activity, ctx), text).in_thread(thread);
    if group {
        inbound.kind = Kind::Group;
        inbound.addressed = !mentions.is_empty();
    }
    inbound.attachments = attachments;
    inbound.at = time(&activity.id, ctx.now);
    inbound.address.data.insert(SERVICE_URL.to_owned(), activity.service_url.clone());
    if activity.channel_id == "msteams" && place.conversation_type.as_deref() == Some("personal") {
        inbound.address.data.insert(STREAMS.to_owned(), "yes".to_owned());
    }
    Ok(inbound)
}

/// In Web Chat and Direct Line everybody says himself who he is: such an id is kept apart from those of the tenant.
fn sender(activity: &Activity, ctx: &Context<'_>) -> Sender {
    let Activity { from, conversation, channel_data, channel_id, .. } = activity;
    let in_teams = channel_id == "msteams";
    let id = match &from.aad_object_id {
        Some(id) if in_teams => id.clone(),
        _ if in_teams => from.id.clone(),
        _ => format!("{channel_id}:{}", from.id),
    };
    let tenants: Vec<&String> =
        [&conversation.tenant_id, &channel_data.tenant.id].into_iter().flatten().collect();
    let ours = ctx.secrets.get(TENANT_ID);
    let home = match ours {
        _ if !in_teams => Home::No,
        None => Home::Unknown,
        Some(_) if tenants.is_empty() => Home::Unknown,
        Some(ours) if tenants.iter().all(|tenant| tenant.as_str() == ours) => Home::Yes,
        Some(_) => Home::No,
    };
    Sender { home, ..Sender::new(&id, from.name.as_deref().unwrap_or("")) }
}

/// Files: <https://learn.microsoft.com/microsoftteams/platform/bots/how-to/bots-filesv4>. The bot's token opens only what
/// lies with the service itself.
fn attachments(activity: &Activity, account: &str) -> Vec<Attachment> {
    let one = |file: &File| {
        let text = |name: &str| file.content.get(name).and_then(Value::as_str);
        let (id, media_type) = match file.content_type.as_str() {
            "application/vnd.microsoft.teams.file.download.info" => {
                (text("downloadUrl")?.to_owned(), String::new())
            }
            kind if kind.starts_with("image/") => {
                let url = file.content_url.clone()?;
                let own = url.starts_with(activity.service_url.trim_end_matches('/'));
                (if own { format!("{WITH_TOKEN}{url}") } else { url }, kind.to_owned())
            }
            // The text once more, as HTML; cards.
            _ => return None,
        };
        Some(Attachment {
            name: file.name.clone().filter(|name| !name.is_empty()).unwrap_or_else(|| "file".to_owned()),
            media_type: if media_type == "image/*" { String::new() } else { media_type },
            size: None,
            fetch: Fetch { account: account.to_owned(), id },
        })
    };
    activity.attachments.iter().filter_map(one).collect()
}

fn time(id: &str, now: i64) -> i64 {
    id.parse::<i64>().ok().filter(|at| at.abs_diff(now) < PLAUSIBLE_MS).unwrap_or(now)
}

/// Teams escapes what is written as HTML would.
fn unescape(text: &str) -> String {
    let text = text.replace("&nbsp;", " ").replace("&lt;", "<").replace("&gt;", ">");
    text.replace("&quot;", "\"").replace("&#39;", "'").replace("&amp;", "&")
}
