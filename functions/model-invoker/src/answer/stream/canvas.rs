//! Where and how an answer is shown that is being written.

use std::time::Duration;

use channel::{Address, Grown, Pace, Part, PostContext, Step, Way};
use serde_json::Value;
use turn::config::Streaming;

use super::{Message, half};
use crate::answer::Question;
use crate::now;
use crate::run::Run;

/// Where and how it is shown.
#[derive(Clone)]
pub(super) struct Canvas<'a> {
    pub epoch: u64,
    pub number: u32,
    to: &'a Address,
    settings: Value,
    key: String,
    /// Between two changes.
    pub every: Duration,
    /// The same once the message is edited.
    edits_every: Duration,
    pub most: u32,
    /// It is a stream: nothing is taken back, so only what stands is shown.
    stream: bool,
    /// A program reads it.
    verbatim: bool,
}

impl<'a> Canvas<'a> {
    /// `None` where the channel shows nothing before the answer, or no longer takes a direct reply. A message that somebody
    /// began is edited.
    pub fn of(run: &Run<'a>, question: &Question<'a>, epoch: u64, is_begun: bool) -> Option<Canvas<'a>> {
        let (spec, to) = (run.place.room.spec(), &question.newest.address);
        let how = streaming(run)?;
        // A reminder answers nobody: the slot that its address names belongs to an answer of long ago.
        if question.newest.due || to.window.is_some_and(|window| !window.is_open(now())) {
            return None;
        }
        let Pace { every_ms, in_groups_ms, stream_ms, most } = spec.pace;
        let group = question.newest.kind == channel::Kind::Group;
        let every = Duration::from_millis(u64::from(if group { in_groups_ms } else { every_ms }));
        let canvas = Canvas {
            epoch,
            number: question.number,
            to,
            settings: run.place.settings.clone(),
            key: format!("{}/{}/draft", run.conversation, question.number),
            every,
            edits_every: every,
            most,
            stream: false,
            verbatim: run.place.room.is_verbatim(to),
        };
        if how == Streaming::Edit || is_begun {
            return Some(canvas.edited());
        }
        let stream = canvas.steps(run, "…", None).last().is_some_and(|step| step.stream);
        let every = if stream { Duration::from_millis(u64::from(stream_ms)) } else { every };
        Some(Canvas { every, stream, ..canvas })
    }

    /// The same without ways of the platform's own.
    pub fn edited(mut self) -> Canvas<'a> {
        if let Some(settings) = self.settings.as_object_mut() {
            settings.insert("streaming".to_owned(), Value::from("edit"));
        }
        Canvas { every: self.edits_every, stream: false, ..self }
    }

    /// What is shown of a text that is not complete.
    pub fn shown(&self, text: &str) -> String {
        if self.verbatim {
            // Programs take nothing back: they get what stands, whatever it is half of.
            text.to_owned()
        } else if self.stream {
            // What of it stands depends on the room's dialect: it knows.
            text.trim_end().to_owned()
        } else {
            half::closed(text)
        }
    }

    /// The calls that show it in place of, or after, what the message says.
    pub fn steps(&self, run: &Run<'_>, text: &str, message: Option<Message>) -> Vec<Step> {
        let context = PostContext {
            settings: &self.settings,
            key: &self.key,
            way: Way::Reply,
            plain: false,
            now: now(),
        };
        let (posted, grown) = match message {
            Some(message) => (Some(message.posted), message.grown),
            None => (None, Grown::Edited),
        };
        run.place.room.post(&[Part::Draft { text: text.to_owned(), posted, grown }], self.to, &context).steps
    }
}

/// How answers are shown here: as set, else as the platform is known for. `None` where it shows nothing before the answer.
fn streaming(run: &Run<'_>) -> Option<Streaming> {
    let able = match run.place.room.spec().streaming {
        channel::Streaming::Off => return None,
        channel::Streaming::Edit => Streaming::Edit,
        channel::Streaming::Native => Streaming::Native,
    };
    Some(run.place.channel.streaming.unwrap_or(able)).filter(|how| *how != Streaming::Off)
}
