//! An answer as calls of the Send API, which Messenger and Instagram share:
//! <https://developers.facebook.com/documentation/business-messaging/messenger-platform/send-messages>.

use serde_json::{Value, json};

use super::messaging::Messaging;
use super::{ACCESS_TOKEN, failure, settle as settle_any};
use crate::markdown::{Plain, render};
use crate::{
    Address, Auth, Body, Choice, Fetch, Later, Media, Part, Post, PostContext, Response, Settled, Step,
    Target, Way,
};

/// The setting that names the tag of replies after the window.
const TAG: &str = "tag";
/// It, and what it means.
pub const TAG_SETTING: (&str, &str) = (
    TAG,
    "tag of replies later than 24 hours after a person's message, where Meta granted one; HUMAN_AGENT is for replies \
     that a human writes",
);

/// The tag under which nothing automatic may be sent, reminders included:
/// <https://developers.facebook.com/documentation/business-messaging/messenger-platform/policy>.
const HUMAN_AGENT: &str = "HUMAN_AGENT";

/// Outside the window; the second is Instagram's.
/// <https://developers.facebook.com/documentation/business-messaging/messenger-platform/error-codes>
const OUTSIDE_WINDOW: [u64; 2] = [2_018_278, 2_534_022];

/// A reminder is nothing that a human writes, so it comes within the window unless there is a tag for it.
pub fn later(to: &Address, settings: &Value) -> Later {
    match settings.get(TAG).and_then(Value::as_str) {
        Some(tag) if tag != HUMAN_AGENT => Later::always(to),
        _ => Later::within_window(to),
    }
}

impl Messaging {
    pub fn post(&self, parts: &[Part], to: &Address, ctx: &PostContext<'_>) -> Post {
        let mut steps = Vec::new();
        for part in parts {
            if matches!(part, Part::Typing) {
                let sign = json!({"recipient": {"id": to.chat}, "sender_action": "typing_on"});
                steps.push(call(sign).optional());
            }
            let messages = self.messages(part);
            steps.extend(messages.into_iter().map(|message| call(self.sent(message, to, ctx))));
        }
        Post { steps }
    }

    fn messages(&self, part: &Part) -> Vec<Value> {
        match part {
            Part::Media(media) => self.media(media),
            Part::Buttons { text, choices } if self.fit(text, choices) => {
                let mut messages = self.texts(text);
                if let Some(last) = messages.last_mut().and_then(Value::as_object_mut) {
                    last.insert("quick_replies".to_owned(), quick_replies(choices));
                }
                messages
            }
            // No edits, no placeholders.
            part => self.texts(&part.as_text().unwrap_or_default()),
        }
    }

    fn texts(&self, markdown: &str) -> Vec<Value> {
        render(markdown, &Plain, self.text).into_iter().map(|text| json!({"text": text})).collect()
    }

    /// The platform fetches it.
    fn media(&self, media: &Media) -> Vec<Value> {
        let kind = (self.attachment)(&media.media_type).filter(|_| media.url.starts_with("https://"));
        let Some(kind) = kind else {
            return self.texts(&Part::Media(media.clone()).as_text().unwrap_or_default());
        };
        let mut messages = vec![json!({"attachment": {"type": kind, "payload": {"url": media.url}}})];
        messages.extend(self.texts(&media.caption));
        messages
    }

    /// 13 buttons, titles of 20 characters, payloads of 1,000:
    /// <https://developers.facebook.com/docs/messenger-platform/reference/buttons/quick-replies>.
    fn fit(&self, text: &str, choices: &[Choice]) -> bool {
        !self.texts(text).is_empty()
            && (1..=13).contains(&choices.len())
            && choices.iter().all(|choice| {
                !choice.label.trim().is_empty() && (1..=1_000).contains(&choice.says.chars().count())
            })
    }

    /// After the window only a tag lets a message through, where Meta granted one.
    fn sent(&self, message: Value, to: &Address, ctx: &PostContext<'_>) -> Value {
        let mut body = json!({"recipient": {"id": to.chat}, "message": message});
        let tag = ctx.settings.get(TAG).and_then(Value::as_str).filter(|_| ctx.way == Way::Push);
        if let Some(fields) = body.as_object_mut() {
            match tag {
                Some(tag) => {
                    fields.insert("messaging_type".to_owned(), json!("MESSAGE_TAG"));
                    fields.insert("tag".to_owned(), json!(tag));
                }
                None if self.typed => drop(fields.insert("messaging_type".to_owned(), json!("RESPONSE"))),
                None => {}
            }
        }
        body
    }

    /// What the answers of the Send API mean.
    pub fn settle(&self, step: &Step, response: &Response) -> Settled {
        if response.is_success() {
            if step.method == "GET" {
                return Settled::Fetched(response.body.clone());
            }
            let id = response.body_json().get("message_id").and_then(Value::as_str).map(str::to_owned);
            return Settled::Posted(id);
        }
        let failed = failure(response);
        let closed =
            OUTSIDE_WINDOW.contains(&failed.subcode) || failed.words.contains("outside of allowed window");
        if failed.code == 10 && closed { Settled::Gone } else { settle_any(self.channel, response) }
    }
}

/// Files lie at addresses that are open for a while.
pub fn fetch(what: &Fetch) -> Post {
    Post { steps: vec![Step::new("GET", Target::Url(what.id.clone()), Body::None)] }
}

/// As the page or the account that the token is of.
fn call(body: Value) -> Step {
    Step::json("api", "/me/messages", body).auth(Auth::bearer(ACCESS_TOKEN))
}

fn quick_replies(choices: &[Choice]) -> Value {
    let reply = |choice: &Choice| {
        let title: String = choice.label.trim().chars().take(20).collect();
        json!({"content_type": "text", "title": title.trim_end(), "payload": choice.says})
    };
    choices.iter().map(reply).collect()
}
