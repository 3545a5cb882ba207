//! What a platform is told of us: our address, and the commands that people may choose from.

use serde_json::Value;

use crate::Step;

/// How the platform learns our address.
#[derive(Debug, Clone, Copy)]
pub enum Connect {
    /// By hand; what to do, step by step. `{url}` stands for the webhook's address, `{stack}` and `{region}` for where it is.
    Manual(&'static str),
    /// By calls to its API; then, if not empty, what is left to do by hand.
    Call(fn(to: &Registration<'_>) -> Vec<Step>, &'static str),
    /// Words to read before anything happens, then how.
    Terms(&'static str, &'static Connect),
}

/// What one account is registered with.
#[derive(Debug, Clone, Copy)]
pub struct Registration<'a> {
    /// The webhook's public address.
    pub url: &'a str,
    /// The channel's settings, as both halves get them.
    pub settings: &'a Value,
    /// What people may command, for platforms that show a list. The order is that of the list.
    pub commands: &'a [Offered],
}

/// A command as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offered {
    /// Without the `/`: small letters, digits, `-` and `_`.
    pub name: String,
    /// What it does, in a few words; never empty.
    pub about: String,
    pub arguments: Vec<Argument>,
    /// The model answers, so a file may come along.
    pub takes_file: bool,
}

/// Something that stands behind a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Argument {
    pub name: &'static str,
    pub about: String,
    pub required: bool,
    /// What may be chosen; anything where it is empty.
    pub choices: Vec<String>,
}

impl Argument {
    /// What is called so stands right behind the command's colon, `es` in `/translate:es good morning`; all others come after a
    /// space, in order.
    pub const BEHIND_COLON: &str = "argument";
}
