//! What an authentic request says: <https://developers.mattermost.com/integrate/webhooks/outgoing/>,
//! <https://developers.mattermost.com/integrate/slash-commands/custom/>.

use std::collections::BTreeMap;

use channel::{Attachment, Context, Fetch, Inbound, Kind, Received, Response, Sender, Verified, sign};
use serde_json::{Value, json};

use crate::render::{HOOK, POST};
use crate::spec::{BOT_USER_ID, NAME};

/// What may follow a slash command in place of a question.
const COMMANDS: [&str; 5] = ["help", "new", "status", "stop", "allow"];

/// Mattermost's ids: 26 characters, server/public/model/utils.go of github.com/mattermost/mattermost.
const ID_LENGTH: usize = 26;

/// Said where the queue does not take a message: Mattermost sends nothing a second time.
const NOT_TAKEN: &str = "Not taken, please send again.";

type Fields = BTreeMap<String, String>;

pub fn parse(verified: &Verified<'_>, ctx: &Context<'_>) -> Received {
    let fields = fields(verified);
    if fields.contains_key("command") {
        return command(verified, &fields, ctx);
    }
    match post(&fields, ctx) {
        // An empty body says nothing in the channel.
        Ok(inbound) => Received::Events {
            ack: Response::empty(200),
            on_failure: Response::json(200, &json!({"response_type": "comment", "text": NOT_TAKEN})),
            inbound: vec![inbound],
        },
        Err(kind) => Received::Nothing(Response::empty(200), kind),
    }
}

/// A webhook comes as a form or as JSON, as its maker chose.
fn fields(verified: &Verified<'_>) -> Fields {
    if verified.request().content_type() != "application/json" {
        return verified.form().into_iter().collect();
    }
    let text = |value: Value| match value {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let fields: BTreeMap<String, Value> = verified.json().unwrap_or_default();
    fields.into_iter().filter_map(|(name, value)| Some((name, text(value)?))).collect()
}

fn get<'a>(fields: &'a Fields, name: &str) -> Option<&'a str> {
    fields.get(name).map(String::as_str).filter(|value| !value.is_empty())
}

/// The post that an outgoing webhook tells of, or why it is none to answer.
fn post(fields: &Fields, ctx: &Context<'_>) -> Result<Inbound, &'static str> {
    let field = |name: &str| get(fields, name);
    let (Some(id), Some(channel), Some(user)) = (field("post_id"), field("channel_id"), field("user_id"))
    else {
        return Err("unknown request");
    };
    if ctx.settings.get(BOT_USER_ID).and_then(Value::as_str) == Some(user) {
        return Err("own message");
    }
    // A webhook without trigger words tells of everything that is said in its channel.
    let trigger = field("trigger_word").ok_or("not addressed")?;
    let text = field("text").unwrap_or("").trim();
    let text = text.strip_prefix(trigger).unwrap_or(text).trim_start_matches([':', ',']).trim();
    let attachments = attachments(field("file_ids").unwrap_or(""), ctx.account);
    // Nothing but its name asks what it can do.
    let text = if text.is_empty() && attachments.is_empty() { "/help" } else { text };
    let sender = Sender::new(user, field("user_name").unwrap_or(""));
    let mut inbound = Inbound::new(NAME, ctx, id.to_owned(), channel, sender, text.to_owned());
    inbound.kind = Kind::Group;
    inbound.attachments = attachments;
    let at = field("timestamp").and_then(|at| at.parse::<i64>().ok());
    inbound.at = at.filter(|at| (1..=ctx.now).contains(at)).unwrap_or(ctx.now);
    inbound.address.reply_to = Some(id.to_owned());
    inbound.address.data.insert(POST.to_owned(), id.to_owned());
    Ok(inbound)
}

/// A slash command. What is written so appears nowhere: the answer to the request shows it to its writer.
fn command(verified: &Verified<'_>, fields: &Fields, ctx: &Context<'_>) -> Received {
    let field = |name: &str| get(fields, name);
    let only_for_them = |text: &str| {
        Response::json(200, &json!({"response_type": "ephemeral", "text": text, "skip_slack_parsing": true}))
    };
    let (Some(command), Some(channel), Some(user)) =
        (field("command"), field("channel_id"), field("user_id"))
    else {
        return Received::Nothing(only_for_them("That was no command."), "unknown request");
    };
    let said = field("text").unwrap_or("").trim();
    // A trigger's id is spent at once; what is kept of it shall not look like a credential.
    let id = sign::sha256_hex(field("trigger_id").map_or(&verified.request().body, str::as_bytes));
    let sender = Sender::new(user, field("user_name").unwrap_or(""));
    let mut inbound = Inbound::new(NAME, ctx, id, channel, sender, asked(said));
    if !is_direct(field("channel_name").unwrap_or("")) {
        inbound.kind = Kind::Group;
    }
    inbound.address.thread = field("root_id").map(str::to_owned);
    let hook = field("response_url").and_then(|url| url.rsplit_once("/hooks/commands/"));
    if let Some((_, hook)) = hook {
        inbound.address.data.insert(HOOK.to_owned(), hook.to_owned());
    }
    let shown = format!("{command} {said}");
    Received::Events {
        ack: only_for_them(shown.trim()),
        on_failure: only_for_them(NOT_TAKEN),
        inbound: vec![inbound],
    }
}

/// `/ask new` is our `/new`, `/ask` alone asks what it can do.
fn asked(said: &str) -> String {
    let name = said.trim_start_matches('/');
    match COMMANDS.iter().find(|known| known.eq_ignore_ascii_case(name)) {
        Some(known) => format!("/{known}"),
        None if said.is_empty() => "/help".to_owned(),
        None => said.to_owned(),
    }
}

/// The channel of two is called by their ids: `GetDMNameFromIds` in server/public/model/channel.go.
fn is_direct(channel_name: &str) -> bool {
    let is_id = |id: &str| id.len() == ID_LENGTH && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    channel_name.split_once("__").is_some_and(|(one, other)| is_id(one) && is_id(other))
}

/// The webhook tells ids and nothing else of files.
fn attachments(ids: &str, account: &str) -> Vec<Attachment> {
    let one = |(number, id): (usize, &str)| Attachment {
        name: format!("file{number}"),
        media_type: String::new(),
        size: None,
        fetch: Fetch { account: account.to_owned(), id: id.to_owned() },
    };
    (1..).zip(ids.split(',').map(str::trim).filter(|id| !id.is_empty())).map(one).collect()
}
