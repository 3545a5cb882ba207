//! Everything over real HTTP, against servers on this machine.

mod cloud;
mod endpoints;
mod hooks;
mod stand;
pub(crate) mod toolbox;

pub(crate) use stand::{Reply, Seen, Stand, context, secrets, tools};
