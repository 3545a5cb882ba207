//! The configuration: read from YAML, judged with line numbers, put where the functions find it.

mod check;
mod pull;
mod push;
mod schema;
#[cfg(test)]
mod tests;
mod yaml;

use std::fmt;
use std::path::{Path, PathBuf};

use channel::Spec;
use clap::Subcommand;
use model_invoker::channels;
use serde_json::Value;
use turn::config::Config;

pub(crate) use check::nearest;
pub use push::{Pushed, push};
pub use schema::schema;

use crate::place::Place;
use crate::{Error, Where};
use yaml::Document;

/// Where the configuration is kept unless another file is named.
const FILE: &str = "infra/assistant.yaml";

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Say what is wrong with a configuration file, line by line.
    Check {
        #[arg(default_value = FILE)]
        file: PathBuf,
    },
    /// Check the file, then put it into force; no deploy is needed.
    Push {
        #[arg(default_value = FILE)]
        file: PathBuf,
    },
    /// Print the configuration in force.
    Pull,
    /// Print the JSON Schema of the file, for editors.
    Schema,
}

pub async fn run(command: Command, at: &Where) -> Result<(), Error> {
    match command {
        Command::Check { file } => {
            let config = load(&file).map_err(|problems| reported(&problems))?;
            println!("{}: good ({})", file.display(), summary(&config));
        }
        Command::Push { file } => {
            let config = load(&file).map_err(|problems| reported(&problems))?;
            let place = Place::find(at).await?;
            if place.is_local() {
                return Err(Error::usage(
                    "the local run reads its configuration when it starts, and adds what keeps it on this machine: stop it \
                     and `make run` again. To push to a deployed stack, name it with --stack",
                ));
            }
            push_to(&place, &config).await?;
        }
        Command::Pull => print!("{}", pull::pull(&Place::find(at).await?).await?),
        Command::Schema => println!("{:#}", schema(&specs())),
    }
    Ok(())
}

/// Puts a checked configuration into force in a deployed stack and says so.
pub async fn push_to(place: &Place, config: &Config) -> Result<(), Error> {
    if let Some((name, _)) = config.models.iter().find(|(_, model)| model.provider == "echo") {
        let text =
            format!("models.{name}: the provider echo is for the local run; a deployed stack never echoes");
        return Err(Error::failed(text));
    }
    let pushed = push(config, &place.store(), &place.secrets(), &place.stack).await?;
    println!("{}: configuration in force within 30 s ({})", place.title(), summary(config));
    for path in &pushed.settings {
        println!("  wrote {path}");
    }
    if !pushed.settings.is_empty() {
        println!("  webhook functions see changed settings within 10 minutes");
    }
    for (channel, account) in &pushed.to_connect {
        let account = if account == "main" { String::new() } else { format!(" --account {account}") };
        println!("  {channel} does not know of the change yet: crabhook connect {channel}{account}");
    }
    if pushed.blind {
        println!(
            "  not allowed to list the accounts that have secrets: only accounts named in the file got their settings"
        );
    }
    Ok(())
}

/// Something wrong in a file, as `file:line: text`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub file: String,
    /// From 1; 0 where the file itself is the problem.
    pub line: usize,
    pub text: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.file, self.text),
            line => write!(f, "{}:{line}: {}", self.file, self.text),
        }
    }
}

/// A configuration, and what its author wrote: which entries are named and which are the built-in ones.
#[derive(Debug)]
pub struct Loaded {
    pub config: Config,
    pub written: Value,
}

/// Reads and checks a configuration file.
///
/// # Errors
/// Everything that is wrong with it, in the order of its lines.
pub fn load(path: &Path) -> Result<Config, Vec<Problem>> {
    read(path).map(|loaded| loaded.config)
}

/// As [`load`], with what was written beside what it means.
///
/// # Errors
/// As [`load`].
pub fn read(path: &Path) -> Result<Loaded, Vec<Problem>> {
    let file = path.display().to_string();
    match std::fs::read_to_string(path) {
        Ok(text) => parse(&text, &file),
        Err(error) => Err(vec![Problem { file, line: 0, text: format!("cannot be read: {error}") }]),
    }
}

/// As [`read`], of a text already read; `file` is its name in the problems.
///
/// # Errors
/// As [`load`].
pub fn parse(text: &str, file: &str) -> Result<Loaded, Vec<Problem>> {
    let problem = |line, text| Problem { file: file.to_owned(), line, text };
    let mut document = Document::parse(text).map_err(|fault| vec![problem(fault.line, fault.text)])?;
    let specs = specs();
    let at_path = |document: &Document, path: &str, text: &str| {
        let shown = if path.is_empty() { text.to_owned() } else { format!("{path}: {text}") };
        problem(document.line(path), shown)
    };
    let findings = check::check(&schema(&specs), &mut document.value);
    if !findings.is_empty() {
        let found = findings.iter().map(|finding| at_path(&document, &finding.path, &finding.text));
        return Err(in_order(found.collect()));
    }
    let config: Config = serde_json::from_value(document.value.clone())
        .map_err(|error| vec![problem(1, format!("cannot be understood: {error}"))])?;
    let faults = config.faults(&specs);
    if !faults.is_empty() {
        let found = faults.iter().map(|fault| at_path(&document, &fault.key, &fault.problem));
        return Err(in_order(found.collect()));
    }
    Ok(Loaded { config, written: document.value })
}

fn in_order(mut problems: Vec<Problem>) -> Vec<Problem> {
    problems.sort_by_key(|problem| problem.line);
    problems
}

pub(crate) fn reported(problems: &[Problem]) -> Error {
    let lines: Vec<String> = problems.iter().map(Problem::to_string).collect();
    Error::failed(lines.join("\n"))
}

/// The facts of every channel in this build.
pub fn specs() -> Vec<&'static Spec> {
    channels::ALL.iter().map(|room| room.spec()).collect()
}

fn summary(config: &Config) -> String {
    let models: Vec<String> = config
        .models
        .iter()
        .map(|(name, model)| format!("{name}: {} {}", model.provider, model.model))
        .collect();
    let channels: Vec<&str> = config.channels.keys().map(String::as_str).collect();
    let listed = |names: Vec<String>| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    format!(
        "models {}; channels set {}",
        listed(models),
        listed(channels.iter().map(ToString::to_string).collect())
    )
}
