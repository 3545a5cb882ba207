//! What to do with messages: the turn protocol and who may talk. Pure: no I/O, no clock.
pub mod state;
pub use state::*;
