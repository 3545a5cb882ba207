//! The operator's side of crabhook: the command line `crabhook`, and what other programs need of it ([`config`]).
//!
//! Every command acts on one place ([`Where`]): a stack in the AWS account, or the local run of `make run`. Answers go to
//! standard output, faults to standard error with what to do about them.
#![expect(clippy::print_stdout, reason = "a command line's answers are printed")]

mod aws;
mod claim;
mod cli;
mod clock;
pub mod config;
pub mod connect;
mod dead;
mod deploy;
mod doctor;
mod error;
mod http;
mod knowledge;
mod local_secrets;
mod people;
mod place;
mod secret;
mod send;
mod status;
mod trace;
mod usage;
mod verify;

pub use cli::{Cli, run};
pub use clock::parse as parse_time;
pub use error::Error;
pub use place::{Endpoints, Local, Place, Where};
pub use trace::Path;

pub(crate) use config::nearest;
