//! Showing an answer while the model writes it: a message of the channel grows, or the platform's own draft does.
//!
//! A draft is a sign like typing: when it cannot be shown, the answer comes all the same. What stays on the platform is
//! written down in HEAD before it is changed for the first time, and the turn's first part replaces it; so neither a kill nor
//! `/stop` leaves a half-written message behind.

mod half;

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use channel::{Address, Pace, Part, PostContext, Settled, Step, Way};
use serde_json::Value;
use tokio::sync::Notify;
use tokio::time::Instant;
use turn::Draft;
use turn::config::Streaming;

use super::Question;
use super::held::Ended;
use super::written::Written;
use crate::outgoing::CALL_TIME_OUT_MS;
use crate::run::{Run, Trouble};
use crate::{failpoint, now};

/// What comes within this time of the first word is shown together: an answer that is complete by then needs no draft.
const FIRST: Duration = Duration::from_millis(150);
/// So many characters are worth showing; fewer wait once more as long.
const FEW: usize = 20;
/// Drafts that the platform did not take before no more are tried.
const MOST_REFUSED: u32 = 4;
/// Where a message may change only so often, each change waits this much longer than the one before.
const STRETCH: f32 = 1.25;

/// What is shown of one answer.
pub(super) struct Show<'a> {
    run: &'a Run<'a>,
    /// `None`: nothing is shown.
    canvas: Option<Canvas<'a>>,
    /// The platform's id of the message that grows.
    posted: Mutex<Option<String>>,
    /// When something was first seen, Unix milliseconds; 0 = nothing yet.
    seen_at: AtomicI64,
    over: Notify,
}

/// Where and how it is shown.
struct Canvas<'a> {
    epoch: u64,
    number: u32,
    to: &'a Address,
    settings: Value,
    key: String,
    every: Duration,
    most: u32,
    /// A program reads it.
    verbatim: bool,
}

/// What came of one draft.
enum Drawn {
    Shown,
    /// Not now; later drafts may be taken.
    Refused(Option<Duration>),
    /// No draft more: the answer follows when it is complete.
    GivenUp,
}

impl<'a> Show<'a> {
    /// `posted` is the message that somebody began who was killed.
    pub fn new(run: &'a Run<'a>, question: &Question<'a>, epoch: u64, posted: Option<String>) -> Show<'a> {
        let canvas = Canvas::of(run, question, epoch);
        Show { run, canvas, posted: Mutex::new(posted), seen_at: AtomicI64::new(0), over: Notify::new() }
    }

    /// Does the work and meanwhile shows what is written. A call under way is waited for: whatever is said next comes after it.
    pub async fn beside(
        &self,
        written: &Written,
        work: impl Future<Output = Result<Ended, Trouble>>,
    ) -> Result<Ended, Trouble> {
        let Some(canvas) = &self.canvas else { return work.await };
        let mut following = std::pin::pin!(self.follow(canvas, written));
        let ended = tokio::select! {
            biased;
            ended = work => ended,
            () = &mut following => return Ok(Ended::Lost),
        };
        if !matches!(ended, Err(_) | Ok(Ended::Lost)) {
            self.over.notify_one();
            following.await;
        }
        ended
    }

    /// The message that the answer takes the place of.
    pub fn posted(&self) -> Option<String> {
        self.posted.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// When something was first seen of the answer, Unix milliseconds.
    pub fn seen_at(&self) -> Option<i64> {
        Some(self.seen_at.load(Ordering::Relaxed)).filter(|at| *at > 0)
    }

    /// Until it is over.
    async fn follow(&self, canvas: &Canvas<'_>, written: &Written) {
        let (mut every, mut refused, mut shown, mut length) = (canvas.every, 0, 0, 0);
        let mut last: Option<Step> = None;
        let mut next = None;
        loop {
            tokio::select! {
                biased;
                () = self.over.notified() => return,
                () = enough(written, next, length) => {}
            }
            let text = written.text();
            length = text.len();
            let steps = canvas.steps(self.run, &canvas.shown(&text), self.posted());
            // What does not fit into one message comes with the answer.
            if steps.is_empty() || steps.last() == last.as_ref() {
                next = Some(Instant::now() + every);
                continue;
            }
            match self.draw(canvas, &steps).await {
                Drawn::Shown => {
                    shown += 1;
                    if canvas.most < u32::MAX {
                        every = every.mul_f32(STRETCH);
                    }
                }
                Drawn::Refused(after) => {
                    refused += 1;
                    every = (every * 2).max(after.unwrap_or_default());
                }
                Drawn::GivenUp => refused = MOST_REFUSED,
            }
            last = steps.into_iter().next_back();
            if refused >= MOST_REFUSED || shown + 1 >= canvas.most {
                return self.over.notified().await;
            }
            next = Some(Instant::now() + every);
        }
    }

    /// Makes the calls of one draft; the last one shows it.
    async fn draw(&self, canvas: &Canvas<'_>, steps: &[Step]) -> Drawn {
        // This process may have been stopped for a while: nothing is shown that the lease does not outlast.
        if now() + CALL_TIME_OUT_MS > self.run.held_until() {
            return Drawn::Refused(None);
        }
        let mut answer = String::new();
        let (mut settled, mut repeatable) = (None, true);
        for (n, step) in steps.iter().enumerate() {
            // Its failure matters here: it says how to go on.
            let step = Step { optional: step.optional && n + 1 < steps.len(), ..step.clone() };
            repeatable = step.repeatable;
            settled = self.run.send_after(&answer, &step, now()).await;
            if let Some(Settled::Posted(id)) = &settled {
                answer = id.clone().unwrap_or_default();
            }
        }
        let conversation = &self.run.conversation;
        match settled {
            // A sign that stays nowhere, or a message that is written down already.
            Some(Settled::Posted(None)) => self.seen(),
            Some(Settled::Posted(_)) if self.posted().is_some() => self.seen(),
            Some(Settled::Posted(Some(id))) => {
                self.posted.lock().unwrap_or_else(PoisonError::into_inner).replace(id.clone());
                failpoint::pass("draft", "posted", self.run.receives, self.run.inbound.text());
                let draft = Draft { turn: canvas.number, posted: id, at: now() };
                match self.run.services.store.draft(conversation, canvas.epoch, &draft).await {
                    Ok(store::Written::Done) => self.seen(),
                    // Whoever holds the lease now knows nothing of it.
                    Ok(store::Written::Fenced) | Err(_) => Drawn::GivenUp,
                }
            }
            Some(Settled::Later(after)) => Drawn::Refused(after),
            None if repeatable => Drawn::Refused(None),
            other => {
                tracing::info!(%conversation, outcome = ?other, "a draft was not shown");
                if matches!(other, Some(Settled::Unformatted)) {
                    Drawn::Refused(None)
                } else {
                    Drawn::GivenUp
                }
            }
        }
    }

    fn seen(&self) -> Drawn {
        let _ = self.seen_at.compare_exchange(0, now(), Ordering::Relaxed, Ordering::Relaxed);
        Drawn::Shown
    }
}

impl<'a> Canvas<'a> {
    /// `None` where the channel shows nothing before the answer, or no longer takes a direct reply.
    fn of(run: &Run<'a>, question: &Question<'a>, epoch: u64) -> Option<Canvas<'a>> {
        let (spec, to) = (run.place.room.spec(), &question.newest.address);
        let how = streaming(run)?;
        // A reminder answers nobody: the slot that its address names belongs to an answer of long ago.
        if question.newest.due || to.window.is_some_and(|window| !window.is_open(now())) {
            return None;
        }
        let mut settings = run.place.settings.clone();
        if let Some(settings) = settings.as_object_mut().filter(|_| how == Streaming::Edit) {
            settings.insert("streaming".to_owned(), Value::from("edit"));
        }
        let Pace { every_ms, in_groups_ms, most } = spec.pace;
        let group = question.newest.kind == channel::Kind::Group;
        Some(Canvas {
            epoch,
            number: question.number,
            to,
            settings,
            key: format!("{}/{}/draft", run.conversation, question.number),
            every: Duration::from_millis(u64::from(if group { in_groups_ms } else { every_ms })),
            most,
            verbatim: run.place.room.is_verbatim(to),
        })
    }

    /// What is shown of a text that is not complete.
    fn shown(&self, text: &str) -> String {
        // Programs take nothing back: they get what stands, whatever it is half of.
        if self.verbatim { text.to_owned() } else { half::closed(text) }
    }

    fn steps(&self, run: &Run<'_>, text: &str, posted: Option<String>) -> Vec<Step> {
        let context = PostContext {
            settings: &self.settings,
            key: &self.key,
            way: Way::Reply,
            plain: false,
            now: now(),
        };
        run.place.room.post(&[Part::Draft { text: text.to_owned(), posted }], self.to, &context).steps
    }
}

impl Run<'_> {
    /// A question is asked again whose first draft may stand there without anybody knowing its id: a doubt like that of a post.
    pub(super) async fn is_draft_left(&mut self, question: &Question<'_>) -> Result<(), store::Error> {
        let again = question.waiting.iter().any(|waiting| waiting.tries > 0);
        if !again || self.draft.is_some() {
            return Ok(());
        }
        let first = Canvas::of(self, question, 0).and_then(|canvas| canvas.steps(self, "…", None).pop());
        if let Some(step) = first.filter(|step| !step.repeatable) {
            self.is_left_in_doubt(&step).await?;
        }
        Ok(())
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

/// Until there is enough to show: at the time of the next draft, if more is written by then than these bytes; without one, a
/// moment after the first word.
async fn enough(written: &Written, next: Option<Instant>, shown: usize) {
    match next {
        Some(at) => {
            tokio::time::sleep_until(at).await;
            while written.text().len() == shown {
                written.more().await;
            }
        }
        None => {
            while written.text().trim().is_empty() {
                written.more().await;
            }
            tokio::time::sleep(FIRST).await;
            if written.text().chars().count() < FEW {
                tokio::time::sleep(FIRST).await;
            }
        }
    }
}
