//! What to do with messages, as values in and values out: the turn protocol ([`machine`]), who may talk ([`access`]) and what it
//! may cost ([`spend`]), what people can command ([`commands`]), what the model is told ([`prompt`], [`template`], [`notes`]), what is said later ([`reminders`]),
//! what the operator configures ([`config`]). No I/O, no clock.

pub mod access;
pub mod calendar;
pub mod commands;
pub mod config;
pub mod language;
pub mod machine;
pub mod notes;
pub mod pending;
pub mod prompt;
pub mod prompts;
pub mod reminders;
pub mod spend;
mod state;
pub mod template;

pub use machine::{Commit, Effect, Event, Fate, State, Token, step};
pub use state::{
    Buttons, Change, Checked, Draft, Head, Kept, Note, Notes, OpenTurn, PartState, Spoken, Summary, Turn,
    Usage, VERSION, Waiting,
};
