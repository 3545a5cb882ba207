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
//! | `remind_me` (with `list_reminders`, `cancel_reminder`), `remember`, `forget`, `hand_off` | done by whoever is the [`Desk`] |
//!
//! Pictures and files that programs and servers answer with are kept in the stack's bucket and go to the person
//! ([`Toolbox::made`], [`Tools::link`]).
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
mod memory;
pub mod pdf;
mod result;
mod schedule;
#[cfg(test)]
mod tests;
mod toolbox;
mod web;

use std::time::Duration;

use egress::Egress;

pub use budget::Budget;
pub use cloud::Cloud;
pub use context::Context;
pub use desk::{Desk, Reminder};
pub use error::Error;
pub use files::{File, MAX_MADE};
pub use hook::{Before, post_process, pre_process};
pub use knowledge::Knowledge;
pub use memory::Memory;
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
    #[cfg_attr(not(feature = "mcp"), expect(dead_code, reason = "servers alone are remembered"))]
    pub(crate) memory: Box<dyn Memory>,
}

impl Tools {
    /// Touches no network.
    pub fn new(egress: Egress, models: model::Clients, cloud: Cloud, memory: Box<dyn Memory>) -> Tools {
        Tools {
            egress,
            models,
            cloud,
            shelf: knowledge::Shelf::default(),
            #[cfg(feature = "mcp")]
            lists: mcp::Lists::default(),
            memory,
        }
    }

    /// Asks servers for their tools that turns did not wait for: to be called when the answer is out. Takes 11 seconds at most, and
    /// no longer than `within`.
    pub async fn catch_up(&self, within: Duration) {
        #[cfg(feature = "mcp")]
        mcp::catch_up(self, within).await;
        #[cfg(not(feature = "mcp"))]
        let _ = within;
    }
}
