//! The commands and their arguments.

use clap::{Parser, Subcommand};

use crate::{Error, Where, config, secret, send, verify};

/// Runs an AI assistant on chat channels, without a server.
#[derive(Debug, Parser)]
#[command(name = "crabhook", version, arg_required_else_help = true)]
pub struct Cli {
    #[command(flatten)]
    pub at: Where,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write to the assistant as a person on a channel would, and wait for the reply
    Send(send::Send),
    /// Judge recorded requests as the webhooks would, one line of JSON each
    Verify(verify::Verify),
    /// Check, push or show the configuration
    #[command(subcommand)]
    Config(config::Command),
    /// Set or list the secrets of channels and models
    #[command(subcommand)]
    Secrets(secret::Command),
}

/// Does what was asked.
///
/// # Errors
/// What went wrong, for the person at the terminal.
pub async fn run(cli: Cli) -> Result<(), Error> {
    let at = &cli.at;
    match cli.command {
        Command::Send(send) => send::run(send, at).await,
        Command::Verify(verify) => verify::run(&verify),
        Command::Config(command) => config::run(command, at).await,
        Command::Secrets(command) => secret::run(command, at).await,
    }
}
