//! `crabhook connect`: tells a platform our address, or the operator how to.

use channel::{Channel, Connect as How, Offered, Registration, Settled, Step, Target};
use clap::Args;
use egress::Egress;
use model_invoker::{channels, outgoing, tokens};
use turn::commands::offered;
use turn::config::Config;

use crate::clock::now;
use crate::place::{EMAIL, Place};
use crate::{Error, Where, doctor, http, send};

#[derive(Debug, Args)]
pub struct Connect {
    pub channel: String,
    #[arg(long, default_value = "main")]
    pub account: String,
    /// The webhook's address as the platform reaches it, where something stands in front (a domain, a tunnel)
    #[arg(long)]
    pub url: Option<String>,
}

pub async fn run(connect: Connect, at: &Where) -> Result<(), Error> {
    send::room(&connect.channel)?;
    let place = Place::find(at).await?;
    let room = channels::named(&connect.channel).ok_or(Error::Reported)?;
    let url = match &connect.url {
        Some(url) => url.clone(),
        None if connect.channel == EMAIL => String::new(),
        None => place.url(&connect.channel, &connect.account)?,
    };
    let region = place.aws.region().map_or("", |region| region.as_ref());
    let filled =
        |text: &str| text.replace("{url}", &url).replace("{stack}", &place.stack).replace("{region}", region);
    let (terms, how) = match room.spec().connect {
        How::Terms(terms, how) => (terms, *how),
        how => ("", how),
    };
    if !terms.is_empty() {
        println!("{}\n", filled(terms).trim_end());
    }
    match how {
        How::Manual(text) | How::Terms(text, _) => println!("{}", filled(text).trim_end()),
        How::Call(steps, then) => {
            let then = filled(then);
            call(&place, room, &connect, &url, steps, &then).await?;
            println!("{then}");
        }
    }
    Ok(())
}

/// Tells the platform of an account its address, by the calls that `crabhook connect` makes, and prints nothing: nobody may be
/// left to read it. `false`: it takes none, a person
/// must tell it.
///
/// # Errors
/// The platform does not take it, or secrets and configuration cannot be read.
pub async fn register(place: &Place, channel: &str, account: &str, url: &str) -> Result<bool, Error> {
    let room = channels::named(channel).ok_or(Error::Reported)?;
    let how = match room.spec().connect {
        How::Terms(_, how) => *how,
        how => how,
    };
    let How::Call(steps, _) = how else { return Ok(false) };
    let caller = Caller::of(place, room, account).await?;
    let steps = steps(&caller.registration(url));
    for step in &steps {
        caller.call(step).await?;
    }
    Ok(!steps.is_empty())
}

/// The address that the platform of an account knows, empty without one; nothing where it cannot be asked.
///
/// # Errors
/// Secrets and configuration cannot be read.
pub async fn registered(place: &Place, channel: &str, account: &str) -> Result<Option<String>, Error> {
    let room = channels::named(channel).ok_or(Error::Reported)?;
    let Some(asked) = doctor::asked(channel) else { return Ok(None) };
    let caller = Caller::of(place, room, account).await?;
    match caller.outcome(&asked.step()).await? {
        outgoing::Outcome::Answered(answer) if answer.is_success() => Ok(Some(asked.address(&answer))),
        _ => Ok(None),
    }
}

async fn call(
    place: &Place,
    room: &'static dyn Channel,
    connect: &Connect,
    url: &str,
    steps: fn(&Registration<'_>) -> Vec<Step>,
    then: &str,
) -> Result<(), Error> {
    let caller = Caller::of(place, room, &connect.account).await?;
    let steps = steps(&caller.registration(url));
    if steps.is_empty() {
        return Err(Error::failed(format!("nothing was registered. {then}")));
    }
    for step in steps {
        caller.call(&step).await?;
        println!("ok   {}", title(&step));
    }
    Ok(())
}

/// Whether a platform would be told something else of an account under the one configuration than under the other: the commands that
/// it lists, above all. `false` where it is told nothing by us.
pub(crate) fn tells_otherwise(room: &dyn Channel, account: &str, before: &Config, after: &Config) -> bool {
    let how = match room.spec().connect {
        How::Terms(_, how) => *how,
        how => how,
    };
    let How::Call(steps, _) = how else { return false };
    let told = |config: &Config| {
        let channel = config.channel(room.spec().name, account);
        let (settings, commands) = (channel.room_settings(), offered(config, &channel));
        steps(&Registration { url: "", settings: &settings, commands: &commands })
    };
    told(before) != told(after)
}

/// The configuration in force; the built-in one where there is none.
pub async fn configuration(place: &Place) -> Result<Config, Error> {
    let Some(stored) = place.store().configuration().await? else { return Ok(Config::default()) };
    Config::tolerant(&stored.json).map_err(|error| {
        Error::failed(format!("the stored configuration cannot be read ({error}): push a good one"))
    })
}

/// Calls a platform's API with an account's secrets.
pub struct Caller<'a> {
    pub egress: Egress,
    pub room: &'a dyn Channel,
    pub settings: serde_json::Value,
    pub commands: Vec<Offered>,
    pub secrets: channel::Secrets,
}

impl<'a> Caller<'a> {
    /// With an account's settings and secrets.
    async fn of(place: &Place, room: &'a dyn Channel, account: &str) -> Result<Caller<'a>, Error> {
        let name = room.spec().name;
        let config = configuration(place).await?;
        let channel = config.channel(name, account);
        let (settings, commands) = (channel.room_settings(), offered(&config, &channel));
        let secrets = place.secrets_of(name, account).await?;
        Ok(Caller { egress: http::egress()?, room, settings, commands, secrets })
    }

    fn registration<'b>(&'b self, url: &'b str) -> Registration<'b> {
        Registration { url, settings: &self.settings, commands: &self.commands }
    }

    async fn call(&self, step: &Step) -> Result<(), Error> {
        let title = title(step);
        let settled = self.outcome(step).await?;
        let settled = outgoing::settle(self.room, step, settled);
        match settled.map(|settled| model_invoker::quiet(settled, step, &self.secrets)) {
            Some(Settled::Posted(_) | Settled::Fetched(_) | Settled::Files(_) | Settled::Person(_)) => Ok(()),
            Some(settled) => Err(Error::failed(format!("{title}: {}", said(&settled)))),
            None => Err(Error::failed(format!("{title}: no answer in time; it is safe to try again"))),
        }
    }

    /// The platform's answer, whatever it is.
    ///
    /// # Errors
    /// A secret or an address is missing.
    pub async fn outcome(&self, step: &Step) -> Result<outgoing::Outcome, Error> {
        let Caller { egress, room, settings, secrets, .. } = self;
        let spec = room.spec();
        let mut secrets = secrets.clone();
        for token in tokens::needed(step, spec.tokens) {
            let minted = tokens::mint(egress, *room, token, settings, &secrets, now()).await;
            let minted =
                minted.map_err(|settled| Error::failed(format!("{}: {}", title(step), said(&settled))))?;
            secrets.insert(format!("token:{}", token.name), minted.value);
        }
        let request = outgoing::request(step, spec, settings, &secrets, now())
            .map_err(|missing| Error::failed(format!("{}: {missing} {} …", title(step), spec.name)))?;
        Ok(outgoing::send(egress, step, request, spec, settings).await)
    }
}

/// What went wrong, in words.
fn said(settled: &Settled) -> String {
    match settled {
        Settled::Broken(why) => why.clone(),
        Settled::Later(_) => "the platform is busy or cannot be reached; try again in a minute".to_owned(),
        _ => "the platform refused; are the secrets of the right bot?".to_owned(),
    }
}

/// A step for people, its secrets by name.
fn title(step: &Step) -> String {
    match &step.target {
        Target::Base { path, .. } => format!("{} {path}", step.method),
        Target::Url(url) => format!("{} {url}", step.method),
        Target::Answer => format!("{} what the answer before names", step.method),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(channel: &str, before: &serde_json::Value, after: &serde_json::Value, expected: bool) {
        let read = |config: &serde_json::Value| serde_json::from_value::<Config>(config.clone()).unwrap();
        let room = channels::named(channel).unwrap();
        assert_eq!(tells_otherwise(room, "main", &read(before), &read(after)), expected, "{channel} {after}");
    }

    #[test]
    fn a_platform_is_told_again_of_what_it_lists() {
        let config = |commands: serde_json::Value| {
            serde_json::json!({
                "version": 1, "commands": commands, "channels": {"discord": {"application_id": "12"}},
            })
        };
        let none = config(serde_json::json!({}));
        let hours = |about: &str| config(serde_json::json!({"hours": {"reply": "9 to 5", "about": about}}));
        for channel in ["discord", "telegram"] {
            check(channel, &none, &none, false);
            check(channel, &none, &hours("says when"), true);
            check(channel, &hours("says when"), &hours("says when we are open"), true);
        }
        check("slack", &none, &hours("says when"), false);
        check("line", &none, &hours("says when"), false);
        // What it answers is nobody's business but the invoker's.
        let later = config(serde_json::json!({"hours": {"reply": "10 to 4", "about": "says when"}}));
        check("discord", &hours("says when"), &later, false);
    }
}
