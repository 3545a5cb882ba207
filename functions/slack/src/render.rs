//! An answer as calls of Slack's API: <https://docs.slack.dev/reference/methods/chat.postMessage>.

use channel::markdown::{CommonMark, Dialect, Markup, Place, Plain, Style, Table, TableLines, render};
use channel::{
    Address, Auth, Body, Choice, Fetch, Limit, Part, Post, PostContext, Step, Target, Unit, Way, sign,
};
use serde_json::{Value, json};

use crate::spec::{BOT_TOKEN, SPEC, STATUS};

/// Where [`Address::data`] keeps a command's or click's own reply address.
pub const RESPONSE_URL: &str = "response_url";

/// What the id of a [`Fetch`] begins with that asks who somebody is: `user:<user>:<our workspace>`.
pub const USER: &str = "user:";

/// `text` may be longer, but Slack advises to stay below (docs.slack.dev/changelog/2018-04-truncating-really-long-messages).
const PLAIN: Limit = Limit { max: 4_000, unit: Unit::Utf16 };

/// A `response_url` takes five messages, within 30 minutes (docs.slack.dev/interactivity/handling-user-interaction).
const RESPONSE_URL_USES: usize = 5;

pub fn post(parts: &[Part], to: &Address, ctx: &PostContext<'_>) -> Post {
    let texts = || parts.iter().filter_map(Part::as_text);
    if let (Way::Push, Some(url)) = (ctx.way, to.data.get(RESPONSE_URL)) {
        let messages = texts().flat_map(|text| render(&text, &Plain, SPEC.text));
        let steps = messages.take(RESPONSE_URL_USES).map(|message| respond(url, &message, to));
        return Post { steps: steps.collect() };
    }
    let mut steps = Vec::new();
    for part in parts {
        match part {
            Part::Typing => steps.extend(status(to, ctx.settings, true)),
            // There is no placeholder: a status goes away with the reply.
            Part::Dismiss | Part::Outcome(_) => {}
            Part::Draft { text, posted } => {
                let so_far = contents(text, ctx.plain).into_iter().next();
                // Not the answer's own: where Slack knows repetitions by it, the answer is none.
                let key = sign::sha256_hex(format!("{} so far", ctx.part_key(0)).as_bytes());
                let key = key.get(..32).unwrap_or_default();
                steps.extend(so_far.map(|content| match posted {
                    Some(posted) => update(to, posted, content).optional(),
                    None => say(to, content, key).optional(),
                }));
            }
            Part::Edit { posted, text } => {
                let mut contents = contents(text, ctx.plain).into_iter();
                steps.extend(contents.next().map(|content| update(to, posted, content)));
                say_all(&mut steps, contents, to, ctx);
            }
            Part::Buttons { text, choices } if !ctx.plain && buttons_fit(choices) => {
                let mut messages = render(text, &SlackMarkdown, SPEC.text);
                let last = messages.pop().unwrap_or_default();
                let messages = messages.iter().map(|message| json!({ "markdown_text": message }));
                say_all(&mut steps, messages.chain([buttons(&last, choices)]), to, ctx);
            }
            Part::Text(_) | Part::Media(_) | Part::Buttons { .. } => {
                let text = part.as_text().unwrap_or_default();
                say_all(&mut steps, contents(&text, ctx.plain), to, ctx);
            }
        }
    }
    if texts().next().is_some() {
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
        let messages = render(text, &Plain, PLAIN);
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

fn call(method: &str, body: Value) -> Step {
    Step::json("api", format!("/{method}"), body).auth(Auth::bearer(BOT_TOKEN))
}

fn extend(body: &mut Value, more: Value) {
    if let (Value::Object(body), Value::Object(more)) = (body, more) {
        body.extend(more);
    }
}

/// The three characters that mean something in every text: <https://docs.slack.dev/messaging/formatting-message-text>.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// What `markdown_text` takes: CommonMark with tables, in which Slack also reads its own mentions.
struct SlackMarkdown;

impl Dialect for SlackMarkdown {
    fn markup(&self, style: &Style<'_>) -> Markup {
        CommonMark.markup(style)
    }

    fn escape(&self, text: &str, place: Place, out: &mut String) {
        CommonMark.escape(&harmless(text), place, out);
    }

    fn link(&self, url: &str, label: &str) -> Option<String> {
        CommonMark.link(url, label)
    }

    fn url(&self, url: &str) -> String {
        CommonMark.url(url)
    }

    fn task(&self, done: bool) -> &'static str {
        CommonMark.task(done)
    }

    fn rule(&self) -> &'static str {
        CommonMark.rule()
    }

    fn hard_break(&self) -> &'static str {
        CommonMark.hard_break()
    }

    fn table(&self, table: &Table) -> Option<TableLines> {
        CommonMark.table(table)
    }
}

/// The text with a zero-width space in every mention (`<!channel>`, `<@U…>`, `<#C…>`), so that it calls nobody. Code is
/// treated alike, because Slack reads mentions there too.
fn harmless(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('<') {
        out.push_str(before);
        out.push('<');
        if is_mention(after) {
            out.push('\u{200B}');
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// Whether what follows a `<` calls somebody. `<!DOCTYPE` and `List<@NonNull` do not.
fn is_mention(after: &str) -> bool {
    const SPECIAL: [&str; 6] = ["!channel", "!here", "!everyone", "!group", "!subteam", "!date"];
    let is_id =
        |id: &str| id.bytes().take(3).filter(|b| b.is_ascii_uppercase() || b.is_ascii_digit()).count() == 3;
    SPECIAL.iter().any(|special| after.starts_with(special))
        || after.strip_prefix(['@', '#']).is_some_and(is_id)
}
