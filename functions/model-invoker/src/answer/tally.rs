//! What an answer has used so far.

use std::sync::{Mutex, PoisonError};

use turn::config::Config;
use turn::spend::Amount;
use turn::{Turn, Usage};

use super::spend::Purse;
use super::written::Written;

/// Counted while the answer is made, so that it is known however that ends.
#[derive(Default)]
pub(crate) struct Tally {
    used: Mutex<Used>,
    purse: Mutex<Purse>,
}

/// Tokens, money, calls.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Used {
    pub usage: Usage,
    pub micro_usd: u64,
    /// Calls of a model.
    pub calls: u32,
    /// The model that answered last, as logs name it.
    pub model: String,
    /// Its entry of `models`; empty until it answered.
    entry: String,
    /// Names of the tools that were called, in order.
    pub tools: Vec<String>,
    /// A call under way: the estimated tokens of its question, and how much was written before it.
    under_way: Option<(u32, usize)>,
    /// A voice that is listened to, estimated.
    listening: Option<(Usage, u64)>,
}

impl Tally {
    /// A model is asked a question of about so many tokens.
    pub fn asking(&self, model: &str, tokens: u32, written: &Written) {
        self.with(|used| {
            used.calls += 1;
            used.under_way = Some((tokens, written.text().len()));
            if used.model.is_empty() {
                model.clone_into(&mut used.model);
            }
        });
    }

    /// It answered.
    pub fn answered(&self, config: &Config, answer: &model::Answer) {
        let usage = Usage {
            input: answer.usage.input,
            output: answer.usage.output,
            cached: answer.usage.cached,
            reasoning: answer.usage.reasoning,
        };
        self.with(|used| {
            used.under_way = None;
            // Those that failed before it answered.
            used.calls += answer.calls_made.saturating_sub(1);
            answer.model.clone_into(&mut used.model);
            answer.entry.clone_into(&mut used.entry);
            used.add(config, usage);
        });
    }

    /// Somebody's voice is listened to, which takes about as much.
    pub fn listening(&self, usage: Usage, cost: Amount) {
        self.with(|used| used.listening = Some((usage, cost.micro_usd)));
    }

    /// It is written down, which took as much; nothing where it failed.
    pub fn heard(&self, usage: Usage, cost: Amount) {
        self.with(|used| {
            used.listening = None;
            used.sum(usage, cost.micro_usd);
        });
    }

    /// It did not: what a failed call costs is not known, and seldom anything.
    pub fn failed(&self) {
        self.with(|used| used.under_way = None);
    }

    pub fn called(&self, tool: &str) {
        self.with(|used| used.tools.push(tool.to_owned()));
    }

    /// All of it. A call that was given up is estimated: the provider's own count never came.
    pub fn used(&self, config: &Config, written: &Written) -> Used {
        self.with(|used| {
            if let Some((input, before)) = used.under_way.take() {
                let text = written.text();
                let output = model::estimate_tokens(text.get(before..).unwrap_or_default());
                used.add(config, Usage { input, output, ..Usage::default() });
            }
            if let Some((usage, micro_usd)) = used.listening.take() {
                used.sum(usage, micro_usd);
            }
            used.clone()
        })
    }

    /// What the calls that ended have used.
    pub fn spent(&self) -> Used {
        self.with(|used| used.clone())
    }

    /// What is reserved for it.
    pub fn put_purse(&self, purse: Purse) {
        *self.purse.lock().unwrap_or_else(PoisonError::into_inner) = purse;
    }

    pub fn purse(&self) -> Purse {
        self.purse.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn with<T>(&self, act: impl FnOnce(&mut Used) -> T) -> T {
        act(&mut self.used.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Used {
    fn add(&mut self, config: &Config, usage: Usage) {
        let price = self.entry(config).and_then(|entry| config.price(entry));
        self.sum(usage, Amount::of(&usage, price.as_ref()).micro_usd);
    }

    fn sum(&mut self, usage: Usage, micro_usd: u64) {
        self.micro_usd += micro_usd;
        let sum = |a: u32, b: u32| a.saturating_add(b);
        self.usage.input = sum(self.usage.input, usage.input);
        self.usage.output = sum(self.usage.output, usage.output);
        self.usage.cached = sum(self.usage.cached, usage.cached);
        self.usage.reasoning = sum(self.usage.reasoning, usage.reasoning);
    }

    /// Written into the turn.
    pub fn onto(&self, turn: &mut Turn) {
        turn.usage = self.usage;
        turn.cost_micro_usd = self.micro_usd;
        turn.model.clone_from(&self.model);
        turn.calls = self.calls;
        turn.tools.clone_from(&self.tools);
    }

    /// The entry of `models` that answered; of one that was given up, the first that logs name so.
    pub fn entry<'a>(&self, config: &'a Config) -> Option<&'a str> {
        let titled =
            |model: &turn::config::Model| format!("{} {}", model.provider, model.model) == self.model;
        let own = config.models.get_key_value(&self.entry);
        own.or_else(|| config.models.iter().find(|(_, model)| titled(model))).map(|(name, _)| name.as_str())
    }

    pub fn amount(&self) -> Amount {
        Amount { micro_usd: self.micro_usd, ..Amount::of(&self.usage, None) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_given_up_is_estimated() {
        let config: Config = serde_json::from_value(serde_json::json!({
            "version": 1,
            "models": {"small": {"provider": "openai", "model": "m"}},
            "prices": {"small": {"input": 2.0, "output": 8.0}},
        }))
        .unwrap();
        let (tally, written) = (Tally::default(), Written::default());
        tally.asking("openai m", 100, &written);
        let usage = model::Usage { input: 90, output: 5, ..model::Usage::default() };
        tally.answered(
            &config,
            &model::Answer { usage, model: "openai m".into(), ..model::Answer::default() },
        );
        tally.called("weather");
        tally.asking("openai m", 50, &written);
        written.push("twelve chars");
        let used = tally.used(&config, &written);
        assert_eq!((used.usage.input, used.usage.output), (140, 8));
        assert_eq!(used.micro_usd, 90 * 2 + 5 * 8 + 50 * 2 + 3 * 8);
        assert_eq!(used.tools, ["weather"]);
        assert_eq!(tally.used(&config, &written), used, "counted once");
        assert_eq!(used.entry(&config), Some("small"));
    }

    #[test]
    fn two_entries_of_one_model_have_their_own_prices() {
        let model = serde_json::json!({"provider": "openai", "model": "m"});
        let config: Config = serde_json::from_value(serde_json::json!({
            "version": 1,
            "models": {"cheap": model, "dear": model},
            "prices": {"cheap": {"input": 1.0, "output": 1.0}, "dear": {"input": 5.0, "output": 5.0}},
        }))
        .unwrap();
        let (tally, written) = (Tally::default(), Written::default());
        let usage = model::Usage { input: 10, output: 10, ..model::Usage::default() };
        for entry in ["cheap", "dear"] {
            tally.asking("openai m", 10, &written);
            let (model, entry) = ("openai m".into(), entry.into());
            tally.answered(&config, &model::Answer { usage, model, entry, ..model::Answer::default() });
        }
        let used = tally.used(&config, &written);
        assert_eq!((used.micro_usd, used.entry(&config)), (20 + 100, Some("dear")));
    }
}
