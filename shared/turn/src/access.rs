//! Who may talk, and what it may cost: judged for every message before the model is asked.

use channel::{Home, Inbound, Kind};

use crate::commands::{Command, as_claim};
use crate::config::{Access, Limits};

/// What is known of a message's sender and place.
#[derive(Debug, Clone, Copy)]
pub struct Standing {
    pub access: Access,
    pub role: Role,
    /// Named in the configuration's `people`.
    pub listed: bool,
    pub home: Home,
    /// An owner said `/allow` in this group.
    pub group_allowed: bool,
    /// A person answers here at the moment.
    pub paused: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Owner,
    /// Let in by the operator.
    Allowed,
    #[default]
    Stranger,
}

/// What becomes of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judgement {
    /// For the model.
    Answer,
    Command(Command),
    /// Perhaps a claim code: the store knows.
    Claim,
    /// Kept in the history, not answered.
    Store,
    Refuse(Refusal),
}

/// Why a message is not answered. Counted by this name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Not for us: in a group without a mention.
    NotAddressed,
    Bot,
    /// No reply and no model call; the sender waits in `crabhook people`.
    Stranger,
    /// No owner has said `/allow` here. An owner is told so.
    GroupNotAllowed,
}

impl Refusal {
    pub fn name(self) -> &'static str {
        match self {
            Refusal::NotAddressed => "not_addressed",
            Refusal::Bot => "bot",
            Refusal::Stranger => "stranger",
            Refusal::GroupNotAllowed => "group_not_allowed",
        }
    }
}

/// Judges one message by who wrote it and where.
pub fn judge(inbound: &Inbound, standing: &Standing) -> Judgement {
    let group = inbound.kind == Kind::Group;
    if inbound.kind == Kind::OperatorSaid {
        return Judgement::Store;
    }
    if inbound.sender.bot {
        return Judgement::Refuse(Refusal::Bot);
    }
    if group && !inbound.addressed {
        return Judgement::Refuse(Refusal::NotAddressed);
    }
    // A reminder's text is the assistant's own: no command, and no code.
    if !inbound.due && as_claim(inbound.text()).is_some() {
        return Judgement::Claim;
    }
    let command = if inbound.due { None } else { Command::parse(inbound.text()) };
    if command == Some(Command::Allow) && standing.role == Role::Owner {
        return Judgement::Command(Command::Allow);
    }
    if let Some(refusal) = refusal(standing, group) {
        return Judgement::Refuse(refusal);
    }
    match command {
        Some(Command::Bot { .. }) if standing.role != Role::Owner => Judgement::Store,
        Some(command) => Judgement::Command(command),
        None if standing.paused => Judgement::Store,
        None => Judgement::Answer,
    }
}

fn refusal(standing: &Standing, group: bool) -> Option<Refusal> {
    let Standing { access, role, listed, home, group_allowed, .. } = *standing;
    if access == Access::Open {
        return None;
    }
    if access == Access::Workspace && home != Home::Yes && role != Role::Owner {
        return Some(Refusal::Stranger);
    }
    if group {
        return (!group_allowed).then_some(Refusal::GroupNotAllowed);
    }
    let may = match access {
        Access::Owner => role == Role::Owner,
        Access::List => role == Role::Owner || listed,
        Access::Pairing => role != Role::Stranger,
        Access::Workspace | Access::Open => true,
    };
    (!may).then_some(Refusal::Stranger)
}

/// A cap on turns. Each has a counter of its own, counted only where the cap is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cap {
    /// A conversation's turns a minute.
    Minute,
    /// A person's turns a minute, in all conversations on the channel.
    PersonMinute,
    /// A channel's turns a minute.
    ChannelMinute,
    /// A person's turns a day.
    Person,
    /// Everybody's turns a day.
    Stack,
}

impl Cap {
    /// In the order in which they are counted: what one goes over is not counted by the wider ones behind it.
    pub const ALL: [Cap; 5] = [Cap::Minute, Cap::PersonMinute, Cap::ChannelMinute, Cap::Person, Cap::Stack];

    /// Name in counts.
    pub fn name(self) -> &'static str {
        match self {
            Cap::Minute => "cap_minute",
            Cap::PersonMinute => "cap_person_minute",
            Cap::ChannelMinute => "cap_channel_minute",
            Cap::Person => "cap_person",
            Cap::Stack => "cap_stack",
        }
    }

    /// Most turns in its period; 0 = no cap.
    pub fn limit(self, limits: &Limits) -> u32 {
        match self {
            Cap::Minute => limits.per_minute,
            Cap::PersonMinute => limits.person_per_minute,
            Cap::ChannelMinute => limits.channel_per_minute,
            Cap::Person => limits.per_person,
            Cap::Stack => limits.per_stack,
        }
    }

    /// Its period is the minute, not the day.
    pub fn is_of_minute(self) -> bool {
        matches!(self, Cap::Minute | Cap::PersonMinute | Cap::ChannelMinute)
    }

    /// The one honest line.
    pub fn line(self) -> &'static str {
        match self {
            Cap::Minute | Cap::PersonMinute => {
                "That was a lot at once. Please wait a minute, then write again."
            }
            Cap::ChannelMinute => "Too many people are writing at once. Please write again in a minute.",
            Cap::Person => "You have reached today's limit of messages. I will answer again tomorrow (UTC).",
            Cap::Stack => {
                "This assistant has reached its limit for today. It will answer again tomorrow (UTC)."
            }
        }
    }

    /// Name of the counter that a person's message counts on.
    pub fn scope(self, inbound: &Inbound) -> String {
        let Inbound { channel, account, sender, .. } = inbound;
        match self {
            Cap::Minute => format!("turns#{}", inbound.conversation_key()),
            Cap::PersonMinute | Cap::Person => format!("turns#{channel}#{account}#{}", sender.id),
            Cap::ChannelMinute => format!("turns#{channel}"),
            Cap::Stack => "turns".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use channel::{Content, Conversation, Sender};

    use super::*;

    fn message(kind: Kind, text: &str) -> Inbound {
        Inbound {
            v: 1,
            id: "1".into(),
            channel: "telegram".into(),
            account: "main".into(),
            conversation: Conversation { chat: "1".into(), thread: None },
            kind,
            sender: Sender {
                id: "7".into(),
                name: "Ana".into(),
                home: Home::Unknown,
                bot: false,
                lookup: None,
            },
            addressed: true,
            content: Content::Text(text.into()),
            attachments: vec![],
            at: 0,
            address: channel::Address::default(),
            echo_of: None,
            due: false,
        }
    }

    fn check(access: Access, role: Role, home: Home, kind: Kind, group_allowed: bool, expected: Judgement) {
        let standing = Standing { access, role, listed: false, home, group_allowed, paused: false };
        let judged = judge(&message(kind, "hello"), &standing);
        assert_eq!(judged, expected, "{access:?} {role:?} {home:?} {kind:?} allowed={group_allowed}");
    }

    #[test]
    fn who_may_talk() {
        use Judgement::{Answer, Refuse};
        let stranger = || Refuse(Refusal::Stranger);
        let closed = || Refuse(Refusal::GroupNotAllowed);
        for (access, role, home, expected) in [
            (Access::Owner, Role::Owner, Home::Unknown, Answer),
            (Access::Owner, Role::Allowed, Home::Yes, stranger()),
            (Access::Owner, Role::Stranger, Home::Yes, stranger()),
            (Access::Pairing, Role::Allowed, Home::Unknown, Answer),
            (Access::Pairing, Role::Stranger, Home::Unknown, stranger()),
            (Access::List, Role::Allowed, Home::Unknown, stranger()),
            (Access::Workspace, Role::Stranger, Home::Yes, Answer),
            (Access::Workspace, Role::Stranger, Home::No, stranger()),
            (Access::Workspace, Role::Stranger, Home::Unknown, stranger()),
            (Access::Workspace, Role::Owner, Home::No, Answer),
            (Access::Open, Role::Stranger, Home::No, Answer),
        ] {
            check(access, role, home, Kind::Dm, false, expected);
        }
        check(Access::Owner, Role::Owner, Home::Unknown, Kind::Group, false, closed());
        check(Access::Owner, Role::Stranger, Home::Unknown, Kind::Group, true, Answer);
        check(Access::Workspace, Role::Stranger, Home::No, Kind::Group, true, stranger());
        check(Access::Open, Role::Stranger, Home::Unknown, Kind::Group, false, Answer);
    }

    #[test]
    fn commands_are_judged_like_every_message() {
        let open = Standing {
            access: Access::Owner,
            role: Role::Stranger,
            listed: false,
            home: Home::Unknown,
            group_allowed: false,
            paused: false,
        };
        let owner = Standing { role: Role::Owner, ..open };
        assert_eq!(judge(&message(Kind::Dm, "/status"), &open), Judgement::Refuse(Refusal::Stranger));
        assert_eq!(judge(&message(Kind::Dm, "/status"), &owner), Judgement::Command(Command::Status));
        assert_eq!(judge(&message(Kind::Group, "/allow"), &owner), Judgement::Command(Command::Allow));
        assert_eq!(
            judge(&message(Kind::Group, "/allow"), &open),
            Judgement::Refuse(Refusal::GroupNotAllowed)
        );
        assert_eq!(judge(&message(Kind::Dm, "claim-00112233445566778899"), &open), Judgement::Claim);
        assert_eq!(judge(&message(Kind::OperatorSaid, "hi"), &open), Judgement::Store);
        let paused = Standing { paused: true, ..owner };
        assert_eq!(judge(&message(Kind::Dm, "hi"), &paused), Judgement::Store);
        let on = Command::Bot { on: true };
        assert_eq!(judge(&message(Kind::Dm, "/bot on"), &paused), Judgement::Command(on));
        let customer = Standing { role: Role::Allowed, access: Access::Pairing, ..paused };
        assert_eq!(judge(&message(Kind::Dm, "/bot on"), &customer), Judgement::Store);
        let mut chatter = message(Kind::Group, "hi");
        chatter.addressed = false;
        assert_eq!(
            judge(&chatter, &Standing { group_allowed: true, ..open }),
            Judgement::Refuse(Refusal::NotAddressed)
        );
    }

    #[test]
    fn every_cap_has_a_limit_and_a_counter_of_its_own() {
        let limits = Limits {
            per_minute: 1,
            person_per_minute: 2,
            channel_per_minute: 3,
            per_person: 4,
            per_stack: 5,
            ..Limits::NONE
        };
        assert_eq!(Cap::ALL.map(|cap| cap.limit(&limits)), [1, 2, 3, 4, 5]);
        assert_eq!(Cap::ALL.map(|cap| cap.limit(&Limits::NONE)), [0; 5]);
        let message = message(Kind::Dm, "hello");
        let mut counters: Vec<_> =
            Cap::ALL.iter().map(|cap| (cap.scope(&message), cap.is_of_minute())).collect();
        counters.sort();
        counters.dedup();
        assert_eq!(counters.len(), 5, "{counters:?}");
    }
}
