//! Showing an answer while the model writes it: a message of the channel grows, by edits or as a stream of the platform's
//! own, or the platform's own draft does. A stream that is refused, or ends early, is a message that is edited from then on.
//!
//! A draft is a sign like typing: when it cannot be shown, the answer comes all the same. What stays on the platform is
//! written down in HEAD before it is changed for the first time, and the turn's first part replaces it; so neither a kill nor
//! `/stop` leaves a half-written message behind.

mod canvas;
mod half;
mod message;

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use canvas::Canvas;
use channel::{Grown, Settled, Step};
pub(crate) use message::Message;
use tokio::sync::Notify;
use tokio::time::Instant;
use turn::Draft;

use super::Question;
use super::held::Ended;
use super::written::Written;
use crate::delivery::Before;
use crate::outgoing::CALL_TIME_OUT_MS;
use crate::run::{Run, Trouble};
use crate::{failpoint, now};

/// What comes within this time of the first word is shown together: an answer that is complete by then needs no draft.
const FIRST: Duration = Duration::from_millis(150);
/// So many characters are worth showing; fewer wait once more as long.
const FEW: usize = 20;
/// Drafts that the platform did not take before no more are tried.
const MOST_REFUSED: u32 = 4;
/// What the platform takes away by itself is drawn again after this time, though nothing is new: Telegram's draft is gone after 30 s.
/// <https://core.telegram.org/bots/api#sendmessagedraft>
const STALE: Duration = Duration::from_secs(15);
/// Where a message may change only so often, each change waits this much longer than the one before.
const STRETCH: f32 = 1.25;

/// What is shown of one answer.
pub(super) struct Show<'a> {
    run: &'a Run<'a>,
    /// `None`: nothing is shown.
    canvas: Option<Canvas<'a>>,
    message: Mutex<Option<Message>>,
    /// When something was first seen, Unix milliseconds; 0 = nothing yet.
    seen_at: AtomicI64,
    over: Notify,
}

/// What came of one draft.
enum Drawn {
    Shown,
    /// Not now; later drafts may be taken.
    Refused(Option<Duration>),
    /// Not as a stream, or no longer.
    Unstreamed,
    /// The person stopped it there.
    Stopped,
    /// No draft more: the answer follows when it is complete.
    GivenUp,
}

impl<'a> Show<'a> {
    /// `begun` is the message that somebody began who was killed, or interrupted.
    pub fn new(run: &'a Run<'a>, question: &Question<'a>, epoch: u64, begun: Option<Message>) -> Show<'a> {
        let canvas = Canvas::of(run, question, epoch, begun.is_some());
        // What is written now does not go on where that stopped.
        let begun = begun.map(|mut message| {
            message.grown = if message.grown.is_streamed() { Grown::Left } else { message.grown };
            message
        });
        Show { run, canvas, message: Mutex::new(begun), seen_at: AtomicI64::new(0), over: Notify::new() }
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
            ended = &mut following => return Ok(ended),
        };
        if !matches!(ended, Err(_) | Ok(Ended::Lost)) {
            self.over.notify_one();
            following.await;
        }
        ended
    }

    /// The message that the answer takes the place of.
    pub fn message(&self) -> Option<Message> {
        self.message.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A stream is its own sign of writing.
    pub fn is_streaming(&self) -> bool {
        self.message().is_some_and(|message| message.grown.is_streamed())
    }

    /// When something was first seen of the answer, Unix milliseconds.
    pub fn seen_at(&self) -> Option<i64> {
        Some(self.seen_at.load(Ordering::Relaxed)).filter(|at| *at > 0)
    }

    /// Until it is over, or the person stops it.
    async fn follow(&self, canvas: &Canvas<'_>, written: &Written) -> Ended {
        let mut canvas = canvas.clone();
        let (mut every, mut refused, mut shown, mut length) = (canvas.every, 0, 0, 0);
        let mut last: Option<Step> = None;
        let (mut next, mut stale) = (None, None);
        loop {
            tokio::select! {
                biased;
                () = self.over.notified() => return Ended::Lost,
                () = enough(written, next, length) => {}
                () = until(stale) => last = None,
            }
            let text = written.to_show();
            length = text.len();
            let so_far = canvas.shown(&text);
            let steps = canvas.steps(self.run, &so_far, self.message());
            // What does not fit into one message comes with the answer.
            if steps.is_empty() || steps.last() == last.as_ref() {
                next = Some(Instant::now() + every);
                continue;
            }
            match self.draw(&canvas, &so_far, &steps).await {
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
                Drawn::Unstreamed => {
                    canvas = canvas.edited();
                    (every, last, length, next) = (canvas.every, None, 0, Some(Instant::now()));
                    continue;
                }
                Drawn::Stopped => {
                    let said = self.message().and_then(Message::said).unwrap_or_default();
                    return Ended::StoppedThere(half::closed(&said));
                }
                Drawn::GivenUp => refused = MOST_REFUSED,
            }
            last = steps.into_iter().next_back();
            // It stays nowhere.
            let vanishes = self.message().is_none() && last.as_ref().is_some_and(|step| step.repeatable);
            stale = vanishes.then(|| Instant::now() + STALE);
            if refused >= MOST_REFUSED || shown + 1 >= canvas.most {
                self.over.notified().await;
                return Ended::Lost;
            }
            next = Some(Instant::now() + every);
        }
    }

    /// Makes the calls of one draft of `text`; the last one shows it.
    async fn draw(&self, canvas: &Canvas<'_>, text: &str, steps: &[Step]) -> Drawn {
        // This process may have been stopped for a while: nothing is shown that the lease does not outlast.
        if now() + CALL_TIME_OUT_MS > self.run.held_until() {
            return Drawn::Refused(None);
        }
        let mut answer = String::new();
        let (mut settled, mut repeatable, mut stream) = (None, true, false);
        for (n, step) in steps.iter().enumerate() {
            // Its failure matters here: it says how to go on.
            let step = Step { optional: step.optional && n + 1 < steps.len(), ..step.clone() };
            (repeatable, stream) = (step.repeatable, step.stream);
            let before = Before { answer: &answer, earlier: "" };
            settled = self.run.send_after(before, &step, now()).await;
            if let Some(Settled::Posted(id)) = &settled {
                answer = id.clone().unwrap_or_default();
            }
        }
        let conversation = &self.run.conversation;
        match settled {
            // A sign that stays nowhere, or a message that is written down already.
            Some(Settled::Posted(id)) if id.is_none() || self.message().is_some() => {
                self.with(|message| message.grew(stream, text));
                self.seen()
            }
            Some(Settled::Posted(Some(id))) => {
                let draft = Draft { turn: canvas.number, posted: id, at: now(), stream };
                let mut message = Message::from(&draft);
                message.grew(stream, text);
                self.message.lock().unwrap_or_else(PoisonError::into_inner).replace(message);
                failpoint::pass("draft", "posted", self.run.receives, self.run.inbound.text());
                match self.run.services.store.draft(conversation, canvas.epoch, &draft).await {
                    Ok(store::Written::Done) => self.seen(),
                    // Whoever holds the lease now knows nothing of it.
                    Ok(store::Written::Fenced) | Err(_) => Drawn::GivenUp,
                }
            }
            Some(Settled::Later(after)) => Drawn::Refused(after),
            None if repeatable => Drawn::Refused(None),
            Some(Settled::Stopped) if self.is_streaming() => Drawn::Stopped,
            other => {
                tracing::info!(%conversation, outcome = ?other, "a draft was not shown");
                // What is there of a stream is edited; a beginning of which nobody knows whether it began is left alone.
                let is_begun = stream && self.with(|message| message.grown = Grown::Left);
                if is_begun || stream && other.is_some() {
                    Drawn::Unstreamed
                } else if matches!(other, Some(Settled::Unformatted)) {
                    Drawn::Refused(None)
                } else {
                    Drawn::GivenUp
                }
            }
        }
    }

    /// What happens to the message; whether there is one.
    fn with(&self, act: impl FnOnce(&mut Message)) -> bool {
        self.message.lock().unwrap_or_else(PoisonError::into_inner).as_mut().map(act).is_some()
    }

    fn seen(&self) -> Drawn {
        let _ = self.seen_at.compare_exchange(0, now(), Ordering::Relaxed, Ordering::Relaxed);
        Drawn::Shown
    }
}

impl Run<'_> {
    /// A question is asked again whose first draft may stand there without anybody knowing its id: a doubt like that of a post.
    pub(super) async fn is_draft_left(&mut self, question: &Question<'_>) -> Result<(), store::Error> {
        let again = question.waiting.iter().any(|waiting| waiting.tries > 0);
        if !again || self.draft.is_some() {
            return Ok(());
        }
        let first =
            Canvas::of(self, question, 0, false).and_then(|canvas| canvas.steps(self, "…", None).pop());
        if let Some(step) = first.filter(|step| !step.repeatable) {
            self.is_left_in_doubt(&step).await?;
        }
        Ok(())
    }
}

/// For ever without a time.
async fn until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
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
