//! Money: what a call may cost is reserved before each call of a model, and settled after the answer to what all of them did cost.

use model::{Ask, THINKING_TOKENS};
use store::{Reserved, UsedBy, Written};
use turn::config::Config;
use turn::spend::{Amount, Held, Reservation, SpendCap, caps, reservations};

use super::steps::tokens;
use super::tally::{Tally, Used};
use super::{Question, Reply};
use crate::models::in_order;
use crate::now;
use crate::run::Run;

/// What an answer of a model without a bound is taken for, tokens.
const UNBOUNDED: u32 = 4_000;

/// What is reserved for one answer.
#[derive(Debug, Clone, Default)]
pub(super) struct Purse {
    /// As last written. Its key is there before anything is.
    held: Held,
    reserved: Vec<Reservation>,
    /// When it was opened, Unix milliseconds: its day is that of all of the answer.
    at: i64,
}

impl Run<'_> {
    /// Reserves what the next call may cost at most, beside what the answer has cost so far; the cap that has no room for it
    /// otherwise.
    pub(super) async fn reserve(
        &self,
        question: &Question<'_>,
        epoch: u64,
        ask: &Ask,
        tally: &Tally,
    ) -> Result<Result<(), SpendCap>, store::Error> {
        let (config, model) = (&self.place.config, &question.persona.model);
        let output = if ask.max_output_tokens == u32::MAX { UNBOUNDED } else { ask.max_output_tokens };
        let most = at_most(config, model, tokens(ask), output);
        self.reserve_for(question, epoch, at_most(config, model, tokens(ask), 0), most, tally).await
    }

    /// The same for a call that may cost that much at most; `asks` is what it costs where nothing more becomes known of it.
    pub(super) async fn reserve_for(
        &self,
        question: &Question<'_>,
        epoch: u64,
        asks: Amount,
        most: Amount,
        tally: &Tally,
    ) -> Result<Result<(), SpendCap>, store::Error> {
        let (config, persona) = (&self.place.config, &question.persona);
        if caps(&config.limits).is_empty() {
            return Ok(Ok(()));
        }
        let mut purse = tally.purse();
        if purse.held.key.is_empty() {
            purse.at = now();
            purse.held.key = format!("{epoch}/{}/{}", question.number, purse.at);
            tally.put_purse(purse.clone());
        }
        let spent = tally.spent().amount();
        let reserved = reservations(&config.limits, question.newest, &persona.name, spent + most, purse.at);
        let held = Held::new(purse.held.key.clone(), &reserved, spent + asks);
        let (store, conversation) = (&self.services.store, &self.conversation);
        let mut outcome = store.reserve(conversation, epoch, &reserved, &purse.held, &held, now()).await?;
        if outcome == Reserved::Fenced && self.settle_left(epoch).await? {
            outcome = store.reserve(conversation, epoch, &reserved, &purse.held, &held, now()).await?;
        }
        match outcome {
            Reserved::Reserved => {
                tally.put_purse(Purse { held, reserved, ..purse });
                Ok(Ok(()))
            }
            Reserved::Full(full) => Ok(Err(full.cap)),
            Reserved::Fenced => Err(store::Error::Busy("the lease is no longer held".to_owned())),
        }
    }

    /// Settles what an answer before this one still holds, by what is known of it: its process was killed. `false`: there is
    /// nothing of the kind.
    pub(crate) async fn settle_left(&self, epoch: u64) -> Result<bool, store::Error> {
        let store = &self.services.store;
        let head = store.head(&self.conversation).await?;
        let Some(held) = head.held.filter(|_| head.epoch == epoch) else { return Ok(false) };
        Ok(store.settle(&self.conversation, epoch, &held, held.known, now()).await? == Written::Done)
    }

    /// Settles it and writes down who used what. The warning, where this answer went over the soft limit. What fails here is
    /// only said in the log: the answer is there, and what is still held is settled by whoever takes the conversation next.
    pub(super) async fn settle(
        &self,
        question: &Question<'_>,
        epoch: u64,
        purse: Purse,
        used: &Used,
    ) -> Option<String> {
        let (spent, persona) = (used.amount(), &question.persona);
        let nothing = spent == Amount::default();
        if nothing && purse.held.key.is_empty() {
            return None;
        }
        let by = UsedBy {
            channel: question.newest.channel.clone(),
            account: question.newest.account.clone(),
            user: question.newest.sender.id.clone(),
            conversation: self.conversation.to_string(),
            assistant: persona.name.clone(),
            model: used.entry(&self.place.config).unwrap_or(&persona.model).to_owned(),
        };
        let told = turn::spend::Used {
            turns: 1,
            input: used.usage.input.into(),
            output: used.usage.output.into(),
            cached: used.usage.cached.into(),
            micro_usd: spent.micro_usd,
        };
        let store = &self.services.store;
        let add = async { if nothing { Ok(()) } else { store.add_usage(&by, told, now()).await } };
        let (totals, added) = tokio::join!(self.settle_purse(epoch, &purse, spent), add);
        if let Err(error) = added {
            tracing::warn!(conversation = %self.conversation, %error, "an answer is missing in the usage");
        }
        let totals = totals.unwrap_or_else(|error| {
            tracing::warn!(conversation = %self.conversation, %error, "what was reserved is settled later");
            Vec::new()
        });
        let percent = self.place.config.limits.soft_percent;
        let warnings = purse.reserved.iter().zip(totals);
        warnings.into_iter().find_map(|(reservation, total)| reservation.warning(spent, total, percent))
    }

    /// Where the counters stand then.
    async fn settle_purse(&self, epoch: u64, purse: &Purse, spent: Amount) -> Result<Vec<u64>, store::Error> {
        if purse.held.key.is_empty() {
            return Ok(Vec::new());
        }
        let store = &self.services.store;
        // The answer may have been stopped while it reserved more: HEAD knows what it holds.
        let Some(held) = store.head(&self.conversation).await?.held else { return Ok(Vec::new()) };
        if held.key != purse.held.key
            || store.settle(&self.conversation, epoch, &held, spent, now()).await? == Written::Fenced
        {
            return Ok(Vec::new());
        }
        store.stand_at(&purse.reserved).await
    }

    /// One honest line a day; after it, silence that is counted.
    pub(super) async fn refused_by(
        &self,
        question: &Question<'_>,
        cap: SpendCap,
    ) -> Result<Reply, store::Error> {
        let (_, words) = self.said_once(cap.name(), question.newest, &cap.line(), now()).await?;
        Ok(words.map_or(Reply::Silent, |words| Reply::Capped(words.text)))
    }
}

/// What a call costs at most: by the dearest of the models that may be asked, and with room for thoughts where one of them thinks.
fn at_most(config: &Config, model: &str, input: u32, output: u32) -> Amount {
    let each = in_order(config, model).into_iter().map(|(name, entry)| {
        let thoughts = if entry.reasoning && output > 0 { THINKING_TOKENS } else { 0 };
        Amount::at_most(input, output.saturating_add(thoughts), config.price(name).as_ref())
    });
    each.fold(Amount::at_most(input, output, None), Amount::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dearest_model_and_its_thoughts_are_reserved() {
        let config: Config = serde_json::from_value(serde_json::json!({
            "version": 1,
            "models": {
                "small": {"provider": "openai", "model": "s", "fallback": "big"},
                "big": {"provider": "openai", "model": "b", "reasoning": true},
            },
            "prices": {"small": {"input": 1.0, "output": 2.0}, "big": {"input": 10.0, "output": 20.0}},
        }))
        .unwrap();
        let check = |model: &str, input, output, tokens, micro_usd| {
            assert_eq!(at_most(&config, model, input, output), Amount { tokens, micro_usd }, "{model}");
        };
        check("small", 100, 50, 150 + 8_192, 1_000 + (50 + 8_192) * 20);
        check("big", 100, 50, 150 + 8_192, 1_000 + (50 + 8_192) * 20);
        check("small", 100, 0, 100, 1_000);
        check("gone", 100, 50, 150, 0);
    }
}
