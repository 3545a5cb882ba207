//! The local cloud: the real template and the real binaries on MiniStack, and a stand-in for the platforms.
//!
//! `make run` is [`Cloud::start`] with what its environment says; tests start clouds of their own with
//! [`Options::isolated`]. Everything listens on 127.0.0.1, and nothing outlives its [`Cloud`], nor a process that was
//! killed while it had one.

mod bundle;
mod cloud;
mod configuration;
mod credentials;
mod defaults;
mod error;
mod functions;
mod ministack;
mod options;
mod page;
mod platform;
mod stack;
mod story;
mod tunnel;

pub use cloud::{Cloud, Endpoints};
pub use error::Error;
pub use functions::Told;
pub use options::{Options, Source};
pub use platform::{Call, Fault};
pub use story::Say;
pub use tunnel::Wish;
