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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
    if as_claim(inbound.text()).is_some() {
        return Judgement::Claim;
    }
    let command = Command::parse(inbound.text());
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

/// Turns counted so far, this one included.
#[derive(Debug, Clone, Copy)]
pub struct Counts {
    pub person_today: u64,
    pub stack_today: u64,
    pub conversation_this_minute: u64,
}

/// A cap that a turn would go over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cap {
    Minute,
    Person,
    Stack,
}

impl Cap {
    /// Name in counts.
    pub fn name(self) -> &'static str {
        match self {
            Cap::Minute => "cap_minute",
            Cap::Person => "cap_person",
            Cap::Stack => "cap_stack",
        }
    }

    /// The one honest line.
    pub fn line(self) -> &'static str {
        match self {
            Cap::Minute => "That was a lot at once. Please wait a minute, then write again.",
            Cap::Person => "You have reached today's limit of messages. I will answer again tomorrow (UTC).",
            Cap::Stack => {
                "This assistant has reached its limit for today. It will answer again tomorrow (UTC)."
            }
        }
    }
}

/// The first cap that is exceeded. A limit of 0 is none.
pub fn capped(counts: &Counts, limits: &Limits) -> Option<Cap> {
    let over = |count: u64, limit: u32| limit > 0 && count > u64::from(limit);
    if over(counts.conversation_this_minute, limits.per_minute) {
        Some(Cap::Minute)
    } else if over(counts.person_today, limits.per_person) {
        Some(Cap::Person)
    } else if over(counts.stack_today, limits.per_stack) {
        Some(Cap::Stack)
    } else {
        None
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
        let stranger = Refuse(Refusal::Stranger);
        let closed = Refuse(Refusal::GroupNotAllowed);
        for (access, role, home, expected) in [
            (Access::Owner, Role::Owner, Home::Unknown, Answer),
            (Access::Owner, Role::Allowed, Home::Yes, stranger),
            (Access::Owner, Role::Stranger, Home::Yes, stranger),
            (Access::Pairing, Role::Allowed, Home::Unknown, Answer),
            (Access::Pairing, Role::Stranger, Home::Unknown, stranger),
            (Access::List, Role::Allowed, Home::Unknown, stranger),
            (Access::Workspace, Role::Stranger, Home::Yes, Answer),
            (Access::Workspace, Role::Stranger, Home::No, stranger),
            (Access::Workspace, Role::Stranger, Home::Unknown, stranger),
            (Access::Workspace, Role::Owner, Home::No, Answer),
            (Access::Open, Role::Stranger, Home::No, Answer),
        ] {
            check(access, role, home, Kind::Dm, false, expected);
        }
        check(Access::Owner, Role::Owner, Home::Unknown, Kind::Group, false, closed);
        check(Access::Owner, Role::Stranger, Home::Unknown, Kind::Group, true, Answer);
        check(Access::Workspace, Role::Stranger, Home::No, Kind::Group, true, stranger);
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
    fn caps_hold_and_zero_is_none() {
        let limits = Limits { per_person: 2, per_stack: 3, per_minute: 1, output_tokens: 10 };
        let counts = |person, stack, minute| Counts {
            person_today: person,
            stack_today: stack,
            conversation_this_minute: minute,
        };
        for (counts, cap) in [
            (counts(2, 3, 1), None),
            (counts(3, 3, 1), Some(Cap::Person)),
            (counts(1, 4, 1), Some(Cap::Stack)),
            (counts(3, 4, 2), Some(Cap::Minute)),
        ] {
            assert_eq!(capped(&counts, &limits), cap);
            assert_eq!(capped(&counts, &Limits::NONE), None);
        }
    }
}
