//! What an authentic event says.

mod event;
pub(crate) mod time;

use channel::{Attachment, Context, Fetch, Home, Inbound, Kind, Received, Response, Sender, Verified};
use serde_json::{Value, json};

use crate::render::{ADDON, SAYS};
use crate::spec::{DOMAIN, NAME, QUICK_COMMANDS};
use event::{Event, File, Message, Occurred, Space, User, What};

/// Said in the place where somebody wrote, when the event could not be kept.
const NOT_TAKEN: &str = "Something went wrong here. Please send that again in a moment.";

pub fn parse(verified: &Verified<'_>, ctx: &Context<'_>) -> Received {
    let Some(event) = verified.json::<Event>() else { return nothing("unknown body") };
    let occurred = match event.occurred() {
        Ok(occurred) => occurred,
        Err(kind) => return nothing(kind),
    };
    let (ack, on_failure) = (ack(&occurred), answer(occurred.addon, NOT_TAKEN));
    match said(occurred, ctx) {
        Ok(inbound) => Received::Events { ack, on_failure, inbound: vec![inbound] },
        Err(kind) => Received::Nothing(ack, kind),
    }
}

fn nothing(kind: &'static str) -> Received {
    Received::Nothing(empty(), kind)
}

/// No answer yet: <https://developers.google.com/workspace/chat/receive-respond-interactions>.
fn empty() -> Response {
    Response::json(200, &json!({}))
}

/// Add-ons must answer a click with an action, else people read that the app cannot process it: the message stays as it
/// was, without its buttons. <https://developers.google.com/workspace/add-ons/chat/send-messages#update-message>
fn ack(occurred: &Occurred) -> Response {
    let shown = &occurred.message.formatted_text;
    if !occurred.addon || !matches!(occurred.what, What::Clicked(_)) || shown.is_empty() {
        return empty();
    }
    let message = json!({"text": shown, "markupSyntax": "MARKUP_SYNTAX_CHAT"});
    let action = json!({"updateMessageAction": {"message": message}});
    Response::json(200, &json!({"hostAppDataAction": {"chatDataAction": action}}))
}

/// A message by the answer to the event itself:
/// <https://developers.google.com/workspace/add-ons/chat/convert#response_mapping_by_use_case>.
fn answer(addon: bool, text: &str) -> Response {
    let message = json!({ "text": text });
    let action = json!({"createMessageAction": {"message": message}});
    let add_on = json!({"hostAppDataAction": {"chatDataAction": action}});
    Response::json(200, if addon { &add_on } else { &message })
}

/// The message, or why it is none to answer.
fn said(mut occurred: Occurred, ctx: &Context<'_>) -> Result<Inbound, &'static str> {
    if occurred.space.name.is_empty() {
        occurred.space = std::mem::take(&mut occurred.message.space);
    }
    if occurred.user.name.is_empty() && matches!(occurred.what, What::Said) {
        occurred.user = std::mem::take(&mut occurred.message.sender);
    }
    let Occurred { what, addon, at, user, space, thread, message } = &occurred;
    if user.name.is_empty() || space.name.is_empty() {
        return Err("no sender");
    }
    if user.kind == "BOT" {
        return Err("bot");
    }
    let text = text(&occurred, ctx.settings)?;
    let id = match what {
        What::Said => message.name.clone(),
        // Nothing else of them is unique.
        What::Clicked(_) | What::Commanded(_) if !message.name.is_empty() => {
            format!("{}:{}:{at}", message.name, user.name)
        }
        What::Clicked(_) | What::Commanded(_) => format!("{}:{}:{at}", space.name, user.name),
    };
    let named = if message.thread.name.is_empty() { &thread.name } else { &message.thread.name };
    let own = keeps_threads(space) && (!is_dm(space) || message.thread_reply) && !named.is_empty();
    let mut inbound = Inbound::new(NAME, ctx, id, &space.name, sender(user, ctx.settings), text)
        .in_thread(own.then(|| named.clone()));
    if !is_dm(space) {
        inbound.kind = Kind::Group;
        // Links that the app may preview come without a mention.
        inbound.addressed =
            !matches!(what, What::Said) || is_mentioned(message) || message.slash_command.is_some();
    }
    if matches!(what, What::Said) {
        inbound.attachments =
            message.attachment.iter().filter_map(|file| attachment(file, ctx.account)).collect();
    }
    let written = if message.create_time.is_empty() || matches!(what, What::Clicked(_)) {
        at
    } else {
        &message.create_time
    };
    inbound.at = time::parse(written).unwrap_or(ctx.now);
    if *addon {
        inbound.address.data.insert(ADDON.to_owned(), "yes".to_owned());
    }
    Ok(inbound)
}

/// What somebody said by it.
fn text(occurred: &Occurred, settings: &Value) -> Result<String, &'static str> {
    let message = &occurred.message;
    match &occurred.what {
        What::Clicked(parameters) => {
            let says = parameters.get(SAYS).and_then(Value::as_str).unwrap_or("").trim();
            if says.is_empty() { Err("another button") } else { Ok(says.to_owned()) }
        }
        What::Commanded(_) if !message.text.trim().is_empty() => Ok(message.text.trim().to_owned()),
        What::Commanded(command) => quick_command(&command.app_command_id, settings).ok_or("unknown command"),
        What::Said => {
            let own = if message.slash_command.is_some() { None } else { message.argument_text.as_deref() };
            // A bare mention may come without an argument.
            let whole =
                if is_mentioned(message) && message.slash_command.is_none() { "" } else { &message.text };
            let mut lines = vec![own.unwrap_or(whole).trim().to_owned()];
            lines.extend(message.attachment.iter().filter_map(drive_link));
            lines.retain(|line| !line.is_empty());
            match (lines.is_empty(), message.attachment.is_empty()) {
                (true, true) if is_mentioned(message) => Ok("/help".to_owned()),
                (true, true) => Err("empty"),
                _ => Ok(lines.join("\n\n")),
            }
        }
    }
}

/// Quick commands have a number and no name: `1=/new, 2=/help`.
fn quick_command(id: &Value, settings: &Value) -> Option<String> {
    let id = id.as_str().map_or_else(|| id.to_string(), str::to_owned);
    let known = settings.get(QUICK_COMMANDS)?.as_str()?;
    let mut pairs = known.split(',').filter_map(|pair| pair.split_once('='));
    pairs.find(|(number, _)| number.trim() == id).map(|(_, says)| says.trim().to_owned())
}

fn is_mentioned(message: &Message) -> bool {
    let mentions = message.annotations.iter().filter_map(|annotation| annotation.user_mention.as_ref());
    // Only this app is told of mentions of apps.
    mentions.into_iter().any(|mention| mention.user.kind == "BOT")
}

/// <https://developers.google.com/workspace/chat/api/reference/rest/v1/spaces#SpaceType>; `type` is its older form.
fn is_dm(space: &Space) -> bool {
    space.space_type == "DIRECT_MESSAGE" || (space.space_type.is_empty() && space.kind == "DM")
}

/// <https://developers.google.com/workspace/chat/api/reference/rest/v1/spaces#SpaceThreadingState>
fn keeps_threads(space: &Space) -> bool {
    space.space_threading_state != "UNTHREADED_MESSAGES"
}

/// At home is whose address lies in our domain, and who belongs to a Workspace at all: anybody may open an account of
/// Google for an address that he can read.
fn sender(user: &User, settings: &Value) -> Sender {
    let domain = user.email.as_deref().and_then(|email| email.rsplit_once('@')).map(|(_, domain)| domain);
    let ours = settings.get(DOMAIN).and_then(Value::as_str).filter(|ours| !ours.trim().is_empty());
    let in_workspace = user.domain_id.as_deref().is_some_and(|id| !id.is_empty());
    let home = match (ours, domain) {
        (Some(ours), Some(domain)) => {
            let known = ours.split(',').any(|ours| ours.trim().eq_ignore_ascii_case(domain));
            if known && in_workspace { Home::Yes } else { Home::No }
        }
        _ => Home::Unknown,
    };
    Sender { home, ..Sender::new(&user.name, &user.display_name) }
}

/// <https://developers.google.com/workspace/chat/api/reference/rest/v1/media/download>
fn attachment(file: &File, account: &str) -> Option<Attachment> {
    let id = file.attachment_data_ref.as_ref().map(|data| &data.resource_name).filter(|id| !id.is_empty())?;
    let name = if file.content_name.is_empty() { "file" } else { &file.content_name };
    Some(Attachment {
        name: name.to_owned(),
        media_type: file.content_type.clone(),
        size: None,
        fetch: Fetch { account: account.to_owned(), id: id.clone() },
    })
}

/// Files in Drive open only with their owner's consent: their address is part of what was said.
fn drive_link(file: &File) -> Option<String> {
    let id = file.drive_data_ref.as_ref().map(|drive| &drive.drive_file_id).filter(|id| !id.is_empty())?;
    Some(
        format!("{} https://drive.google.com/open?id={}", file.content_name, channel::encode::segment(id))
            .trim()
            .to_owned(),
    )
}
