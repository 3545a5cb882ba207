//! Tokens that platforms issue for some time: kept in memory and in the table, asked for anew when they end or are
//! refused.

use std::collections::BTreeMap;

use channel::{
    Auth, Body, Channel, ExposeSecret as _, SecretString, Secrets, Settled, Step, Target, TokenSpec,
};
use egress::Egress;
use serde_json::Value;
use tokio::sync::Mutex;

use crate::outgoing;
use crate::services::{Place, Services};

/// A token is not used for the last tenth of its life, at most for so many seconds.
const MARGIN_S: i64 = 300;

/// What a platform issued.
pub struct Minted {
    pub value: SecretString,
    /// When it is no longer used, Unix milliseconds.
    pub until: i64,
}

/// The tokens that a step names, of those that its channel has.
pub fn needed<'a>(
    step: &'a Step,
    tokens: &'static [TokenSpec],
) -> impl Iterator<Item = &'static TokenSpec> + 'a {
    tokens.iter().filter(|token| {
        let mark = format!("token:{}", token.name);
        let in_path =
            matches!(&step.target, Target::Base { path, .. } if path.contains(&format!("{{{mark}}}")));
        let in_body = match &step.body {
            Body::JsonWithSecrets { fill, .. } | Body::FormWithSecrets { fill, .. } => {
                fill.iter().any(|(_, name)| *name == mark)
            }
            _ => false,
        };
        in_path || in_body || matches!(&step.auth, Auth::Token(name) if name == token.name)
    })
}

/// Asks the platform for a token. `now` is Unix milliseconds.
///
/// # Errors
/// What the step that needs it is settled with.
pub async fn mint(
    egress: &Egress,
    room: &dyn Channel,
    token: &TokenSpec,
    settings: &Value,
    secrets: &Secrets,
    now: i64,
) -> Result<Minted, Settled> {
    let spec = room.spec();
    let step = (token.mint)(settings);
    let request = outgoing::request(&step, spec, settings, secrets, now)
        .map_err(|missing| Settled::Broken(missing.to_string()))?;
    let outcome = outgoing::send(egress, &step, request, spec, settings).await;
    if let outgoing::Outcome::Answered(answer) = &outcome
        && answer.is_success()
        && let Some(minted) = read(token, &answer.body_json(), now)
    {
        return Ok(minted);
    }
    Err(match outgoing::settle(room, &step, outcome) {
        Some(waits @ Settled::Later(_)) => waits,
        // Asking for a token twice does no harm.
        None => Settled::Later(None),
        Some(Settled::Broken(why)) => Settled::Broken(format!("no token {}: {why}", token.name)),
        Some(_) => {
            Settled::Broken(format!("the platform gives no token {}: are its secrets right?", token.name))
        }
    })
}

/// The token in an answer, where there is one.
fn read(token: &TokenSpec, answer: &Value, now: i64) -> Option<Minted> {
    let value = answer.pointer(token.at)?.as_str().filter(|value| !value.is_empty())?;
    let life = answer.pointer(token.expires_in).and_then(|life| match life {
        Value::String(seconds) => seconds.parse().ok(),
        life => life.as_i64(),
    });
    let life = life.unwrap_or(i64::from(token.ttl_s)).clamp(0, 366 * 86_400);
    let until = now + (life - (life / 10).min(MARGIN_S)) * 1_000;
    Some(Minted { value: value.into(), until })
}

/// The tokens that this process knows, by `<channel>#<account>/<name>`.
#[derive(Default)]
pub struct Tokens(Mutex<BTreeMap<String, Minted>>);

impl Tokens {
    /// A token that counts at `now`, Unix milliseconds, and is not `refused`: from memory, else from the table, else
    /// asked for. One at a time asks.
    pub(crate) async fn get(
        &self,
        services: &Services,
        place: &Place,
        account: &str,
        token: &TokenSpec,
        refused: Option<&str>,
        now: i64,
    ) -> Result<SecretString, Settled> {
        let channel = place.room.spec().name;
        let counts = |value: &SecretString, until: i64| now < until && Some(value.expose_secret()) != refused;
        let mut known = self.0.lock().await;
        let key = format!("{channel}#{account}/{}", token.name);
        if let Some(minted) = known.get(&key).filter(|minted| counts(&minted.value, minted.until)) {
            return Ok(minted.value.clone());
        }
        let stored = services.store.token(channel, account, token.name).await;
        let minted = match stored.map_err(|_| Settled::Later(None))? {
            Some(stored) if counts(&stored.value, stored.until) => {
                Minted { value: stored.value, until: stored.until }
            }
            _ => {
                let Place { room, settings, secrets, .. } = place;
                let minted = mint(&services.egress, *room, token, settings, secrets, now).await?;
                let stored = store::StoredToken { value: minted.value.clone(), until: minted.until };
                if let Err(error) = services.store.put_token(channel, account, token.name, &stored).await {
                    tracing::warn!(channel, token = token.name, %error, "a token is not kept: it is asked for again");
                }
                minted
            }
        };
        let value = minted.value.clone();
        known.insert(key, minted);
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    static TOKEN: TokenSpec = TokenSpec {
        name: "tenant",
        mint: |_| Step::json("api", "/token", json!({})),
        at: "/data/token",
        expires_in: "/data/expire",
        ttl_s: 100,
    };

    #[test]
    fn a_token_ends_a_little_early() {
        for (answer, life_s) in [
            (json!({"data": {"token": "t", "expire": 7_200}}), Some(6_900)),
            (json!({"data": {"token": "t", "expire": "900"}}), Some(810)),
            (json!({"data": {"token": "t"}}), Some(90)),
            (json!({"data": {"token": "t", "expire": -5}}), Some(0)),
            (json!({"data": {"token": ""}}), None),
            (json!({"errcode": 40013}), None),
        ] {
            let read = read(&TOKEN, &answer, 1_000).map(|minted| (minted.until - 1_000) / 1_000);
            assert_eq!(read, life_s, "{answer}");
        }
    }

    #[test]
    fn a_step_says_which_token_it_needs() {
        static TOKENS: &[TokenSpec] = &[TOKEN];
        let step = || Step::json("api", "/x", json!({"text": "{token:tenant}"}));
        let count = |step: Step| needed(&step, TOKENS).count();
        assert_eq!(count(step()), 0);
        assert_eq!(count(step().auth(Auth::Token("tenant".into()))), 1);
        assert_eq!(count(step().auth(Auth::Token("other".into()))), 0);
        assert_eq!(count(Step::json("api", "/x?access_token={token:tenant}", json!({}))), 1);
    }
}
