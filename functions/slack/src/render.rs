//! An answer as calls of Slack's API: <https://docs.slack.dev/reference/methods/chat.postMessage>.

use channel::markdown::{Plain, render};
use channel::{Address, Auth, Body, Choice, Fetch, Part, Post, PostContext, Step, Target, Way, sign};
use serde_json::{Value, json};

use crate::file;
use crate::markdown::SlackMarkdown;
use crate::spec::{BOT_TOKEN, SPEC, STATUS};
use crate::stream;

/// Where [`Address::data`] keeps a command's or click's own reply address.
pub const RESPONSE_URL: &str = "response_url";

/// What the id of a [`Fetch`] begins with that asks who somebody is: `user:<user>:<our workspace>`.
pub const USER: &str = "user:";

/// A `response_url` takes five messages, within 30 minutes (docs.slack.dev/interactivity/handling-user-interaction).
const RESPONSE_URL_USES: usize = 5;

pub fn post(parts: &[Part], to: &Address, ctx: &PostContext<'_>) -> Post {
    let texts = || parts.iter().filter_map(Part::as_text);
    let is_text = texts().next().is_some();
    if let (Way::Push, Some(url)) = (ctx.way, to.data.get(RESPONSE_URL)) {
        let messages = texts().flat_map(|text| render(&text, &Plain, SPEC.text));
        let steps = messages.take(RESPONSE_URL_USES).map(|message| respond(url, &message, to));
        return Post { steps: steps.collect() };
    }
    let mut steps = Vec::new();
    let mut parts = parts.iter().peekable();
    while let Some(part) = parts.next() {
        match part {
            Part::Typing => steps.extend(status(to, ctx.settings, true)),
            // There is no placeholder: a status goes away with the reply.
            Part::Dismiss | Part::Outcome(_) => {}
            Part::Draft { text, posted, grown } if stream::is_meant(grown, posted.as_deref(), to, ctx) => {
                steps.extend(stream::draft(text, posted.as_deref(), grown, to));
            }
            Part::Draft { text, posted, grown } => {
                let so_far = contents(text, ctx.plain).into_iter().next();
                let left = posted.as_ref().filter(|_| !grown.is_edited() && so_far.is_some());
                steps.extend(left.map(|posted| stream::end(to, posted).optional()));
                // Not the answer's own: where Slack knows repetitions by it, the answer is none.
                let key = sign::sha256_hex(format!("{} so far", ctx.part_key(0)).as_bytes());
                let key = key.get(..32).unwrap_or_default();
                steps.extend(so_far.map(|content| match posted {
                    Some(posted) => update(to, posted, content).optional(),
                    None => say(to, content, key).optional(),
                }));
            }
            Part::Edit { posted, text, grown } => {
                let mut contents = contents(text, ctx.plain).into_iter();
                let first = contents.next().unwrap_or_default();
                let rest = stream::rest(grown, &first);
                let below = parts.peek().filter(|_| rest.is_some() && contents.len() == 0);
                let below = below.and_then(|next| buttons_below(next, text));
                match rest {
                    Some(rest) => steps.push(stream::finish(to, posted, &rest, below.as_ref())),
                    None => {
                        steps.extend((!grown.is_edited()).then(|| stream::end(to, posted)));
                        steps.push(update(to, posted, first));
                    }
                }
                if below.is_some() {
                    parts.next();
                }
                say_all(&mut steps, contents, to, ctx);
            }
            Part::Buttons { text, choices } if !ctx.plain && buttons_fit(choices) => {
                let mut messages = render(text, &SlackMarkdown, SPEC.text);
                let last = messages.pop().unwrap_or_default();
                let messages = messages.iter().map(|message| json!({ "markdown_text": message }));
                say_all(&mut steps, messages.chain([buttons(&last, choices)]), to, ctx);
            }
            Part::Media(media) => {
                say_all(&mut steps, contents(&media.caption, ctx.plain), to, ctx);
                if ctx.plain {
                    steps.extend(file::instead_of_an_upload());
                    say_all(&mut steps, contents(&media.link(), true), to, ctx);
                } else {
                    steps.extend(file::upload(media, to));
                }
            }
            Part::Text(_) | Part::Buttons { .. } => {
                let text = part.as_text().unwrap_or_default();
                say_all(&mut steps, contents(&text, ctx.plain), to, ctx);
            }
        }
    }
    if is_text {
        steps.extend(status(to, ctx.settings, false));
    }
    Post { steps }
}

/// Each its own message.
fn say_all(
    steps: &mut Vec<Step>,
    contents: impl IntoIterator<Item = Value>,
    to: &Address,
    ctx: &PostContext<'_>,
) {
    for content in contents {
        let key = ctx.part_key(steps.len());
        steps.push(say(to, content, &key));
    }
}

/// What `chat.postMessage` is given for a text, message by message.
fn contents(text: &str, plain: bool) -> Vec<Value> {
    if plain {
        // As many messages as with Markdown, where it can be: what was said stays said. `text` may have 40,000 characters
        // (docs.slack.dev/changelog/2018-04-truncating-really-long-messages).
        let messages = render(text, &Plain, SPEC.text);
        return messages.iter().map(|message| json!({ "text": escape(message), "mrkdwn": false })).collect();
    }
    let messages = render(text, &SlackMarkdown, SPEC.text);
    messages.iter().map(|message| json!({ "markdown_text": message })).collect()
}

/// <https://docs.slack.dev/reference/methods/chat.update>
fn update(to: &Address, posted: &str, content: Value) -> Step {
    let mut body = json!({ "channel": to.chat, "ts": posted });
    extend(&mut body, content);
    call("chat.update", body).repeatable()
}

/// <https://docs.slack.dev/reference/block-kit/blocks/actions-block>: 25 buttons; a button's value has 2,000 characters.
fn buttons_fit(choices: &[Choice]) -> bool {
    (1..=25).contains(&choices.len()) && choices.iter().all(|choice| (1..=2_000).contains(&choice.says.len()))
}

/// The text as a block, because `markdown_text` takes none beside it; `text` is what notifications show.
fn buttons(text: &str, choices: &[Choice]) -> Value {
    let button = |(index, choice): (usize, &Choice)| {
        // docs.slack.dev/reference/block-kit/block-elements/button-element: 75 characters, ids different in a block.
        let label: String = choice.label.chars().take(75).collect();
        json!({
            "type": "button", "action_id": format!("choice_{index}"), "value": choice.says,
            "text": { "type": "plain_text", "text": label, "emoji": false },
        })
    };
    let elements: Vec<Value> = choices.iter().enumerate().map(button).collect();
    let actions = json!({ "type": "actions", "elements": elements });
    let blocks = match text {
        "" => json!([actions]),
        text => json!([{ "type": "markdown", "text": text }, actions]),
    };
    json!({ "text": escape(text), "blocks": blocks })
}

/// The blocks of a question with buttons that fits below a text in one message; the text may be the question.
fn buttons_below(part: &Part, text: &str) -> Option<Value> {
    let Part::Buttons { text: question, choices } = part else { return None };
    let mut messages =
        if question == text { Vec::new() } else { render(question, &SlackMarkdown, SPEC.text) };
    let message = messages.pop().unwrap_or_default();
    let fits = messages.is_empty() && buttons_fit(choices);
    fits.then(|| buttons(&message, choices).get_mut("blocks").map(Value::take)).flatten()
}

pub fn fetch(what: &Fetch) -> Post {
    let step = match what.id.strip_prefix(USER) {
        Some(who) => {
            let (user, team) = who.split_once(':').unwrap_or((who, ""));
            // `team_id` is what `settle` compares with; Slack ignores what a method does not know.
            let fields = [("user", user), ("team_id", team)];
            let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned()));
            let target = Target::Base { base: "api".to_owned(), path: "/users.info".to_owned() };
            Step::new("POST", target, Body::Form(fields.into()))
        }
        None => Step::new("GET", Target::Url(what.id.clone()), Body::None),
    };
    Post { steps: vec![step.auth(Auth::bearer(BOT_TOKEN))] }
}

/// One message. Links are not unfurled: what a model links to is fetched only when somebody clicks.
fn say(to: &Address, text: Value, key: &str) -> Step {
    let mut body = json!({
        "channel": to.chat, "client_msg_id": uuid(key), "unfurl_links": false, "unfurl_media": false,
    });
    extend(&mut body, text);
    if let Some(thread) = &to.thread {
        extend(&mut body, json!({ "thread_ts": thread }));
    }
    call("chat.postMessage", body)
}

/// The key as a `client_msg_id`. The method's errors speak of messages that are known by it, yet nothing promises that a
/// repetition makes no second message: it helps where it does, and the step counts as one that may not be repeated.
fn uuid(key: &str) -> String {
    let ends = [8, 12, 16, 20, key.len()];
    let groups = std::iter::once(0).chain(ends).zip(ends).filter_map(|(from, to)| key.get(from..to));
    groups.collect::<Vec<_>>().join("-")
}

/// One message where the app is no member: the command's or click's own address, which needs no token.
fn respond(url: &str, message: &str, to: &Address) -> Step {
    let mut body = json!({
        "response_type": "in_channel", "replace_original": false, "text": escape(message), "mrkdwn": false,
    });
    if let Some(thread) = &to.thread {
        extend(&mut body, json!({ "thread_ts": thread }));
    }
    Step::new("POST", Target::Url(url.to_owned()), Body::Json(body))
}

/// The sign that an answer is being written. It belongs to a thread; outside of one there is none.
fn status(to: &Address, settings: &Value, busy: bool) -> Option<Step> {
    let thread = to.thread.as_ref()?;
    let (method, status) = match (settings.get(STATUS).and_then(Value::as_str), busy) {
        (Some("off"), _) => return None,
        (Some("agent"), true) => ("agents.sessions.setStatus", "processing"),
        // An agent's session stays "processing" until it is told otherwise.
        (Some("agent"), false) => ("agents.sessions.setStatus", "active"),
        (_, true) => ("assistant.threads.setStatus", "is writing…"),
        // Goes away with the reply.
        (_, false) => return None,
    };
    let body = json!({ "channel_id": to.chat, "thread_ts": thread, "status": status });
    Some(call(method, body).optional())
}

pub fn call(method: &str, body: Value) -> Step {
    Step::json("api", format!("/{method}"), body).auth(Auth::bearer(BOT_TOKEN))
}

pub fn extend(body: &mut Value, more: Value) {
    if let (Value::Object(body), Value::Object(more)) = (body, more) {
        body.extend(more);
    }
}

/// The three characters that mean something in every text: <https://docs.slack.dev/messaging/formatting-message-text>.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
