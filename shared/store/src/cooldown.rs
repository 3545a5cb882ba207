//! Models that are left alone for some time, so that no invocation walks into a wall that another one found.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::ReturnConsumedCapacity;
use turn::VERSION;

use crate::Error;
use crate::change::Change;
use crate::keys;
use crate::table::{Store, number, seconds, text};

impl Store {
    /// The models that are left alone at `now`, by their names under `models`, each with the time until which. Times are Unix
    /// milliseconds.
    ///
    /// # Errors
    /// The table did not answer.
    pub async fn cooldowns(&self, now: i64) -> Result<BTreeMap<String, i64>, Error> {
        let call = self.client.query().table_name(&self.table).consistent_read(true);
        let answer = call
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", text(keys::COOLDOWN))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await?;
        self.count_reads(answer.consumed_capacity());
        let items = answer.items.unwrap_or_default();
        let until = items.into_iter().filter_map(|item| {
            let name = item.get("model")?.as_s().ok()?.clone();
            let until: i64 = item.get("until")?.as_n().ok()?.parse().ok()?;
            (until > now).then_some((name, until))
        });
        Ok(until.collect())
    }

    /// Leaves a model alone until then, Unix milliseconds. A later time that is written already stays.
    ///
    /// # Errors
    /// Whether it is written is not known; again is safe.
    pub async fn cool_down(&self, model: &str, until: i64) -> Result<(), Error> {
        let update = "SET #v = :v, #model = :model, #until = :until, #ttl = :ttl";
        let cool = Change::at(keys::cooldown(model), update)
            .only_if("attribute_not_exists(#until) OR #until < :until")
            .with(":v", number(VERSION))
            .with(":model", text(model))
            .with(":until", number(until))
            .with(":ttl", number(seconds(until) + 1));
        self.update(cool).await?;
        Ok(())
    }
}
