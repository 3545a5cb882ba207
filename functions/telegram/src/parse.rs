//! From an authentic update to the message in it.

use channel::{
    Address, Attachment, Content, Context, Conversation, Fetch, Home, INBOUND_VERSION, Inbound, Kind,
    Received, Response, Sender, Verified,
};

use crate::addressing::{self, Bot};
use crate::render::CALLBACK;
use crate::update::{CallbackQuery, File, Message, Update, User, rich_text};

pub fn parse(update: &Verified<'_>, ctx: &Context<'_>) -> Received {
    let Some(update) = update.json::<Update>() else { return nothing("unknown") };
    let id = update.update_id;
    match update {
        Update { message: Some(message), .. } => written(id, message, ctx),
        Update { callback_query: Some(query), .. } => pressed(id, query, ctx),
        Update { edited_message: Some(_), .. } => nothing("edited"),
        _ => nothing("unknown"),
    }
}

fn nothing(kind: &'static str) -> Received {
    Received::Nothing(Response::empty(200), kind)
}

fn written(id: i64, mut message: Message, ctx: &Context<'_>) -> Received {
    let Some(from) = message.from.take() else { return nothing("channel") };
    if from.is_bot || message.is_automatic_forward {
        return nothing("bot");
    }
    let bot = Bot::of(ctx.settings);
    let (text, named) = text(&message, &bot);
    let attachments = attachments(&message, ctx.account);
    if text.is_empty() && attachments.is_empty() {
        return nothing("service");
    }
    let at = message.date.saturating_mul(1000);
    let mut inbound = inbound(id, &from, &message, at, ctx);
    inbound.addressed = inbound.kind == Kind::Dm || named || replies_to(&message, &bot);
    inbound.content = Content::text(text);
    inbound.attachments = attachments;
    events(inbound)
}

/// A button: its data is what the person says. <https://core.telegram.org/bots/api#callbackquery>
fn pressed(id: i64, query: CallbackQuery, ctx: &Context<'_>) -> Received {
    let (Some(message), Some(data)) = (query.message, query.data) else { return nothing("unknown") };
    let mut inbound = inbound(id, &query.from, &message, ctx.now, ctx);
    inbound.addressed = true;
    inbound.content = Content::text(data);
    inbound.address.data.insert(CALLBACK.to_owned(), query.id);
    events(inbound)
}

/// Telegram repeats what got no 2xx, so a refusal is enough where the queue is not there.
fn events(inbound: Inbound) -> Received {
    Received::Events { ack: Response::empty(200), on_failure: Response::empty(503), inbound: vec![inbound] }
}

fn inbound(id: i64, from: &User, message: &Message, at: i64, ctx: &Context<'_>) -> Inbound {
    let chat = message.chat.id.to_string();
    let thread = message.message_thread_id.filter(|_| message.is_topic_message).map(|id| id.to_string());
    let kind = if message.chat.kind == "private" { Kind::Dm } else { Kind::Group };
    Inbound {
        v: INBOUND_VERSION,
        id: id.to_string(),
        channel: "telegram".to_owned(),
        account: ctx.account.to_owned(),
        conversation: Conversation { chat: chat.clone(), thread: thread.clone() },
        kind,
        sender: Sender {
            id: from.id.to_string(),
            name: from.name(),
            home: Home::Unknown,
            bot: from.is_bot,
            lookup: None,
        },
        addressed: false,
        content: Content::text(""),
        attachments: Vec::new(),
        at,
        address: Address {
            channel: "telegram".to_owned(),
            account: ctx.account.to_owned(),
            chat,
            thread,
            // In a 1:1 chat it is clear what an answer answers.
            reply_to: (kind == Kind::Group).then(|| message.message_id.to_string()),
            ..Address::default()
        },
        echo_of: None,
        due: false,
    }
}

/// What was said, and whether the bot is named in it.
fn text(message: &Message, bot: &Bot) -> (String, bool) {
    let written = match (&message.text, &message.caption) {
        (Some(text), _) => Some((text, &message.entities)),
        (None, Some(caption)) => Some((caption, &message.caption_entities)),
        (None, None) => None,
    };
    if let Some((whole, entities)) = written {
        let (text, named) = addressing::read(whole, entities, bot);
        // A bare mention says something too: "look".
        return (if text.is_empty() { whole.trim().to_owned() } else { text }, named);
    }
    if let Some(rich) = &message.rich_message {
        let text = rich_text(rich);
        let named = bot.is_in(&text);
        return (text, named);
    }
    let sticker = message.sticker.as_ref().and_then(|sticker| sticker.emoji.clone());
    let place =
        || message.location.as_ref().map(|at| format!("[location: {}, {}]", at.latitude, at.longitude));
    let contact =
        || message.contact.as_ref().map(|who| format!("[contact: {} {}]", who.first_name, who.phone_number));
    (sticker.or_else(place).or_else(contact).unwrap_or_default(), false)
}

fn replies_to(message: &Message, bot: &Bot) -> bool {
    let replied = message.reply_to_message.as_ref().filter(|to| to.forum_topic_created.is_none());
    replied.and_then(|to| to.from.as_ref()).is_some_and(|author| bot.is(author))
}

fn attachments(message: &Message, account: &str) -> Vec<Attachment> {
    let files = [
        (message.photo.last(), "photo.jpg", "image/jpeg"),
        (message.document.as_ref(), "document", ""),
        (message.voice.as_ref(), "voice.ogg", "audio/ogg"),
        (message.audio.as_ref(), "audio", ""),
        (message.video.as_ref(), "video.mp4", "video/mp4"),
        (message.video_note.as_ref(), "video.mp4", "video/mp4"),
    ];
    let attachment = |(file, name, media_type): (Option<&File>, &str, &str)| {
        file.map(|file| Attachment {
            name: file.file_name.clone().unwrap_or_else(|| name.to_owned()),
            media_type: file.mime_type.clone().unwrap_or_else(|| media_type.to_owned()),
            size: file.file_size,
            fetch: Fetch { account: account.to_owned(), id: file.file_id.clone() },
        })
    };
    files.into_iter().filter_map(attachment).collect()
}
