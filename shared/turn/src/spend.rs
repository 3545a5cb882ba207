//! What answers cost, and the caps on it.
//!
//! Before every call of a model, what it may cost is reserved on the counter of every cap that is set, beside what the turn has
//! cost so far; after the turn the counters are settled to what it did cost. What is reserved stands in HEAD ([`Held`]), written with
//! the counters: whoever takes the conversation up after a process was killed settles it, once.

mod held;
mod told;

use channel::Inbound;
use serde::{Deserialize, Serialize};

use crate::calendar;
use crate::config::{Limits, Price};
use crate::state::Usage;

pub use held::{Held, HeldOn};
pub use told::{Used, dollars, usage_text};

/// Tokens and money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Amount {
    pub tokens: u64,
    /// Millionths of a US dollar.
    pub micro_usd: u64,
}

impl Amount {
    /// What a call used, at that price; without a price it costs nothing.
    pub fn of(usage: &Usage, price: Option<&Price>) -> Amount {
        let tokens = u64::from(usage.input) + u64::from(usage.output);
        Amount { tokens, micro_usd: price.map_or(0, |price| cost(usage, price)) }
    }

    /// What hearing a recording took: the provider's tokens, and its length where that has a price.
    pub fn heard(usage: &Usage, seconds: f64, price: Option<&Price>) -> Amount {
        let minute = price.and_then(|price| price.minute).unwrap_or(0.0);
        // Rounded up, but not for what floats add.
        let micro_usd = (seconds * (minute * 1e6) / 60.0 - 1e-6).ceil() as u64;
        Amount { tokens: 0, micro_usd } + Amount::of(usage, price)
    }

    /// The most that an answer may use: its prompt, none of it cached, and as many tokens as it may have.
    pub fn at_most(prompt_tokens: u32, output_tokens: u32, price: Option<&Price>) -> Amount {
        Amount::of(&Usage { input: prompt_tokens, output: output_tokens, ..Usage::default() }, price)
    }
}

impl Amount {
    /// The larger of each.
    pub fn max(self, other: Amount) -> Amount {
        Amount { tokens: self.tokens.max(other.tokens), micro_usd: self.micro_usd.max(other.micro_usd) }
    }
}

impl std::ops::Add for Amount {
    type Output = Amount;

    fn add(self, other: Amount) -> Amount {
        Amount { tokens: self.tokens + other.tokens, micro_usd: self.micro_usd + other.micro_usd }
    }
}

impl std::ops::AddAssign for Amount {
    fn add_assign(&mut self, other: Amount) {
        *self = *self + other;
    }
}

/// What a call costs, millionths of a US dollar, rounded up. A price is in dollars per million tokens: as many millionths a token.
pub fn cost(usage: &Usage, price: &Price) -> u64 {
    let cached = usage.cached.min(usage.input);
    let fresh = f64::from(usage.input - cached) * price.input;
    let reread = f64::from(cached) * price.cached.unwrap_or(price.input);
    // A float becomes a whole number within bounds, zero where it is negative.
    (fresh + reread + f64::from(usage.output) * price.output).ceil() as u64
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    Person,
    Conversation,
    Assistant,
    Stack,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    Tokens,
    Money,
}

impl Unit {
    fn of(self, amount: Amount) -> u64 {
        match self {
            Unit::Tokens => amount.tokens,
            Unit::Money => amount.micro_usd,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Per {
    Day,
    Month,
}

/// A cap on tokens or money. Each has a counter of its own, written only where the cap is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpendCap {
    pub whose: Whose,
    pub unit: Unit,
    pub per: Per,
    /// Tokens, or millionths of a US dollar.
    pub most: u64,
}

/// The caps that are set, narrow ones first.
pub fn caps(limits: &Limits) -> Vec<SpendCap> {
    use {Per::*, Unit::*, Whose::*};
    let all = [
        (Person, Tokens, Day, u64::from(limits.tokens_per_person_day)),
        (Person, Tokens, Month, u64::from(limits.tokens_per_person_month)),
        (Conversation, Tokens, Day, u64::from(limits.tokens_per_conversation_day)),
        (Conversation, Tokens, Month, u64::from(limits.tokens_per_conversation_month)),
        (Assistant, Tokens, Day, u64::from(limits.tokens_per_assistant_day)),
        (Assistant, Tokens, Month, u64::from(limits.tokens_per_assistant_month)),
        (Stack, Tokens, Day, u64::from(limits.tokens_per_stack_day)),
        (Stack, Tokens, Month, u64::from(limits.tokens_per_stack_month)),
        (Person, Money, Day, limits.usd_per_person_day.0),
        (Person, Money, Month, limits.usd_per_person_month.0),
        (Conversation, Money, Day, limits.usd_per_conversation_day.0),
        (Conversation, Money, Month, limits.usd_per_conversation_month.0),
        (Assistant, Money, Day, limits.usd_per_assistant_day.0),
        (Assistant, Money, Month, limits.usd_per_assistant_month.0),
        (Stack, Money, Day, limits.usd_per_stack_day.0),
        (Stack, Money, Month, limits.usd_per_stack_month.0),
    ];
    let caps = all.into_iter().map(|(whose, unit, per, most)| SpendCap { whose, unit, per, most });
    caps.filter(|cap| cap.most > 0).collect()
}

impl SpendCap {
    /// Name of the counter.
    pub fn scope(&self, inbound: &Inbound, assistant: &str) -> String {
        let Inbound { channel, account, sender, .. } = inbound;
        let unit = match self.unit {
            Unit::Tokens => "tokens",
            Unit::Money => "usd",
        };
        match self.whose {
            Whose::Person => format!("spend#{unit}#person#{channel}#{account}#{}", sender.id),
            Whose::Conversation => format!("spend#{unit}#conversation#{}", inbound.conversation_key()),
            Whose::Assistant => format!("spend#{unit}#assistant#{assistant}"),
            Whose::Stack => format!("spend#{unit}"),
        }
    }

    /// The day or month that counts. `now` is Unix milliseconds.
    pub fn period(&self, now: i64) -> String {
        match self.per {
            Per::Day => calendar::day(now),
            Per::Month => calendar::month(now),
        }
    }

    /// Name in counts.
    pub fn name(&self) -> &'static str {
        match self.whose {
            Whose::Person => "cap_spend_person",
            Whose::Conversation => "cap_spend_conversation",
            Whose::Assistant => "cap_spend_assistant",
            Whose::Stack => "cap_spend_stack",
        }
    }

    fn of(&self, amount: Amount) -> u64 {
        self.unit.of(amount)
    }
}

/// What is to be reserved on one counter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reservation {
    pub cap: SpendCap,
    /// Name of the counter.
    pub scope: String,
    /// The day or month that counts.
    pub period: String,
    /// What is reserved.
    pub add: u64,
}

/// What an answer that costs `most` at most has reserved in all. `now` is Unix milliseconds: the same for all of one answer, which may
/// last from one day into the next.
pub fn reservations(
    limits: &Limits,
    inbound: &Inbound,
    assistant: &str,
    most: Amount,
    now: i64,
) -> Vec<Reservation> {
    let reserve = |cap: SpendCap| Reservation {
        scope: cap.scope(inbound, assistant),
        period: cap.period(now),
        add: cap.of(most),
        cap,
    };
    caps(limits).into_iter().map(reserve).collect()
}

impl Reservation {
    /// What the counter may stand at, at most, for `more` to be added. An answer always has room under a cap of which nothing is used.
    pub fn room_for(&self, more: u64) -> u64 {
        self.cap.most.saturating_sub(more)
    }

    /// The warning, where this is the answer with which the counter, which stands at `total` now, went over `percent` of the cap.
    /// `percent` 0 never warns.
    pub fn warning(&self, spent: Amount, total: u64, percent: u32) -> Option<String> {
        let soft = u128::from(self.cap.most) * u128::from(percent) / 100;
        let before = u128::from(total.saturating_sub(self.cap.of(spent)));
        let crossed = percent > 0 && before < soft && soft <= u128::from(total);
        crossed.then(|| self.cap.warning(percent))
    }
}

#[cfg(test)]
mod tests;
