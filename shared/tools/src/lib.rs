//! What the model may call, and what the operator hooks in before and after it.
//!
//! [`Tools`] is made once per process; a [`Toolbox`] is opened for one turn with the tools of its assistant. Calls never
//! fail: what goes wrong is told to the model, which may do better. What a tool answers is cut to its `max_bytes`, ends
//! with its `timeout_s`, and all calls of a turn stay within its [`Budget`].
//!
//! | kind | what it is |
//! |---|---|
//! | `mcp` | the tools of a server that speaks the Model Context Protocol over HTTP (feature `mcp`) |
//! | `http`, `lambda` | a program of the operator's, in any language |
//! | `web_fetch` | the text of a web page |
//! | `search_knowledge` | passages of the operator's documents |
//! | `remind_me`, `remember`, `forget`, `hand_off` | done by whoever is the [`Desk`] |
//!
//! A turn that is killed is asked again, so a call may be made twice: it carries an idempotency key that is the same on
//! every try ([`Context::turn`]), and calls that change something can be asked about first ([`Called::NeedsConfirmation`]).
//!
//! Addresses of the configuration go through `egress`'s client for the operator's own, addresses of the model through the
//! guarded one.

mod budget;
mod cloud;
mod context;
mod desk;
mod endpoint;
mod error;
mod files;
mod hook;
pub mod knowledge;
#[cfg(feature = "mcp")]
mod mcp;
mod result;
mod schedule;
#[cfg(test)]
mod tests;
mod toolbox;
mod web;

use egress::Egress;

pub use budget::Budget;
pub use cloud::Cloud;
pub use context::Context;
pub use desk::{Desk, Reminder};
pub use error::Error;
pub use hook::{Before, post_process, pre_process};
pub use knowledge::Knowledge;
pub use result::{Called, ToolResult};
pub use schedule::Schedule;
pub use toolbox::{Given, Missing, Toolbox};
pub use web::html::html_text;

/// What all turns of a process share: clients, and what was read before.
pub struct Tools {
    pub(crate) egress: Egress,
    /// For the vectors of questions.
    pub(crate) models: model::Clients,
    pub(crate) cloud: Cloud,
    pub(crate) shelf: knowledge::Shelf,
    #[cfg(feature = "mcp")]
    pub(crate) lists: mcp::Lists,
}

impl Tools {
    /// Touches no network.
    pub fn new(egress: Egress, models: model::Clients, cloud: Cloud) -> Tools {
        Tools {
            egress,
            models,
            cloud,
            shelf: knowledge::Shelf::default(),
            #[cfg(feature = "mcp")]
            lists: mcp::Lists::default(),
        }
    }
}
