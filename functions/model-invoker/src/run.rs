//! Running one token: the machine in `turn` decides, this does.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};

use channel::{ConversationKey, End, Inbound, Settled, Step, Way};
use turn::machine::{LEASE_MS, TOKEN_S};
use turn::{Change, Effect, Event, Fate, Kept, State, Token, Turn, step};

use crate::answer::{Files, Message};
use crate::delivery::Before;
use crate::invoke::NEWER_S;
use crate::judge::Words;
use crate::services::{Place, Services};
use crate::timeline::Timeline;
use crate::{failpoint, now, outgoing};

/// One look takes at most so many messages.
const LOOK_ITEMS: usize = 50;
/// And so much of their text, bytes.
const LOOK_BYTES: usize = 200 * 1024;

/// One queue message on its way through the protocol.
pub struct Run<'a> {
    pub services: &'a Services,
    pub place: Place,
    pub conversation: ConversationKey,
    pub inbound: Inbound,
    pub receipt: &'a str,
    pub receives: u32,
    /// When the invocation is cut off, Unix milliseconds.
    pub ends_at: i64,
    pub timeline: Timeline,
    /// Turns as this invocation knows them.
    turns: HashMap<u32, Turn>,
    /// Ready-made answers by message.
    words: HashMap<String, Words>,
    hidden_at: i64,
    /// The lease's end as last written, Unix milliseconds.
    lease_until: AtomicI64,
    /// The message on the platform that shows what is being written: the answer takes its place.
    pub(crate) draft: Option<Message>,
    /// What came along with the messages, as read.
    pub(crate) files: Files,
    /// What tools made for the person, on its way into the turn.
    pub(crate) made: Mutex<Vec<Kept>>,
    /// What the next commit changes beside its turn.
    pub(crate) change: Change,
    commits: u32,
    /// What the own message waits for is of another release: the token stays until an invoker comes that knows it.
    other_release: bool,
    /// Whether only people answer here, where an operator said something since the last look.
    paused: Option<bool>,
}

/// What becomes of the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Acknowledged,
    /// Hidden for so many seconds.
    Returned(u32),
}

/// A service of ours did not do its part; the token comes back.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error(transparent)]
    Queue(#[from] queue::Error),
    #[error("the text of a message cannot be fetched now")]
    Unfetched,
    #[error("the next time of a reminder cannot be set now")]
    Unscheduled,
}

impl Trouble {
    pub fn is_other_release(&self) -> bool {
        matches!(self, Trouble::Store(store::Error::OtherRelease))
    }
}

impl<'a> Run<'a> {
    pub fn new(
        services: &'a Services,
        place: Place,
        inbound: Inbound,
        receipt: &'a str,
        receives: u32,
        ends_at: i64,
        queued_at: i64,
    ) -> Run<'a> {
        Run {
            services,
            place,
            conversation: inbound.conversation_key(),
            timeline: Timeline::new(&inbound.id, queued_at, now()),
            inbound,
            receipt,
            receives,
            ends_at,
            turns: HashMap::new(),
            words: HashMap::new(),
            hidden_at: 0,
            lease_until: AtomicI64::new(0),
            draft: None,
            files: Files::default(),
            made: Mutex::default(),
            change: Change::default(),
            commits: 0,
            other_release: false,
            paused: None,
        }
    }

    /// Runs the machine to its end.
    pub async fn run(&mut self) -> Outcome {
        let mut state = State::new(Token {
            id: channel::short_id(&self.inbound.id),
            receives: self.receives,
            overlap: self.place.channel.overlap(self.place.room.spec()),
            ends_at: self.ends_at,
        });
        let mut event = Event::Begin;
        loop {
            let (next, effects) = step(state, event, now());
            state = next;
            event = Event::Trouble;
            for effect in effects {
                match effect {
                    Effect::Acknowledge | Effect::Return(_) if self.other_release => {
                        return Outcome::Returned(NEWER_S);
                    }
                    Effect::Acknowledge => return Outcome::Acknowledged,
                    Effect::Return(seconds) => return Outcome::Returned(seconds),
                    effect => event = self.perform(&state, effect).await,
                }
            }
        }
    }

    async fn perform(&mut self, state: &State, effect: Effect) -> Event {
        let name = name(&effect);
        let receives = self.receives;
        let texts = match state.texts().collect::<Vec<_>>().join("\n") {
            none if none.is_empty() => self.inbound.text().to_owned(),
            texts => texts,
        };
        failpoint::pass(name, "before", receives, &texts);
        self.timeline.begin(name, now());
        let event = self.effect(state, effect).await.unwrap_or_else(|trouble| {
            tracing::warn!(conversation = %self.conversation, effect = name, %trouble, "a service did not do its part");
            self.other_release |= trouble.is_other_release();
            Event::Trouble
        });
        self.timeline.end(name, &event, state.head().open.first(), &self.turns, now());
        failpoint::pass(name, "after", receives, &texts);
        event
    }

    async fn effect(&mut self, state: &State, effect: Effect) -> Result<Event, Trouble> {
        let (store, conversation, epoch) = (&self.services.store, self.conversation.clone(), state.epoch());
        if matches!(effect, Effect::Ask { .. } | Effect::Compose { .. } | Effect::Bury { .. }) {
            self.draft = state.head().draft.as_ref().map(Message::from);
        }
        Ok(match effect {
            Effect::Hide(_) => {
                self.keep_hidden().await?;
                Event::Begin
            }
            Effect::Keep => {
                let kept = store.keep(&conversation, &self.inbound, now()).await?;
                Event::Kept { new: matches!(kept, store::Kept::New) }
            }
            Effect::Take => match store.take(&conversation, now(), now() + LEASE_MS).await? {
                store::Taken::Taken(head) => {
                    self.hold_until(head.until);
                    if head.held.is_some()
                        && let Err(error) = self.settle_left(head.epoch).await
                    {
                        tracing::warn!(%conversation, %error, "what a killed answer reserved is settled later");
                    }
                    Event::Taken(head)
                }
                store::Taken::Busy(_) => Event::Busy,
            },
            Effect::Interrupt => {
                if self.judgement(&self.inbound, false, now()).await? == turn::access::Judgement::Answer {
                    store.interrupt(&conversation, now()).await?;
                }
                Event::Begin
            }
            Effect::Inspect => {
                let waits = store.waits(&conversation, &channel::short_id(&self.inbound.id)).await?;
                let open = !store.head(&conversation).await?.open.is_empty();
                Event::Inspected { waits, open }
            }
            Effect::Look => {
                self.keep_hidden().await?;
                let mut looked = store.look(&conversation, LOOK_ITEMS, LOOK_BYTES).await?;
                self.other_release = looked.left.contains(&channel::short_id(&self.inbound.id));
                looked.more |= !self.fetch_texts(&mut looked.waiting).await?;
                Event::Looked { head: looked.head, waiting: looked.waiting, more: looked.more }
            }
            Effect::Pause(ms) => {
                tokio::time::sleep(std::time::Duration::from_millis(ms)).await;
                Event::Paused
            }
            Effect::Judge(ids) => self.judge(state, &ids).await?,
            Effect::Count(ids) => {
                store.count_try(&conversation, &ids).await?;
                Event::Counted
            }
            Effect::Uncount(ids) => {
                store.uncount_try(&conversation, &ids).await?;
                Event::Counted
            }
            Effect::Ask { number, ids, careful, interruptible } => {
                self.ask(state, number, &ids, careful, interruptible).await?
            }
            Effect::Compose { number, id } => self.compose(state, number, &id),
            Effect::Bury { number, id } => self.bury(state, number, &id).await?,
            Effect::Commit(mut commit) => {
                commit.change = std::mem::take(&mut self.change);
                self.commits += 1;
                let key = format!("{conversation}/{epoch}/{}", self.commits);
                let token: String = channel::sign::sha256_hex(key.as_bytes()).chars().take(32).collect();
                if let Some(turn) = &mut commit.turn {
                    // It is planned; from here on it is posted as it stands, or its message is edited.
                    turn.grown = turn.grown.forgotten();
                    self.turns.insert(turn.number, (**turn).clone());
                }
                let days = self.persona(state.head(), &self.inbound).assistant.history.days;
                self.hold_until(now() + LEASE_MS);
                let written = store.commit(&conversation, epoch, &commit, &token, days, now()).await?;
                fenced(written, Event::Committed)
            }
            Effect::Mark(open) => {
                self.keep_hidden().await?;
                self.hold_until(now() + LEASE_MS);
                fenced(store.mark(&conversation, epoch, &open, self.held_until()).await?, Event::Marked)
            }
            Effect::Call { turn, part, doubt } => self.call(turn, part, doubt).await?,
            Effect::Replan { turn, plain } => self.replan(turn, plain).await?,
            Effect::Rewrite { turn, open } => {
                self.hold_until(now() + LEASE_MS);
                self.turns.insert(turn.number, (*turn).clone());
                let written = store.rewrite(&conversation, epoch, &turn, &open, self.held_until()).await?;
                fenced(written, Event::Marked)
            }
            Effect::Fail { turn, reason } => self.fail(turn, reason).await?,
            Effect::Release { rev, open } => {
                match store.release(&conversation, epoch, rev, open.as_deref()).await? {
                    store::Released::Released => Event::Released,
                    store::Released::Moved => Event::Moved,
                    store::Released::Fenced => Event::Fenced,
                }
            }
            Effect::Acknowledge | Effect::Return(_) => Event::Trouble,
        })
    }

    /// Until when the lease lasts as far as this process knows, Unix milliseconds.
    pub(crate) fn held_until(&self) -> i64 {
        self.lease_until.load(Ordering::Relaxed)
    }

    /// It was written that the lease lasts until then, Unix milliseconds.
    pub(crate) fn hold_until(&self, until: i64) {
        self.lease_until.store(until, Ordering::Relaxed);
    }

    /// Hides the own token anew, unless that was just done.
    pub(crate) async fn keep_hidden(&mut self) -> Result<(), queue::Error> {
        if now() - self.hidden_at > 2_000 {
            self.services.queue.hide(self.receipt, TOKEN_S).await?;
            self.hidden_at = now();
        }
        Ok(())
    }

    async fn judge(&mut self, state: &State, ids: &[String]) -> Result<Event, Trouble> {
        let mut fates = Vec::new();
        let mut answered = false;
        for waiting in ids.iter().filter_map(|id| state.waiting(id)) {
            // HEAD is as old as the last look; what an operator said since then is among these messages, before.
            let paused = self.paused.unwrap_or(state.head().paused > now());
            let (fate, words) = self.fate(waiting, state.head(), paused, now()).await?;
            if waiting.inbound.kind == channel::Kind::OperatorSaid {
                self.paused = Some(self.services.store.head(&self.conversation).await?.paused > now());
            }
            // All that the model answers is one answer; it was counted where it is tried again.
            let is_new = waiting.tries == 0 && !(answered && fate == Fate::Answer);
            let is_said = matches!(fate, Fate::Answer | Fate::Say { .. });
            let is_too_much = is_said && is_new && self.has_answered_enough(&waiting.inbound, now()).await?;
            let (fate, words) = if is_too_much { (Fate::Drop, None) } else { (fate, words) };
            if fate == Fate::Drop && !waiting.inbound.due {
                self.dismiss(&waiting.inbound).await;
            }
            answered |= fate == Fate::Answer;
            let id = turn::machine::key(waiting);
            words.map(|words| self.words.insert(id.clone(), words));
            fates.push((id, fate));
        }
        Ok(Event::Judged(fates))
    }

    /// The turn of a ready-made answer, or of words that are only kept.
    fn compose(&mut self, state: &State, number: u32, id: &str) -> Event {
        let Some(waiting) = state.waiting(id) else { return Event::Silent };
        let words = self.words.get(id).cloned().unwrap_or_default();
        let disclosure = self.disclosed_before(&words, state.head(), &waiting.inbound);
        let mut turn = self.turn(number, &[waiting], &words.text);
        turn.history = words.text.is_empty();
        self.change = words.change;
        let begins = disclosure.is_some();
        if let Some(line) = disclosure {
            (turn.before, self.change.disclosed) = (line, Some(true));
        }
        turn.end = words.end;
        if begins || words.end != End::default() {
            self.plan_again(&mut turn, &[waiting]);
        }
        Event::Answered(Box::new(turn))
    }

    async fn bury(&self, state: &State, number: u32, id: &str) -> Result<Event, Trouble> {
        let Some(waiting) = state.waiting(id) else { return Ok(Event::Silent) };
        let reason = format!("it was tried {} times and never ended in an answer", waiting.tries);
        let letter = queue::DeadLetter::message(&waiting.inbound, reason, now());
        self.services.queue.bury(&self.services.dead_letter_url, &letter).await?;
        tracing::error!(conversation = %self.conversation, id, "failed message: it is in the dead letters");
        let line = "Sorry, I could not answer this message. The operator has been told.";
        let mut turn = self.turn(number, &[waiting], line);
        (turn.history, turn.end) = (false, End::Failed);
        self.plan_again(&mut turn, &[waiting]);
        Ok(Event::Answered(Box::new(turn)))
    }

    async fn call(&mut self, number: u32, part: usize, doubt: bool) -> Result<Event, Trouble> {
        let Some(turn) = self.loaded(number).await? else { return Ok(lost_turn()) };
        let id = |back: usize| part.checked_sub(back).and_then(|at| turn.ids.get(at)).cloned().flatten();
        let (answer, earlier) = (id(1).unwrap_or_default(), id(2).unwrap_or_default());
        let Some(step) = turn.steps.get(part).cloned() else {
            return Ok(Event::Settled(Settled::Posted(None)));
        };
        if turn.way == Way::Reply && turn.address.window.is_some_and(|window| !window.is_open(now())) {
            return Ok(Event::Settled(Settled::Gone));
        }
        // This process may have been stopped for a while: nothing is posted that the lease does not outlast.
        if now() + outgoing::CALL_TIME_OUT_MS > self.held_until() {
            return Ok(Event::Late);
        }
        if doubt && !step.optional && !step.repeatable && self.is_left_in_doubt(&step).await? {
            return Ok(Event::Settled(Settled::Posted(None)));
        }
        let before = Before { answer: &answer, earlier: &earlier };
        let sent = self.send_after(before, &step, now()).await;
        let Some(settled) = sent else { return Ok(Event::Unsure) };
        match &settled {
            Settled::Posted(Some(id)) => {
                // The part is posted all the same: it must be written down as sent.
                if let Err(error) =
                    self.services.store.part_posted(&self.conversation, number, part, id).await
                {
                    tracing::warn!(conversation = %self.conversation, turn = number, part, %error, "the id of a part is not kept");
                }
                // A plan that is changed later keeps it.
                if let Some(turn) = self.turns.get_mut(&number) {
                    turn.ids.resize(turn.steps.len(), None);
                    if let Some(place) = turn.ids.get_mut(part) {
                        *place = Some(id.clone());
                    }
                }
            }
            Settled::Later(_)
            | Settled::Gone
            | Settled::Stopped
            | Settled::Broken(_)
            | Settled::Unformatted => {
                tracing::warn!(conversation = %self.conversation, turn = number, part, outcome = ?settled, "not posted");
                // The message that showed the draft takes no more changes, or is gone: the answer gets one of its own.
                let refused = matches!(settled, Settled::Broken(_));
                if refused && self.turns.get(&number).is_some_and(|turn| turn.draft.is_some()) {
                    return Ok(Event::Settled(Settled::Gone));
                }
            }
            Settled::Posted(None)
            | Settled::Fetched(_)
            | Settled::Files(_)
            | Settled::Person(_)
            | Settled::Renew(_) => {}
        }
        Ok(Event::Settled(settled))
    }

    /// A call was begun before and is not known to have ended: counted, and left as it is where the channel wants that.
    pub(crate) async fn is_left_in_doubt(&mut self, step: &Step) -> Result<bool, store::Error> {
        self.timeline.uncertain += 1;
        self.services.store.count("uncertain", &crate::day(now()), 1, now()).await?;
        tracing::warn!(conversation = %self.conversation, on_doubt = ?step.on_doubt, "it may have been posted before");
        Ok(step.on_doubt == channel::OnDoubt::Skip)
    }

    async fn replan(&mut self, number: u32, plain: bool) -> Result<Event, Trouble> {
        let Some(mut turn) = self.loaded(number).await?.cloned() else { return Ok(lost_turn()) };
        if plain && !turn.plain {
            turn.plain = true;
        } else if !plain && turn.grown.is_streamed() {
            turn.grown = channel::Grown::Left;
        } else if !plain && turn.draft.is_some() {
            (turn.draft, turn.grown) = (None, channel::Grown::Edited);
        } else if !plain && turn.way == Way::Reply {
            turn.way = Way::Push;
        } else {
            let why = if plain { "the platform refuses the text" } else { self.place.room.unreachable() };
            return Ok(Event::Exhausted(why.to_owned()));
        }
        turn.steps = self.plan(&turn);
        Ok(Event::Planned(Box::new(turn)))
    }

    async fn fail(&mut self, number: u32, reason: String) -> Result<Event, Trouble> {
        tracing::error!(conversation = %self.conversation, turn = number, reason, "failed message: it is in the dead letters");
        if let Some(turn) = self.loaded(number).await?.cloned() {
            let letter = queue::DeadLetter::turn(&self.conversation, &turn, reason, now());
            self.services.queue.bury(&self.services.dead_letter_url, &letter).await?;
            self.end_reminders(&turn).await;
        }
        Ok(Event::Failed)
    }

    /// The turn, from the table where another invocation committed it.
    async fn loaded(&mut self, number: u32) -> Result<Option<&Turn>, store::Error> {
        if !self.turns.contains_key(&number)
            && let Some(turn) = self.services.store.turn(&self.conversation, number).await?
        {
            self.turns.insert(number, turn);
        }
        Ok(self.turns.get(&number))
    }
}

fn lost_turn() -> Event {
    Event::Settled(Settled::Broken("its turn is not in the table".to_owned()))
}

fn fenced(written: store::Written, done: Event) -> Event {
    match written {
        store::Written::Done => done,
        store::Written::Fenced => Event::Fenced,
    }
}

/// An effect's name in logs and failpoints.
fn name(effect: &Effect) -> &'static str {
    match effect {
        Effect::Hide(_) => "hide",
        Effect::Keep => "keep",
        Effect::Take => "take",
        Effect::Interrupt => "interrupt",
        Effect::Inspect => "inspect",
        Effect::Look => "look",
        Effect::Pause(_) => "pause",
        Effect::Judge(_) => "judge",
        Effect::Count(_) => "count",
        Effect::Uncount(_) => "uncount",
        Effect::Ask { .. } => "ask",
        Effect::Compose { .. } => "compose",
        Effect::Bury { .. } => "bury",
        Effect::Commit(_) => "commit",
        Effect::Mark(_) => "mark",
        Effect::Call { .. } => "call",
        Effect::Replan { .. } => "replan",
        Effect::Rewrite { .. } => "rewrite",
        Effect::Fail { .. } => "fail",
        Effect::Release { .. } => "release",
        Effect::Acknowledge => "acknowledge",
        Effect::Return(_) => "return",
    }
}
