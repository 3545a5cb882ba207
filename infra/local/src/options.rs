//! What a local cloud is started with.

use std::env;
use std::path::{Path, PathBuf};

use model_invoker::channels;

use crate::Error;
use crate::tunnel::Wish;

pub struct Options {
    pub channels: Vec<String>,
    /// Port of the AWS services; 0 = any that is free.
    pub port: u16,
    /// Port of the platforms' stand-in; 0 = any that is free.
    pub platform_port: u16,
    pub config: Source,
    /// Folder of everything that this run keeps and writes.
    pub state: PathBuf,
    pub stack: String,
    /// Whether the roles of the template are enforced.
    pub auth: bool,
    /// `CRABHOOK_DIE_AT` of the functions.
    pub die_at: Option<String>,
    /// `CRABHOOK_FREEZE_AT` of the functions.
    pub freeze_at: Option<String>,
    /// The tunnel to be opened.
    pub tunnel: Option<Wish>,
    /// Port of the gate behind it; 0 = any that is free.
    pub tunnel_port: u16,
    /// A platform is told of it even where the webhook's proof would be another than the one that is known there.
    pub tunnel_force: bool,
    /// Parameters of the template beside those that follow from the rest.
    pub parameters: Vec<(String, String)>,
}

/// Where the assistant's configuration comes from.
pub enum Source {
    File(PathBuf),
    /// YAML in which `{platform}` stands for the stand-in's address: how tests point a model at it.
    Text(String),
}

impl Options {
    /// For tests: free ports, everything written below `state`.
    pub fn isolated(state: impl Into<PathBuf>) -> Options {
        Options {
            channels: every_channel(),
            port: 0,
            platform_port: 0,
            config: Source::Text("version: 1\n".to_owned()),
            state: state.into(),
            stack: "crabhook".to_owned(),
            auth: false,
            die_at: None,
            freeze_at: None,
            tunnel: None,
            tunnel_port: 0,
            tunnel_force: false,
            parameters: Vec::new(),
        }
    }

    /// What `make run` was told: CHANNELS, PORT, PLATFORM_PORT, CONFIG, STATE, STACK, AUTH, TUNNEL, TUNNEL_PORT, TUNNEL_FORCE, CRABHOOK_DIE_AT, CRABHOOK_FREEZE_AT.
    ///
    /// # Errors
    /// [`Error::Change`] for a value that makes no sense.
    pub fn from_environment() -> Result<Options, Error> {
        let text = |name: &str, default: &str| {
            env::var(name).ok().filter(|value| !value.is_empty()).unwrap_or_else(|| default.to_owned())
        };
        let default_config = repository().join("infra/assistant.yaml");
        Ok(Options {
            channels: chosen(&text("CHANNELS", ""))?,
            port: port("PORT", &text("PORT", "4566"))?,
            platform_port: port("PLATFORM_PORT", &text("PLATFORM_PORT", "4567"))?,
            config: Source::File(text("CONFIG", &default_config.to_string_lossy()).into()),
            state: text("STATE", ".local").into(),
            stack: text("STACK", "crabhook"),
            auth: text("AUTH", "false") == "true",
            die_at: env::var("CRABHOOK_DIE_AT").ok(),
            freeze_at: env::var("CRABHOOK_FREEZE_AT").ok(),
            tunnel: Wish::parse(&text("TUNNEL", ""))?,
            tunnel_port: port("TUNNEL_PORT", &text("TUNNEL_PORT", "4568"))?,
            tunnel_force: text("TUNNEL_FORCE", "") == "1",
            parameters: Vec::new(),
        })
    }
}

/// The folder of the sources that this was built from, which holds the template and `.venv`.
pub(crate) fn repository() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}

fn every_channel() -> Vec<String> {
    channels::ALL.iter().map(|room| room.spec().name.to_owned()).collect()
}

fn chosen(names: &str) -> Result<Vec<String>, Error> {
    let names: Vec<String> =
        names.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect();
    match names.iter().find(|name| channels::named(name).is_none()) {
        Some(name) => Err(Error::Change(format!(
            "CHANNELS: no channel {name:?}; there is {}",
            every_channel().join(", ")
        ))),
        None if names.is_empty() => Ok(every_channel()),
        // The template opens at least one address.
        None if names == ["email"] => Ok(vec!["email".to_owned(), "webhook".to_owned()]),
        None => Ok(names),
    }
}

fn port(name: &str, value: &str) -> Result<u16, Error> {
    value.parse().map_err(|_| {
        Error::Change(format!("{name}={value} is no port: 1 to 65535, or 0 for any that is free"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_are_chosen_by_name_and_all_by_none() {
        assert_eq!(chosen("slack, telegram").unwrap(), ["slack", "telegram"]);
        assert_eq!(chosen("").unwrap(), every_channel());
        assert!(chosen("telegam").unwrap_err().to_string().contains("there is discord, "));
        assert!(port("PORT", "http").is_err());
    }

    #[test]
    fn the_repository_holds_the_template() {
        assert!(repository().join("infra/template.yaml").exists());
    }
}
