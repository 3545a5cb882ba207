//! What a platform's message becomes: the same words for every channel.

use serde::{Deserialize, Serialize};

use crate::{Address, Context, ConversationKey, Fetch};

/// The shape of [`Inbound`] as written today; readers accept this one and the one before.
pub const INBOUND_VERSION: u32 = 1;

/// Longer text is cut at a grapheme and marked: a job stays far below the queue's 1 MiB.
pub const MAX_TEXT_BYTES: usize = 64 * 1024;

/// One message that somebody wrote, on its way to the assistant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Inbound {
    pub v: u32,
    /// The platform's id of the event, the same on every redelivery: what duplicates are known by.
    pub id: String,
    pub channel: String,
    pub account: String,
    pub conversation: Conversation,
    pub kind: Kind,
    pub sender: Sender,
    /// Meant for the assistant: a mention, a reply to it, a command. Always true in a 1:1 chat.
    pub addressed: bool,
    pub content: Content,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
    /// When it was written, Unix milliseconds.
    pub at: i64,
    /// Where the reply goes.
    pub address: Address,
    /// The platform's id of the message that this tells us of, where it tells us of those on our own side too: one that
    /// we posted ourselves is dropped, any other is an operator's ([`Kind::OperatorSaid`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub echo_of: Option<String>,
    /// Nobody wrote it now: a reminder that the assistant set at the sender's request has come due. The text says of what.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub due: bool,
}

impl Inbound {
    /// A message written now in a 1:1 chat. What is different, a room sets.
    pub fn new(
        channel: &str,
        ctx: &Context<'_>,
        id: String,
        chat: &str,
        sender: Sender,
        text: String,
    ) -> Inbound {
        Inbound {
            v: INBOUND_VERSION,
            id,
            channel: channel.to_owned(),
            account: ctx.account.to_owned(),
            conversation: Conversation { chat: chat.to_owned(), thread: None },
            kind: Kind::Dm,
            sender,
            addressed: true,
            content: Content::text(text),
            attachments: Vec::new(),
            at: ctx.now,
            address: Address {
                channel: channel.to_owned(),
                account: ctx.account.to_owned(),
                chat: chat.to_owned(),
                ..Address::default()
            },
            echo_of: None,
            due: false,
        }
    }

    /// The thread that it was written in, or opens.
    pub fn in_thread(mut self, thread: Option<String>) -> Inbound {
        self.conversation.thread.clone_from(&thread);
        self.address.thread = thread;
        self
    }

    /// The key of the conversation this message belongs to.
    pub fn conversation_key(&self) -> ConversationKey {
        let thread = self.conversation.thread.as_deref().unwrap_or("");
        ConversationKey::of(&self.channel, &self.account, &self.conversation.chat, thread)
    }

    /// The text, empty where it still has to be fetched.
    pub fn text(&self) -> &str {
        match &self.content {
            Content::Text(text) => text,
            Content::Deferred(_) => "",
        }
    }
}

/// Where on the platform a message was written, in the platform's own ids.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conversation {
    pub chat: String,
    /// A thread or topic that keeps a history of its own. `None` in a 1:1 chat outside threads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Dm,
    Group,
    /// A human's own message on the business's side: stored, never answered.
    OperatorSaid,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sender {
    /// The platform's id of the person.
    pub id: String,
    pub name: String,
    pub home: Home,
    #[serde(default)]
    pub bot: bool,
    /// Where [`Home`] is unknown and the platform can be asked: what `fetch` asks it, answered by `Settled::Person`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lookup: Option<Fetch>,
}

impl Sender {
    /// A person of whom nothing else is known. Without a name the id stands for it.
    pub fn new(id: &str, name: &str) -> Sender {
        Sender {
            id: id.to_owned(),
            name: if name.is_empty() { id } else { name }.to_owned(),
            home: Home::Unknown,
            bot: false,
            lookup: None,
        }
    }
}

/// Whether the sender belongs to the tenant (workspace, organisation, server) that the assistant was set up in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Home {
    Yes,
    No,
    Unknown,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    Text(String),
    /// The webhook only points to the text; the invoker fetches it.
    Deferred(Fetch),
}

impl Content {
    /// Text within [`MAX_TEXT_BYTES`], cut and marked where it is longer.
    pub fn text(text: impl Into<String>) -> Content {
        Content::Text(crate::text::cut(text.into(), MAX_TEXT_BYTES))
    }
}

/// A file as a reference; its bytes stay with the platform until somebody needs them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Attachment {
    pub name: String,
    /// Media type as declared, empty where unknown.
    pub media_type: String,
    /// Bytes as declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    pub fetch: Fetch,
}
