//! The table: conversations and their turns, people and groups, counters, tokens, the configuration.
//!
//! One table, keys `pk` and `sk`, laid out in `keys.rs`. Times are Unix milliseconds; only `ttl` is in seconds, and since
//! DynamoDB removes expired items days late, this code looks at it by itself. Everything is read consistently.

mod change;
mod configuration;
mod conversation;
mod cooldown;
mod counters;
mod erase;
mod error;
mod inbox;
mod keys;
mod memory;
mod outbox;
mod pending;
mod people;
mod reminders;
mod spend;
mod table;
mod tokens;
mod tools;
mod turns;

pub use configuration::Configuration;
pub use conversation::{Released, Renewed, Taken, Written};
pub use erase::Traces;
pub use error::Error;
pub use inbox::{Begun, Kept, Looked};
pub use people::{Person, Who};
pub use spend::{Reserved, UsageLine, UsedBy};
pub use table::{Capacity, Store};
pub use tokens::StoredToken;
