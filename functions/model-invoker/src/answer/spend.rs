//! Money: what an answer may cost is reserved before the model is asked, and settled to what it did cost.

use model::Ask;
use store::{Reserved, UsedBy};
use turn::spend::{Amount, Reservation, SpendCap, reservations};

use super::steps::tokens;
use super::tally::{Tally, Used};
use super::{Question, Reply};
use crate::now;
use crate::run::Run;

/// What an answer of a model without a bound is taken for, tokens.
const UNBOUNDED: u32 = 4_000;

/// What is reserved for one answer.
#[derive(Debug, Default)]
pub(super) struct Purse(Vec<Reservation>);

impl Run<'_> {
    /// Reserves what the answer may cost at most; the cap that has no room for it otherwise.
    pub(super) async fn reserve(
        &self,
        question: &Question<'_>,
        ask: &Ask,
        tally: &Tally,
    ) -> Result<Result<(), SpendCap>, store::Error> {
        let (config, persona) = (&self.place.config, &question.persona);
        let output = if ask.max_output_tokens == u32::MAX { UNBOUNDED } else { ask.max_output_tokens };
        let most = Amount::at_most(tokens(ask), output, config.price(&persona.model).as_ref());
        let reserved = reservations(&config.limits, question.newest, &persona.name, most, now());
        Ok(match self.services.store.reserve(&reserved, now()).await? {
            Reserved::Reserved => {
                tally.reserve(Purse(reserved));
                Ok(())
            }
            Reserved::Full(full) => Err(full.cap),
        })
    }

    /// Settles it and writes down who used what. The warning, where this answer went over the soft limit. What fails here is
    /// only said in the log: the answer is there, and the counters err on the side of too much.
    pub(super) async fn settle(&self, question: &Question<'_>, purse: Purse, used: &Used) -> Option<String> {
        let (spent, persona) = (used.amount(), &question.persona);
        if spent.tokens == 0 && purse.0.is_empty() {
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
        let add = async { if spent.tokens > 0 { store.add_usage(&by, told, now()).await } else { Ok(()) } };
        let (settled, added) = tokio::join!(store.settle(&purse.0, spent, now()), add);
        if let Err(error) = added {
            tracing::warn!(conversation = %self.conversation, %error, "an answer is missing in the usage");
        }
        let totals = settled.unwrap_or_else(|error| {
            tracing::warn!(conversation = %self.conversation, %error, "too much stays reserved");
            Vec::new()
        });
        let percent = self.place.config.limits.soft_percent;
        let warnings = purse.0.iter().zip(totals);
        warnings.into_iter().find_map(|(reservation, total)| reservation.warning(spent, total, percent))
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
