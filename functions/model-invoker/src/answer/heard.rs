//! What the messages say: as the model is asked it, and as the history keeps it. Programs of the operator's have it before
//! either: what they changed is kept as they changed it, so that no later question holds what they took out.

use channel::{Content, Inbound};
use futures::StreamExt;
use turn::commands::{Command, custom};
use turn::config::{Hook, HookPoint};
use turn::{Checked, Kept, Spoken, Turn, pending};

use super::Question;
use super::confirm::Resumed;
use super::media::IN_HISTORY;
use super::prompt::Past;
use super::reply::Reply;
use crate::now;
use crate::run::Run;
use tools::Before;

/// Said where a hook that must not fail did.
pub(super) const HOOK_FAILED: &str = "Sorry, I cannot answer at the moment. Please try again in a minute.";
/// So many earlier messages are with a hook at a time.
const AT_A_TIME: usize = 8;

/// A message, or one of those that `/retry` asks again.
pub(super) struct Heard {
    /// Documents in full, a command of the operator's in the words that it stands for. `None`: the model is asked nothing.
    pub asked: Option<Spoken>,
    pub kept: Spoken,
    /// What came with it and is in the bucket.
    pub files: Vec<Kept>,
    /// It is asked again: its files are those of an earlier turn.
    pub again: bool,
}

impl Heard {
    /// A hook made this of it.
    fn changed(&mut self, text: String) {
        let Some(asked) = &mut self.asked else { return };
        // A long document stands in the history in short, whatever became of it.
        self.kept.text = channel::text::cut(text.clone(), self.kept.text.len() + IN_HISTORY);
        asked.text = text;
        (asked.checked, self.kept.checked) = (Checked::Changed, Checked::Changed);
        forget_documents(&mut self.files);
    }
}

/// The bucket has documents as they came. Pictures are not what hooks are asked about.
fn forget_documents(files: &mut Vec<Kept>) {
    files.retain(|file| file.media_type.starts_with("image/"));
}

/// What somebody wrote, without what came along or is told of it: commands and keywords are looked for in that alone.
fn words(text: &str) -> &str {
    let begins = |line: &str| {
        ["[file: ", "[image: ", "[voice message", "[A reminder "].iter().any(|mark| line.starts_with(mark))
    };
    let lines = text.split_inclusive('\n').take_while(|line| !begins(line));
    text.get(..lines.map(str::len).sum()).unwrap_or(text).trim_end_matches('\n')
}

impl Run<'_> {
    /// What the messages say, no hook asked yet. `resumed` is what one of them answers.
    pub(super) fn heard(&self, question: &Question<'_>, resumed: Option<&Resumed>) -> Vec<Heard> {
        let heard = question.waiting.iter().flat_map(|waiting| {
            let inbound = &waiting.inbound;
            match (Command::parse(inbound.text()), &question.redo) {
                (Some(Command::Retry), Some(redo)) if !inbound.due => {
                    self.heard_again(question, inbound, redo)
                }
                _ => vec![self.heard_now(question, inbound, resumed)],
            }
        });
        heard.collect()
    }

    fn heard_now(&self, question: &Question<'_>, inbound: &Inbound, resumed: Option<&Resumed>) -> Heard {
        let is_press = pending::reply(inbound.text()).is_some_and(|reply| reply.id.is_some());
        // A button of a question that is over must not read like a yes to something else.
        let is_over = is_press && !inbound.due && resumed.is_none_or(|resumed| resumed.message != inbound.id);
        let asked = self.meant(question, inbound, self.spoken(inbound, true)).filter(|_| !is_over);
        Heard { asked, kept: self.spoken(inbound, false), files: self.kept_of(inbound), again: false }
    }

    /// The messages of the turn that is to be answered anew, meant as they were then.
    fn heard_again(&self, question: &Question<'_>, inbound: &Inbound, redo: &Turn) -> Vec<Heard> {
        let mut files = redo.files.clone();
        // Of a long document the history has the beginning, so no hook would see the rest of it now.
        let unseen = redo.messages.iter().any(|spoken| spoken.checked == Checked::Not);
        if unseen && !self.hooks_before(question).is_empty() {
            forget_documents(&mut files);
        }
        let again = redo.messages.iter().map(|spoken| {
            let mut then = Inbound {
                id: spoken.id.clone(),
                content: Content::text(words(&spoken.text)),
                attachments: Vec::new(),
                at: spoken.at,
                ..inbound.clone()
            };
            (then.sender.id, then.sender.name) = (spoken.sender.clone(), spoken.name.clone());
            Heard {
                asked: self.meant(question, &then, spoken.clone()),
                kept: spoken.clone(),
                files: std::mem::take(&mut files),
                again: true,
            }
        });
        again.collect()
    }

    /// What a message asks: what it says, unless it is a command of which the model has a part.
    fn meant(&self, question: &Question<'_>, inbound: &Inbound, spoken: Spoken) -> Option<Spoken> {
        if inbound.due || spoken.checked == Checked::Changed {
            return Some(spoken);
        }
        // What they are about is not in their words; `/retry` comes here where there is nothing to answer anew.
        if let Some(Command::Compact | Command::Retry) = Command::parse(inbound.text()) {
            return None;
        }
        if let Some(reply) = pending::reply(inbound.text()).filter(|reply| reply.id.is_some()) {
            let text = if reply.yes { "Yes." } else { "No." };
            return Some(Spoken { text: text.to_owned(), ..spoken });
        }
        let persona = &question.persona;
        let found = custom(&self.place.config.commands, &persona.assistant.commands, inbound.text());
        let asked = found.and_then(|found| match &found.command.assistant {
            Some(_) => Some(found.text.to_owned()),
            None => found.ask(&self.variables(persona, inbound, now())),
        });
        Some(match asked {
            Some(asked) => {
                // What came along stands behind the words.
                let files = spoken.text.strip_prefix(inbound.text()).unwrap_or_default();
                Spoken { text: format!("{asked}{files}"), ..spoken }
            }
            None => spoken,
        })
    }

    /// What the messages say once the hooks before the model had them, in order.
    pub(super) async fn before(
        &self,
        question: &Question<'_>,
        mut heard: Vec<Heard>,
    ) -> Result<Vec<Heard>, Reply> {
        let hooks = self.hooks_before(question);
        if hooks.is_empty() {
            return Ok(heard);
        }
        for one in &mut heard {
            // What a hook made of a message is not given to it once more.
            let Some(asked) = one.asked.as_mut().filter(|asked| asked.checked != Checked::Changed) else {
                continue;
            };
            match self.checked(question, &hooks, &asked.text).await {
                Ok(Before::Ask(text)) if text == asked.text => {
                    (asked.checked, one.kept.checked) = (Checked::Same, Checked::Same);
                }
                Ok(Before::Ask(text)) => one.changed(text),
                Ok(Before::Reply(text)) => return Err(Reply::Ready(text)),
                Ok(Before::Stop) => return Err(Reply::Silent),
                Err(error) => {
                    tracing::error!(conversation = %self.conversation, error = error.kind(), "a hook failed, so nothing is asked");
                    return Err(Reply::Unable(HOOK_FAILED));
                }
            }
        }
        Ok(heard)
    }

    /// Has the hooks see what they have not yet of what was said before: while people answered here, before somebody stopped them, before
    /// there were any. What they do not let through is left out.
    pub(super) async fn check_past(&self, question: &Question<'_>, past: &mut Past) {
        let hooks = self.hooks_before(question);
        let unseen = |spoken: &Spoken| spoken.checked == Checked::Not && !hooks.is_empty();
        let turns = past.turns.iter_mut().filter(|turn| turn.history && !turn.undone);
        let turns: Vec<&mut Turn> = turns.filter(|turn| turn.messages.iter().any(unseen)).collect();
        let all = turns.iter().flat_map(|turn| &turn.messages).filter(|spoken| unseen(spoken));
        let texts: Vec<&str> = all.map(|spoken| spoken.text.as_str()).collect();
        let checked = futures::stream::iter(texts).map(|text| self.checked(question, &hooks, text));
        let checked: Vec<_> = checked.buffered(AT_A_TIME).collect().await;
        let mut checked = checked.into_iter();
        for turn in turns {
            forget_documents(&mut turn.files);
            turn.messages.retain_mut(|spoken| {
                if !unseen(spoken) {
                    return true;
                }
                match checked.next() {
                    Some(Ok(Before::Ask(text))) => spoken.text = text,
                    Some(Ok(Before::Reply(_) | Before::Stop) | Err(_)) | None => return false,
                }
                true
            });
        }
    }

    async fn checked(
        &self,
        question: &Question<'_>,
        hooks: &[(String, Hook)],
        text: &str,
    ) -> Result<Before, tools::Error> {
        let secrets = self.tool_secrets().await;
        let context = self.context(question);
        tools::pre_process(&self.services.tools, hooks, &secrets, &context, text.to_owned()).await
    }

    fn hooks_before(&self, question: &Question<'_>) -> Vec<(String, Hook)> {
        let hooks = question.persona.hooks(&self.place.config).into_iter();
        hooks.filter(|(_, hook)| hook.on == HookPoint::PreProcess).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(kept: &str, asked: &str) -> Heard {
        let spoken = |text: &str| Spoken {
            id: "1".into(),
            sender: "7".into(),
            name: "Ana".into(),
            text: text.into(),
            at: 0,
            operator: false,
            checked: Checked::Not,
        };
        let file = |media_type: &str| Kept {
            name: "a".into(),
            media_type: media_type.into(),
            key: "media/a".into(),
        };
        let files = vec![file("image/png"), file("text/plain")];
        Heard { asked: Some(spoken(asked)), kept: spoken(kept), files, again: false }
    }

    fn check(mut heard: Heard, made: &str, asked: &str, kept: &str) {
        heard.changed(made.into());
        let now = heard.asked.unwrap();
        assert_eq!((now.text.as_str(), heard.kept.text.as_str()), (asked, kept));
        assert_eq!((now.checked, heard.kept.checked), (Checked::Changed, Checked::Changed));
        let files: Vec<&str> = heard.files.iter().map(|file| file.media_type.as_str()).collect();
        assert_eq!(files, ["image/png"]);
    }

    #[test]
    fn commands_stand_in_what_somebody_wrote() {
        let check = |text: &str, expected: &str| assert_eq!(words(text), expected);
        check("/say hello", "/say hello");
        check("/say hello\nthere", "/say hello\nthere");
        check("/sum up\n[file: a.pdf, its text]\nopening hours\n[end of a.pdf]", "/sum up");
        check("[image: a.png]", "");
        check("[A reminder that you set for me is due now. It says: opening hours]", "");
        check("", "");
    }

    #[test]
    fn of_what_a_hook_changed_nothing_else_is_kept() {
        check(heard("4111", "4111"), "[card]", "[card]", "[card]");
        let (asked, made) = ("Translate into es: 4111", "Translate into es: [card]");
        check(heard("/translate:es 4111", asked), made, made, made);
        let long = "word ".repeat(1_000);
        let mut document = heard("4111 …", &format!("4111 {long}"));
        document.changed(format!("[card] {long}"));
        assert!(document.kept.text.starts_with("[card] word") && document.kept.text.len() < long.len());
    }
}
