//! `crabhook doctor`: what is not set up or not as it should be, one line each, with what to do.

mod channel;
mod code;
mod mail;
mod model;
mod tool;

pub(crate) use model::models;

pub(crate) use channel::asked;
use clap::Args;
use turn::config::{Config, Limits};

use crate::connect::configuration;
use crate::place::Place;
use crate::{Error, Where};

#[derive(Debug, Args)]
pub struct Doctor {
    /// Ask no model: the question costs a few tokens
    #[arg(long)]
    pub no_model: bool,
}

/// What was found so far; printed as it is found.
#[derive(Default)]
pub struct Findings {
    wrong: usize,
}

impl Findings {
    pub fn good(&self, what: impl std::fmt::Display) {
        println!("ok     {what}");
    }

    /// `why` it is wrong and what `to_do`, in one line.
    pub fn wrong(
        &mut self,
        what: impl std::fmt::Display,
        why: impl std::fmt::Display,
        to_do: impl std::fmt::Display,
    ) {
        self.wrong += 1;
        println!("WRONG  {what}: {why}. {to_do}");
    }
}

pub async fn run(doctor: &Doctor, at: &Where) -> Result<(), Error> {
    let place = Place::find(at).await?;
    let mut findings = Findings::default();
    let config = stored(&place, &mut findings).await?;
    channel::check(&place, &config, &mut findings).await?;
    tool::check(&place, &config, &mut findings).await?;
    if !doctor.no_model {
        model::check(&place, &config, &mut findings).await?;
    }
    dead_letters(&place, &mut findings).await?;
    if !place.is_local() {
        code::check(&place, &mut findings).await?;
    }
    match findings.wrong {
        0 => Ok(()),
        1 => Err(Error::failed(format!("{}: 1 thing is wrong", place.title()))),
        wrong => Err(Error::failed(format!("{}: {wrong} things are wrong", place.title()))),
    }
}

/// The configuration in force; the built-in one where it is missing or cannot be read.
async fn stored(place: &Place, findings: &mut Findings) -> Result<Config, Error> {
    let Some(stored) = place.store().configuration().await? else {
        findings.wrong("configuration", "there is none, so no model is asked", "crabhook config push");
        return Ok(Config::default());
    };
    match configuration(place).await {
        Ok(config) => {
            // The local run is open and has no caps, on purpose.
            let limits = if place.is_local() { Limits::default() } else { config.limits };
            let faults = Config { limits, ..config.clone() }.faults(&crate::config::specs());
            for fault in &faults {
                findings.wrong(&fault.key, &fault.problem, "Correct the file, then crabhook config push");
            }
            if faults.is_empty() {
                findings.good(format!(
                    "configuration, version {} of {}",
                    stored.version,
                    crate::clock::date(stored.at)
                ));
            }
            Ok(config)
        }
        Err(error) => {
            let good = place.store().last_good_configuration().await?;
            let meanwhile = good.map_or("nothing is in its place".to_owned(), |good| {
                format!("version {} of {} stays in use", good.version, crate::clock::date(good.at))
            });
            findings.wrong("configuration", format!("{error}; {meanwhile}"), "crabhook config push");
            Ok(Config::default())
        }
    }
}

async fn dead_letters(place: &Place, findings: &mut Findings) -> Result<(), Error> {
    let counts = place.dead_letters().counts().await?;
    match counts.waiting + counts.hidden {
        0 => findings.good("no failed messages"),
        failed => {
            findings.wrong("failed messages", format!("{failed} wait to be looked at"), "crabhook dead list")
        }
    }
    Ok(())
}
