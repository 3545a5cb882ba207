//! Everything over real HTTP, against servers on this machine.

mod cloud;
mod endpoints;
mod hooks;
mod made;
mod stand;
pub(crate) mod toolbox;

pub(crate) use stand::{Remembered, Reply, Seen, Stand, context, secrets, tools, tools_with};
