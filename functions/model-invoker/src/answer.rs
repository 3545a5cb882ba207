//! Answering: the lease is kept alive beside everything that it takes to answer a group of messages, and what ends it is made
//! into a turn.
//!
//! [`reply`] goes from the messages to what is said: [`heard`] says what they ask, [`prompt`] makes the question of it, [`steps`]
//! asks the model and makes its calls, [`media`] reads what came along, [`desk`] does those that are ours, [`confirm`] asks people
//! first, [`compact`] sums up what no longer fits, [`spend`] keeps within the caps. [`held`] keeps lease, token and typing sign alive
//! meanwhile, [`stream`] shows what is written so far, [`sorry`] has the lines for when no model answers.

mod compact;
mod confirm;
mod desk;
mod heard;
mod held;
mod media;
mod prompt;
mod reply;
mod sorry;
mod spend;
mod steps;
mod stream;
mod tally;
mod written;

use std::sync::{OnceLock, PoisonError};
use std::time::{Duration, Instant};

use channel::{End, Inbound};
use futures::future::join_all;
use turn::commands::Command;
use turn::{Change, Checked, Event, Head, Spoken, State, Turn, Waiting};

use crate::now;
use crate::persona::Persona;
use crate::run::{Run, Trouble};
pub use desk::in_private;
use heard::Heard;
use held::{Ended, Hold};
pub(crate) use media::Files;
use reply::Reply;
pub(crate) use stream::Message;
use stream::Show;
use tally::Tally;
use written::Written;

/// The model has answered this long before the invocation ends, milliseconds.
const MARGIN_MS: i64 = 15_000;
/// What a program is told, which has the beginning already or is to ask anew.
const BROKE_OFF: &str = "The answer broke off. Please try again.";

/// What is to be answered together.
pub(crate) struct Question<'a> {
    /// The turn's.
    pub number: u32,
    /// Oldest first; never empty.
    pub waiting: Vec<&'a Waiting>,
    /// The newest of them: its address gets the answer.
    pub newest: &'a Inbound,
    pub head: &'a Head,
    /// First turn that the model sees.
    pub since: u32,
    pub persona: Persona,
    /// The turn that `/retry` asks to be answered anew.
    pub redo: Option<Turn>,
    /// `/compact` is among them.
    pub compact: bool,
    /// An earlier try may have died of what came with the messages: without tools and media.
    pub careful: bool,
    /// When everything must be said, so that it can be committed and posted.
    pub deadline: Instant,
    /// What the messages say, once the hooks before the model had them.
    heard: OnceLock<Vec<Heard>>,
}

impl Run<'_> {
    /// One answer for all of the messages.
    pub(crate) async fn ask(
        &mut self,
        state: &State,
        number: u32,
        ids: &[String],
        careful: bool,
        interruptible: bool,
    ) -> Result<Event, Trouble> {
        let waiting: Vec<&Waiting> = ids.iter().filter_map(|id| state.waiting(id)).collect();
        let Some(newest) = waiting.last().map(|waiting| &waiting.inbound) else { return Ok(Event::Silent) };
        let question = self.question(state.head(), number, waiting, newest, careful).await?;
        let kept_at = question.waiting.iter().map(|waiting| waiting.kept_at).max().unwrap_or(0);
        let looked_at = interruptible.then_some(state.head().rev);
        let hold = Hold { epoch: state.epoch(), kept_at, looked_at };
        let (written, unseen, tally) = (Written::default(), Written::default(), Tally::default());
        self.is_draft_left(&question).await?;
        let run = &*self;
        let show = Show::new(run, &question, hold.epoch, run.draft.clone());
        let work = async {
            Ok(tokio::select! {
                biased;
                reply = run.reply(&question, hold.epoch, &written, &tally) => Ended::Done(reply?),
                ended = run.hold(hold) => ended?,
                never = run.type_on(newest, &show) => never,
            })
        };
        // A program of the operator's sees answers before people do.
        let hidden = question.persona.hides_drafts(&run.place.config);
        let ended = show.beside(if hidden { &unseen } else { &written }, work).await?;
        let used = tally.used(&run.place.config, &written);
        let warning = run.settle(&question, hold.epoch, tally.purse(), &used).await;
        let (draft, seen_at) = (show.message(), show.seen_at());
        (self.draft, self.timeline.seen_at) = (draft, seen_at);
        let stays = matches!(ended, Ended::StoppedThere(_));
        let ready = matches!(ended, Ended::Done(Reply::Ready(_)));
        let turn = match ended {
            Ended::Lost => return Ok(Event::Fenced),
            Ended::Interrupted => return Ok(Event::Interrupted),
            Ended::Stopped => {
                let text = if hidden { String::new() } else { written.text() };
                let nothing = if self.draft.is_some() { "*(stopped)*" } else { "" };
                let said = Some(text.trim()).filter(|text| !text.is_empty()).unwrap_or(nothing);
                Some(Turn { stopped: true, ..self.turn(number, &question.waiting, said) })
            }
            Ended::StoppedThere(said) => {
                Some(Turn { stopped: true, ..self.turn(number, &question.waiting, &said) })
            }
            Ended::Done(reply) => self.said(&question, reply).await?,
        };
        // Nothing is to be said; but what began to appear does not stay as it is.
        let taken_back = || self.turn(number, &question.waiting, "*(taken back)*");
        let turn = turn.or_else(|| self.draft.is_some().then(|| Turn { history: false, ..taken_back() }));
        let Some(mut turn) = turn else {
            join_all(question.waiting.iter().map(|waiting| self.dismiss(&waiting.inbound))).await;
            return Ok(Event::Silent);
        };
        used.onto(&mut turn);
        turn.assistant.clone_from(&question.persona.name);
        self.finish(&question, &mut turn, ready, warning);
        if stays {
            (turn.steps, turn.before, self.change.disclosed) = (Vec::new(), String::new(), None);
        }
        Ok(Event::Answered(Box::new(turn)))
    }

    async fn question<'a>(
        &self,
        head: &'a Head,
        number: u32,
        waiting: Vec<&'a Waiting>,
        newest: &'a Inbound,
        careful: bool,
    ) -> Result<Question<'a>, store::Error> {
        let left = u64::try_from(self.ends_at - MARGIN_MS - now()).unwrap_or(0);
        let most = match u64::from(self.place.config.limits.turn_seconds) {
            0 => left,
            seconds => left.min(seconds * 1_000),
        };
        let persona = self.persona_for(head, &waiting, newest);
        // What was said before a reset is not seen: this turn is the first of a new history.
        let since = if persona.resets(head, now()) { number } else { head.since };
        let commands = |wanted: Command| {
            let told = |waiting: &&&Waiting| {
                !waiting.inbound.due && Command::parse(waiting.inbound.text()) == Some(wanted.clone())
            };
            waiting.iter().any(|waiting| told(&waiting))
        };
        let redo = match commands(Command::Retry) && since == head.since {
            true => self.last_turn(head, now()).await?,
            false => None,
        };
        let compact = commands(Command::Compact);
        let deadline = Instant::now() + Duration::from_millis(most);
        let heard = OnceLock::new();
        Ok(Question {
            number,
            newest,
            head,
            since,
            persona,
            redo,
            compact,
            careful,
            deadline,
            waiting,
            heard,
        })
    }

    /// The turn that says it; `None` where nothing is said.
    async fn said(&mut self, question: &Question<'_>, reply: Reply) -> Result<Option<Turn>, Trouble> {
        let (number, waiting) = (question.number, &question.waiting);
        let verbatim = self.place.room.is_verbatim(&question.newest.address);
        Ok(Some(match reply {
            // Words were found for it before.
            Reply::Silent | Reply::NoMoney(_) => return Ok(None),
            Reply::Answered { text, cut } => {
                let made = !self.made.lock().unwrap_or_else(PoisonError::into_inner).is_empty();
                let text = match text.trim() {
                    "" if made => "📎".to_owned(),
                    "" => "I have no answer to that.".to_owned(),
                    _ if verbatim => text,
                    text if cut => format!("{text} …"),
                    text => text.to_owned(),
                };
                let end = if cut { End::Cut } else { End::Whole };
                Turn { end, ..self.turn(number, waiting, &text) }
            }
            Reply::Notice(text) | Reply::Ready(text) => {
                Turn { history: false, ..self.turn(number, waiting, &text) }
            }
            Reply::Capped(line) => {
                Turn { history: false, end: End::Capped, ..self.turn(number, waiting, &line) }
            }
            Reply::Unable(line) => {
                Turn { history: false, end: End::Failed, ..self.turn(number, waiting, line) }
            }
            Reply::Asks { pending, text, question } => {
                self.services.store.put_pending(&self.conversation, &pending).await?;
                let turn = self.turn(number, waiting, &text);
                self.asking(turn, &pending, question)
            }
            Reply::BrokeOff(partial) => {
                let text = match verbatim {
                    true => BROKE_OFF.to_owned(),
                    false => format!("{}\n\n*(the answer broke off here)*", partial.trim()),
                };
                Turn { end: End::Failed, ..self.turn(number, waiting, &text) }
            }
            Reply::Failed(error) => return self.apology(number, waiting, &error).await,
        }))
    }

    /// What is said before an answer and is none: that an assistant answers, that money runs short. And what its commit changes
    /// beside the turn. `ready`: its words are the operator's own.
    fn finish(&mut self, question: &Question<'_>, turn: &mut Turn, ready: bool, warning: Option<String>) {
        let Question { head, since, redo, persona, .. } = question;
        let answers = turn.history && !turn.answer.is_empty();
        let disclosure = self.disclosure(head, persona, question.newest).filter(|_| answers || ready);
        self.change = Change {
            since: (*since != head.since).then_some(*since),
            disclosed: disclosure.is_some().then_some(true),
            last_at: answers.then_some(turn.at),
            undone: redo.as_ref().filter(|_| answers).map(|redo| redo.number),
            // A command of the operator's may have called somebody else.
            assistant: persona.called.then(|| Some(persona.name.clone())),
            model: persona.called.then_some(None),
            ..Change::default()
        };
        // What was stopped before a hook had it is kept as it came, and seen by the hook before it is asked.
        let heard = question.heard.get_or_init(|| self.heard(question, None));
        turn.messages = heard.iter().map(|heard| heard.kept.clone()).collect();
        turn.files = heard.iter().flat_map(|heard| heard.files.clone()).collect();
        let before: Vec<String> = disclosure.into_iter().chain(warning).collect();
        // A program is told what the turn took, which was not known when it was planned first.
        if !before.is_empty() || self.place.room.is_verbatim(&turn.address) {
            turn.before = before.join("\n\n");
            self.plan_again(turn, &question.waiting);
        }
    }
}

/// A message as history and prompt hold it. Files are named until they can be read.
pub(crate) fn spoken(inbound: &Inbound) -> Spoken {
    let files = inbound.attachments.iter().map(|file| format!("[file: {}]", file.name));
    let text = match inbound.due {
        true => format!("[A reminder that you set for me is due now. It says: {}]", inbound.text()),
        false => inbound.text().to_owned(),
    };
    let text = std::iter::once(text).filter(|text| !text.is_empty());
    Spoken {
        id: inbound.id.clone(),
        sender: inbound.sender.id.clone(),
        name: inbound.sender.name.clone(),
        text: text.chain(files).collect::<Vec<_>>().join("\n"),
        at: inbound.at,
        operator: inbound.kind == channel::Kind::OperatorSaid,
        checked: Checked::Not,
    }
}
