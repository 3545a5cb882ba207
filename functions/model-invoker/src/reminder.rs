//! Reminders: set, listed and taken back at somebody's request, and what becomes of one that has come due.
//!
//! Each has one schedule, that of its next time; the message that it puts on the queue has the one after it set. So reminders
//! that nobody can be told any more end by themselves. What was taken back is known as such if its message comes all the same.

use channel::{Content, Inbound, Kind, Later};
use queue::Job;
use store::Who;
use tools::Schedule;
use turn::reminders::{MAX_OPEN, Reminder};
use turn::{Fate, Turn, calendar};

use crate::judge::Words;
use crate::now;
use crate::run::{Run, Trouble};

/// A schedule comes within a minute of its time, and then an answer has to be written: that long before the platform takes no
/// more, nothing is promised, milliseconds.
const LEEWAY_MS: i64 = 3 * 60_000;

/// What is done, or why it is not, for the model.
type Told = Result<String, String>;

/// A reminder whose time has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Come {
    /// It is not wanted any more.
    Cancelled,
    /// It was counted when it was asked for.
    First,
    Again,
}

/// A service of ours did not do its part.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failed {
    #[error(transparent)]
    Store(#[from] store::Error),
    /// Without the service's own words, which may quote what was asked.
    #[error("the schedule: {}", .0.kind())]
    Schedule(#[from] tools::Error),
}

impl Run<'_> {
    /// Sets what somebody asked for, where it can be said when its time has come. `zone` is the name of the one whose clock it follows.
    pub(crate) async fn set_reminder(
        &self,
        asked: &Inbound,
        zone: Option<&str>,
        wanted: &tools::Reminder,
    ) -> Result<Told, Failed> {
        let (store, who, now) = (&self.services.store, Who::from(asked), now());
        let later = self.place.room.later(&asked.address, &self.place.settings);
        if let Some(why) = out_of_reach(&later, wanted, zone, now) {
            return Ok(Err(why));
        }
        if !store.reminders(who).await?.has_room(&wanted.key, now) {
            return Ok(Err(full()));
        }
        let mut reminder = Reminder {
            id: 0,
            key: wanted.key.clone(),
            conversation: self.conversation.to_string(),
            text: wanted.text.clone(),
            at: wanted.at,
            first: wanted.at,
            repeat: wanted.repeat.map(|(repeat, _)| repeat),
            until: wanted.repeat.map(|(_, until)| until),
            zone: zone.map(str::to_owned),
            cancelled: false,
        };
        // The schedule first: what is in the list comes.
        self.schedule(&reminder, &due(asked, later, &reminder)).await?;
        Ok(match store.change_reminders(who, now, |all| all.add(&reminder, now)).await? {
            Some(id) => {
                reminder.id = id;
                Ok(format!("it is set, I will say it in this chat. Reminder {}", reminder.line()))
            }
            None => {
                self.services.tools.unschedule(&reminder.schedule()).await?;
                Err(full())
            }
        })
    }

    /// What is still to come; in a group only what was set there.
    pub(crate) async fn list_reminders(&self, asked: &Inbound) -> Result<Told, Failed> {
        let (all, here) =
            (self.services.store.reminders(Who::from(asked)).await?, self.conversation.to_string());
        let open = all.open(now()).into_iter();
        let shown = open.filter(|reminder| asked.kind == Kind::Dm || reminder.conversation == here);
        let line = |reminder: &Reminder| match reminder.conversation == here {
            true => reminder.line(),
            false => format!("{} (in another chat)", reminder.line()),
        };
        let lines: Vec<String> = shown.map(line).collect();
        Ok(Ok(if lines.is_empty() { "there are none".to_owned() } else { lines.join("\n") }))
    }

    /// Takes back one that [`Run::list_reminders`] shows.
    pub(crate) async fn cancel_reminder(&self, asked: &Inbound, id: &str) -> Result<Told, Failed> {
        let Ok(number) = id.trim().parse::<u32>() else {
            return Ok(Err(format!("{id:?} is no id of a reminder: it is a number")));
        };
        let (who, now, here) = (Who::from(asked), now(), self.conversation.to_string());
        let place = (asked.kind != Kind::Dm).then_some(here.as_str());
        let found =
            self.services.store.change_reminders(who, now, |all| all.cancel(number, place, now)).await?;
        let Some(found) = found else { return Ok(Err(format!("there is no reminder {number}"))) };
        if let Err(error) = self.services.tools.unschedule(&found.schedule()).await {
            // When its message comes it is dropped.
            tracing::warn!(conversation = %self.conversation, error = error.kind(), "the schedule of a cancelled reminder stays");
        }
        Ok(Ok(format!("reminder {number} is cancelled")))
    }

    /// Takes up the message of a reminder whose time has come. One that repeats is set again, whatever becomes of this one.
    pub(crate) async fn come_due(&self, inbound: &Inbound, now: i64) -> Result<Come, Trouble> {
        let all = self.services.store.reminders(Who::from(inbound)).await?;
        // One that nothing is known of was set all the same, by another release.
        let Some(found) = all.of_message(&inbound.id) else { return Ok(Come::First) };
        if found.cancelled {
            return Ok(Come::Cancelled);
        }
        if found.repeat.is_some() && found.at <= inbound.at {
            self.set_again(found, inbound, now).await?;
        }
        Ok(if found.first == inbound.at { Come::First } else { Come::Again })
    }

    /// What is said of one that came before: where the caps leave no room for the model, its own words.
    pub(crate) async fn said_again(
        &self,
        inbound: &Inbound,
        now: i64,
    ) -> Result<(Fate, Option<Words>), store::Error> {
        Ok(match self.capped(inbound, now).await? {
            None => (Fate::Answer, None),
            Some(_) => (Fate::Say { reset: false }, Some(Words::of(format!("⏰ {}", inbound.text())))),
        })
    }

    async fn set_again(&self, found: &Reminder, inbound: &Inbound, now: i64) -> Result<(), Trouble> {
        let mut next = found.next(inbound.at.max(now));
        if let Some(at) = next {
            let again = Reminder { at, ..found.clone() };
            let message = Inbound { id: again.message(), at, ..inbound.clone() };
            match self.schedule(&again, &message).await {
                Ok(()) => {}
                Err(tools::Error::NotDone(_) | tools::Error::InDoubt(_)) => return Err(Trouble::Unscheduled),
                Err(error) => {
                    tracing::error!(conversation = %self.conversation, error = error.kind(), "a reminder does not come again");
                    next = None;
                }
            }
        }
        let (who, key) = (Who::from(inbound), found.key.as_str());
        Ok(self.services.store.change_reminders(who, now, |all| all.comes_next(key, next)).await?)
    }

    /// What the platform does not take any more is not tried again and again.
    pub(crate) async fn end_reminders(&self, turn: &Turn) {
        for spoken in turn.messages.iter().filter(|spoken| spoken.id.starts_with("due-")) {
            let who =
                Who { channel: &turn.address.channel, account: &turn.address.account, user: &spoken.sender };
            if let Err(error) = self.end_reminder(who, &spoken.id).await {
                tracing::warn!(conversation = %self.conversation, %error, "a reminder that cannot be said is not ended");
            }
        }
    }

    async fn end_reminder(&self, who: Who<'_>, message: &str) -> Result<(), Failed> {
        let store = &self.services.store;
        let all = store.reminders(who).await?;
        let Some(found) = all.of_message(message).filter(|found| found.repeat.is_some()) else {
            return Ok(());
        };
        store.change_reminders(who, now(), |all| all.end(&found.key)).await?;
        Ok(self.services.tools.unschedule(&found.schedule()).await?)
    }

    async fn schedule(&self, reminder: &Reminder, message: &Inbound) -> Result<(), tools::Error> {
        let (key, group) = (reminder.schedule(), self.conversation.to_string());
        let body = Job::message(message, None);
        let schedule = Schedule { key: &key, at: reminder.at, body: &body, group: &group };
        self.services.tools.schedule(&schedule).await
    }
}

/// The message that comes when the time has come: as if the person had written it in the same place, but it is no command.
fn due(asked: &Inbound, later: Later, reminder: &Reminder) -> Inbound {
    Inbound {
        id: reminder.message(),
        content: Content::text(reminder.text.clone()),
        attachments: Vec::new(),
        addressed: true,
        at: reminder.at,
        address: later.to,
        due: true,
        ..asked.clone()
    }
}

/// Why it cannot be promised: its platform would not take it.
fn out_of_reach(later: &Later, wanted: &tools::Reminder, zone: Option<&str>, now: i64) -> Option<String> {
    let until = later.until?;
    let last = wanted.repeat.map_or(wanted.at, |(_, until)| until);
    if last.saturating_add(LEEWAY_MS) <= until {
        return None;
    }
    if until <= now + LEEWAY_MS {
        return Some("this platform lets nobody be reminded in this chat: say so".to_owned());
    }
    let time = calendar::local(until - LEEWAY_MS, zone).strftime("%Y-%m-%dT%H:%M%:z").to_string();
    Some(format!(
        "this platform takes messages in this chat until {time} only, unless the person writes again: say so, and offer a time before that, once"
    ))
}

fn full() -> String {
    format!(
        "{MAX_OPEN} reminders are still to come, which is the most for one person: one must be cancelled first"
    )
}

#[cfg(test)]
mod tests {
    use channel::{Address, Window};
    use serde_json::{Value, json};
    use turn::reminders::Repeat;

    use super::*;

    const NOW: i64 = 1_795_262_400_000;
    const HOUR: i64 = 3_600_000;

    /// Until when something can be said later, in hours from now.
    fn until(channel: &str, data: &[&str], window: Option<Window>, settings: Value) -> Option<i64> {
        let data = data.iter().map(|name| ((*name).to_owned(), "x".to_owned())).collect();
        let to = Address { channel: channel.into(), window, data, ..Address::default() };
        let later = crate::channels::named(channel).unwrap().later(&to, &settings);
        assert!(!later.to.data.contains_key("response_url") || channel == "wecom", "{channel}");
        assert!(!later.to.data.contains_key("hook"), "{channel}");
        later.until.map(|until| if until == 0 { 0 } else { (until - NOW) / HOUR })
    }

    #[test]
    fn rooms_know_for_how_long_they_may_write() {
        let day = Some(Window { deadline: NOW + 24 * HOUR, uses: None });
        let five = Some(Window { deadline: NOW + HOUR, uses: Some(5) });
        for channel in ["whatsapp", "messenger", "instagram", "twilio", "wechat"] {
            assert_eq!(until(channel, &[], day, json!({})), Some(24), "{channel}");
        }
        for channel in ["whatsapp", "twilio"] {
            assert_eq!(until(channel, &[], day, json!({"template": "reminder"})), None, "{channel}");
        }
        assert_eq!(until("messenger", &[], day, json!({"tag": "HUMAN_AGENT"})), Some(24));
        assert_eq!(until("instagram", &[], day, json!({"tag": "ACCOUNT_UPDATE"})), None);
        // SMS has no window.
        assert_eq!(until("twilio", &[], None, json!({})), None);
        assert_eq!(until("discord", &[], five, json!({})), Some(0), "installed by a user");
        assert_eq!(until("discord", &[], Some(Window { deadline: NOW, uses: None }), json!({})), None);
        assert_eq!(until("wecom", &["response_url"], five, json!({})), Some(0), "a bot");
        assert_eq!(until("wecom", &["agent"], None, json!({})), None);
        assert_eq!(until("slack", &["response_url"], None, json!({})), None);
        assert_eq!(until("mattermost", &["hook"], None, json!({})), None);
        for channel in ["telegram", "line", "teams", "googlechat", "matrix", "email", "web", "viber"] {
            assert_eq!(until(channel, &[], five, json!({})), None, "{channel}");
        }
    }

    #[test]
    fn what_cannot_be_said_is_not_promised() {
        let check = |until: Option<i64>, at: i64, repeat: Option<(Repeat, i64)>, expected: Option<&str>| {
            let later = Later { to: Address::default(), until };
            let wanted = tools::Reminder { at, text: "tea".into(), repeat, key: "k".into() };
            let why = out_of_reach(&later, &wanted, Some("Europe/Berlin"), NOW);
            assert_eq!(why.is_some(), expected.is_some(), "{why:?}");
            assert!(why.unwrap_or_default().contains(expected.unwrap_or_default()));
        };
        let tomorrow = NOW + 24 * HOUR;
        check(None, tomorrow + HOUR, Some((Repeat::Daily, i64::MAX)), None);
        check(Some(tomorrow), tomorrow - HOUR, None, None);
        check(Some(tomorrow), tomorrow - 60_000, None, Some("until 2026-11-22T12:57+01:00 only"));
        check(Some(tomorrow), NOW + HOUR, Some((Repeat::Daily, tomorrow + HOUR)), Some("once"));
        check(Some(0), NOW + HOUR, None, Some("lets nobody be reminded"));
        check(Some(NOW + 60_000), NOW + HOUR, None, Some("lets nobody be reminded"));
    }
}
