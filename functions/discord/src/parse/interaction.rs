//! An interaction as Discord writes it:
//! <https://docs.discord.com/developers/interactions/receiving-and-responding#interaction-object>.

use std::collections::BTreeMap;

use channel::Argument;
use serde::Deserialize;
use serde_json::Value;

use crate::commands::FILE;

/// The longer side of a picture that is too large as it is, pixels: more is not seen by models.
const SMALLER: u64 = 1_568;

#[derive(Deserialize)]
pub struct Interaction {
    pub id: String,
    pub application_id: String,
    #[serde(rename = "type")]
    pub kind: u8,
    pub token: String,
    #[serde(default)]
    pub data: Data,
    pub guild_id: Option<String>,
    pub channel_id: Option<String>,
    /// 0 = server, 1 = direct message with the app, 2 = other private chats.
    context: Option<u8>,
    /// In servers.
    member: Option<Member>,
    /// Elsewhere.
    user: Option<User>,
    /// By whom the app was installed: key `0` a server, `1` the user.
    authorizing_integration_owners: Option<BTreeMap<String, Value>>,
}

impl Interaction {
    pub fn user(&self) -> Option<&User> {
        self.member.as_ref().and_then(|member| member.user.as_ref()).or(self.user.as_ref())
    }

    pub fn is_dm(&self) -> bool {
        self.context.map_or(self.guild_id.is_none(), |context| context == 1)
    }

    /// Whether the app may write without bound: not where only the user installed it.
    pub fn in_server_install(&self) -> bool {
        self.authorizing_integration_owners.as_ref().is_none_or(|owners| owners.contains_key("0"))
    }
}

#[derive(Deserialize)]
struct Member {
    user: Option<User>,
}

#[derive(Deserialize)]
pub struct User {
    pub id: String,
    username: String,
    global_name: Option<String>,
    #[serde(default)]
    pub bot: bool,
}

impl User {
    pub fn shown_name(&self) -> &str {
        self.global_name.as_deref().filter(|name| !name.is_empty()).unwrap_or(&self.username)
    }
}

/// Of a command, a component or a form.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Data {
    pub name: Option<String>,
    #[serde(rename = "type")]
    pub kind: Option<u8>,
    options: Vec<Field>,
    target_id: Option<String>,
    pub resolved: Resolved,
    pub custom_id: Option<String>,
    components: Vec<Field>,
}

impl Data {
    /// The value of a command's option, also inside sub-commands.
    pub fn option(&self, name: &str) -> Option<&Value> {
        self.options.iter().find_map(|option| option.find(&|field| field.name.as_deref() == Some(name)))
    }

    /// The command of that name as it is written where people type commands: `/translate:es good morning`.
    pub fn as_written(&self, name: &str) -> String {
        let given = |field: &Field| match &field.value {
            Some(Value::String(text)) => Some(text.clone()),
            Some(value @ (Value::Number(_) | Value::Bool(_))) => Some(value.to_string()),
            _ => None,
        };
        let is = |field: &Field, name: &str| field.name.as_deref() == Some(name);
        let behind = self.options.iter().find(|field| is(field, Argument::BEHIND_COLON)).and_then(given);
        let rest = self.options.iter().filter(|field| !is(field, Argument::BEHIND_COLON) && !is(field, FILE));
        let command = behind.map_or(format!("/{name}"), |behind| format!("/{name}:{}", behind.trim()));
        std::iter::once(command).chain(rest.filter_map(given)).collect::<Vec<_>>().join(" ")
    }

    /// The text of a form's field; empty without one.
    pub fn field(&self, id: &str) -> String {
        let found = |field: &Field| field.custom_id.as_deref() == Some(id);
        let value = self.components.iter().find_map(|component| component.find(&found));
        value.and_then(Value::as_str).unwrap_or("").to_owned()
    }

    /// The message that the command was used on.
    pub fn target(&self) -> Option<&Message> {
        self.resolved.messages.get(self.target_id.as_ref()?)
    }
}

/// An option of a command or a component of a form: nested in either of three ways.
#[derive(Deserialize)]
struct Field {
    name: Option<String>,
    custom_id: Option<String>,
    value: Option<Value>,
    #[serde(default)]
    options: Vec<Field>,
    #[serde(default)]
    components: Vec<Field>,
    component: Option<Box<Field>>,
}

impl Field {
    /// The value of the first field that is meant, depth first. The depth of a body is bounded when it is parsed.
    fn find(&self, meant: &dyn Fn(&Field) -> bool) -> Option<&Value> {
        let own = self.value.as_ref().filter(|_| meant(self));
        let mut inner = self.options.iter().chain(&self.components).chain(self.component.as_deref());
        own.or_else(|| inner.find_map(|field| field.find(meant)))
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Resolved {
    pub attachments: BTreeMap<String, Attachment>,
    messages: BTreeMap<String, Message>,
}

#[derive(Deserialize, Clone)]
pub struct Attachment {
    pub filename: String,
    pub size: Option<u64>,
    pub url: String,
    pub content_type: Option<String>,
    /// The same file by way of the media proxy.
    proxy_url: Option<String>,
    /// Pixels, of pictures.
    width: Option<u64>,
    height: Option<u64>,
}

impl Attachment {
    /// Whether it is a picture that is asked for in a smaller size.
    pub fn is_too_large(&self) -> bool {
        let is_picture = self.content_type.as_deref().is_some_and(|kind| kind.starts_with("image/"));
        is_picture
            && self.proxy_url.is_some()
            && self.width.min(self.height).is_some_and(|side| side > 0)
            && channel::is_too_large(self.size, self.width, self.height)
    }

    /// Where it is fetched from. The media proxy makes pictures smaller, as Discord's own clients ask it to; no page says so,
    /// but the original would be refused anyway.
    pub fn address(&self) -> String {
        match (&self.proxy_url, self.width, self.height) {
            (Some(proxy), Some(width), Some(height)) if self.is_too_large() => {
                let longer = width.max(height);
                let shown = |side: u64| (side.saturating_mul(SMALLER) / longer).max(1);
                let mark = if proxy.contains('?') { "&" } else { "?" };
                let proxy = proxy.trim_end_matches('&');
                format!("{proxy}{mark}width={}&height={}", shown(width), shown(height))
            }
            _ => self.url.clone(),
        }
    }
}

#[derive(Deserialize)]
pub struct Message {
    #[serde(default)]
    pub content: String,
    pub author: Option<User>,
    #[serde(default)]
    pub attachments: Vec<Attachment>,
}
