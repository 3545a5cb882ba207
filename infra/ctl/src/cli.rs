//! The commands and their arguments.

use clap::{Parser, Subcommand};

use crate::{
    Error, Where, claim, config, connect, dead, deploy, doctor, knowledge, people, secret, send, status,
    trace, usage, verify,
};

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
    /// Tell a platform the address of its webhook, or show how to
    Connect(connect::Connect),
    /// Make a one-time code: whoever sends it to the assistant first becomes its owner
    Claim,
    /// Make documents searchable for assistants
    #[command(subcommand)]
    Knowledge(knowledge::Command),
    /// Show who wrote and who waits; let people in or turn them away
    People(people::People),
    /// Show what waits, what failed, and what was answered today
    Status,
    /// Show what was used today or in a month: answers, tokens, money
    Usage(usage::Usage),
    /// Show one message's path from webhook to reply, its times and its cost
    Trace(trace::Trace),
    /// Look at failed messages, try them again, throw them away
    #[command(subcommand)]
    Dead(dead::Command),
    /// Build everything and bring it into a stack
    Deploy(deploy::Deploy),
    /// Bring the code of one function into a stack, nothing else
    Push(deploy::Push),
    /// Find what is not set up or not as it should be
    Doctor(doctor::Doctor),
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
        Command::Connect(connect) => connect::run(connect, at).await,
        Command::Claim => claim::run(at).await,
        Command::Knowledge(command) => knowledge::run(command, at).await,
        Command::People(people) => people::run(people, at).await,
        Command::Status => status::run(at).await,
        Command::Usage(usage) => usage::run(&usage, at).await,
        Command::Trace(trace) => trace::run(&trace, at).await,
        Command::Dead(command) => dead::run(command, at).await,
        Command::Deploy(deploy) => deploy::deploy(deploy, at).await,
        Command::Push(push) => deploy::push(push, at).await,
        Command::Doctor(doctor) => doctor::run(&doctor, at).await,
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    fn check(line: &str, good: bool) {
        let parsed = Cli::try_parse_from(line.split_whitespace());
        assert_eq!(parsed.is_ok(), good, "{line}: {:?}", parsed.err().map(|error| error.to_string()));
    }

    #[test]
    fn lines_are_understood_or_refused() {
        Cli::command().debug_assert();
        check(
            "crabhook send telegram --text hello --user ana --conversation club --account support --id 7",
            true,
        );
        check("crabhook send telegram", false);
        check("crabhook --stack prod status", true);
        check("crabhook status --stack prod", true);
        check("crabhook config push", true);
        check("crabhook secrets set telegram bot_token --account support", true);
        // A value on the command line would be seen by every user of the machine.
        check("crabhook secrets set telegram bot_token 123:ABC", false);
        check("crabhook secrets set webhook secret --show", false);
        check("crabhook trace D0TEST:1795000001.000100 --days 14", true);
        check("crabhook dead drop", false);
        check("crabhook dead drop --all", true);
        check("crabhook dead redrive a1 b2", true);
        check("crabhook dead redrive a1 --all", false);
        check("crabhook knowledge push handbook docs/handbook", true);
        check("crabhook knowledge push handbook", false);
        check("crabhook people", true);
        check("crabhook people allow telegram 7", true);
        check("crabhook people notes telegram 7 --account support", true);
        check("crabhook people forget telegram 7 --note 3", true);
        check("crabhook people forget telegram 7 --note all", false);
        check("crabhook usage", true);
        check("crabhook usage --month --by model", true);
        check("crabhook usage --month 2026-10 --by conversation", true);
        check("crabhook usage --by weather", false);
        check("crabhook deploy telegram,slack --set AlertEmail=a@example.com --architecture x86_64", true);
        check("crabhook deploy --set AlertEmail", false);
    }

    #[test]
    fn the_stack_may_stand_before_or_behind_the_command() {
        for line in
            ["crabhook --stack prod deploy telegram slack", "crabhook deploy telegram,slack --stack prod"]
        {
            let cli = Cli::try_parse_from(line.split(' ')).unwrap();
            assert_eq!(cli.at.stack.as_deref(), Some("prod"));
            let Command::Deploy(deploy) = cli.command else { panic!("{line}") };
            assert_eq!(deploy.channels, ["telegram", "slack"]);
        }
    }
}
