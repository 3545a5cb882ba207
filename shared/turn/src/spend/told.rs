//! What people are told about what they spend.

use super::{Per, SpendCap, Unit, Whose, caps};
use crate::config::Limits;

impl SpendCap {
    /// The one honest line when nothing more can be spent.
    pub fn line(&self) -> String {
        let whose = match self.whose {
            Whose::Person => "You have used up what you may spend",
            Whose::Conversation => "This conversation has used up what it may spend",
            Whose::Assistant | Whose::Stack => "This assistant has used up what it may spend",
        };
        let again = match self.per {
            Per::Day => "today. I will answer again tomorrow (UTC)",
            Per::Month => "this month. I will answer again next month",
        };
        format!("{whose} {again}.")
    }

    pub(super) fn warning(&self, percent: u32) -> String {
        let whose = match self.whose {
            Whose::Person => "You have used",
            Whose::Conversation => "This conversation has used",
            Whose::Assistant | Whose::Stack => "This assistant has used",
        };
        let per = match self.per {
            Per::Day => "today",
            Per::Month => "this month",
        };
        format!("{whose} {percent} % of what may be spent {per}.")
    }
}

/// What was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Used {
    /// Answers.
    pub turns: u64,
    /// Tokens, the cached ones included.
    pub input: u64,
    pub output: u64,
    pub cached: u64,
    /// Millionths of a US dollar.
    pub micro_usd: u64,
}

impl std::ops::AddAssign for Used {
    fn add_assign(&mut self, other: Used) {
        self.turns += other.turns;
        self.input += other.input;
        self.output += other.output;
        self.cached += other.cached;
        self.micro_usd += other.micro_usd;
    }
}

/// `$1.23`, with more digits where the amount is small.
pub fn dollars(micro_usd: u64) -> String {
    let dollars = micro_usd as f64 / 1e6;
    if micro_usd == 0 || dollars >= 0.1 { format!("${dollars:.2}") } else { format!("${dollars:.4}") }
}

/// The answer to `/usage`: what the person used today and this month, and the caps that are set for people.
pub fn usage_text(today: Used, month: Used, limits: &Limits) -> String {
    let line = |when: &str, used: Used| {
        let money = match used.micro_usd {
            0 => String::new(),
            spent => format!(", about {}", dollars(spent)),
        };
        format!("{when}: {} answers, {} tokens{money}", used.turns, used.input + used.output)
    };
    let mut lines = vec![line("Today", today), line("This month", month)];
    for cap in caps(limits).into_iter().filter(|cap| cap.whose == Whose::Person) {
        let most = match cap.unit {
            Unit::Tokens => format!("{} tokens", cap.most),
            Unit::Money => dollars(cap.most),
        };
        let per = match cap.per {
            Per::Day => "a day",
            Per::Month => "a month",
        };
        lines.push(format!("Your limit: {most} {per}"));
    }
    if limits.per_person > 0 {
        lines.push(format!("Your limit: {} messages a day", limits.per_person));
    }
    lines.join("\n")
}
