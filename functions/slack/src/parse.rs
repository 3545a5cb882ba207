//! What an authentic request says.

mod event;
mod form;
mod text;

use channel::{Context, Fetch, Home, Received, Response, Sender, Verified};
use serde::Deserialize;
use serde_json::{Value, json};

pub use text::from_mrkdwn;

/// A message that is nothing but the assistant's name asks what it can do.
const NOTHING_SAID: &str = "/help";

pub fn parse(verified: &Verified<'_>, ctx: &Context<'_>) -> Received {
    if verified.request().content_type() == "application/x-www-form-urlencoded" {
        return form::parse(verified, ctx);
    }
    let Some(envelope) = verified.json::<Envelope>() else {
        return nothing("unknown body");
    };
    match envelope.kind.as_str() {
        "url_verification" => {
            Received::Handshake(Response::json(200, &json!({ "challenge": envelope.challenge })))
        }
        "event_callback" => event::parse(&envelope, ctx),
        "app_rate_limited" => nothing("rate limited"),
        _ => nothing("unknown kind"),
    }
}

/// The outside of every event: <https://docs.slack.dev/apis/events-api#callback-field>.
#[derive(Deserialize)]
struct Envelope {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    challenge: String,
    team_id: Option<String>,
    event_id: Option<String>,
    #[serde(default)]
    authorizations: Vec<Authorization>,
    #[serde(default)]
    event: Value,
}

/// The installation that an event is meant for: ours.
#[derive(Deserialize)]
struct Authorization {
    enterprise_id: Option<String>,
    team_id: Option<String>,
    user_id: Option<String>,
}

#[derive(Deserialize)]
struct File {
    name: Option<String>,
    mimetype: Option<String>,
    size: Option<u64>,
    url_private: Option<String>,
    url_private_download: Option<String>,
    /// Of pictures: pixels, and a smaller one beside it, at most 1,024 pixels a side.
    /// <https://docs.slack.dev/reference/objects/file-object>
    original_w: Option<u64>,
    original_h: Option<u64>,
    thumb_1024: Option<String>,
}

impl File {
    /// The smaller picture, where the original is too large.
    fn smaller(&self) -> Option<&String> {
        let is_too_large = channel::is_too_large(self.size, self.original_w, self.original_h);
        self.thumb_1024.as_ref().filter(|_| is_too_large)
    }
}

fn nothing(kind: &'static str) -> Received {
    Received::Nothing(Response::empty(200), kind)
}

/// Whose workspace is ours, as the request tells it.
#[derive(Clone, Copy, Default)]
struct Tenant<'a> {
    team: Option<&'a str>,
    enterprise: Option<&'a str>,
}

/// The sender of a message that names the workspaces `teams` as his.
///
/// A foreign one settles it (Slack Connect), unless ours is one of an organisation's many. Else Slack must be asked: a
/// guest looks like everybody else here.
fn sender(id: &str, name: Option<&str>, tenant: Tenant<'_>, teams: &[Option<&str>], account: &str) -> Sender {
    let ours = |team: &str| Some(team) == tenant.team || Some(team) == tenant.enterprise;
    let foreign = teams.iter().flatten().any(|team| !team.is_empty() && !ours(team));
    let stranger = foreign && tenant.team.is_some() && tenant.enterprise.is_none();
    let lookup = Fetch {
        account: account.to_owned(),
        id: format!("{}{id}:{}", crate::render::USER, tenant.team.unwrap_or("")),
    };
    Sender {
        id: id.to_owned(),
        name: name.filter(|name| !name.is_empty()).unwrap_or(id).to_owned(),
        home: if stranger { Home::No } else { Home::Unknown },
        bot: false,
        lookup: (!stranger).then_some(lookup),
    }
}

/// Files that can be fetched. Those of Slack Connect, which first have to be asked for, cannot.
fn attachments(files: &[File], account: &str) -> Vec<channel::Attachment> {
    let one = |file: &File| {
        let smaller = file.smaller();
        let url = smaller.or(file.url_private_download.as_ref()).or(file.url_private.as_ref())?;
        Some(channel::Attachment {
            name: file.name.clone().unwrap_or_default(),
            media_type: file.mimetype.clone().unwrap_or_default(),
            size: file.size.filter(|_| smaller.is_none()),
            fetch: Fetch { account: account.to_owned(), id: url.clone() },
        })
    };
    files.iter().filter_map(one).collect()
}

/// Whether a channel's id is that of a direct message.
fn is_dm(channel: &str) -> bool {
    channel.starts_with('D')
}

/// The text, or the wish for help where there is none.
fn or_help(text: String, attachments: &[channel::Attachment]) -> String {
    if text.is_empty() && attachments.is_empty() { NOTHING_SAID.to_owned() } else { text }
}
