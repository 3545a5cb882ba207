//! An answer as calls of the Send API: see [`channel::graph::reply`].

use channel::graph::reply;
use channel::{Address, Fetch, Part, Post, PostContext};

use crate::spec::MESSAGING;

pub fn post(parts: &[Part], to: &Address, ctx: &PostContext<'_>) -> Post {
    MESSAGING.post(parts, to, ctx)
}

pub fn fetch(what: &Fetch) -> Post {
    reply::fetch(what)
}

/// What Messenger shows; all else is a file, up to 25 MB.
/// <https://developers.facebook.com/documentation/business-messaging/messenger-platform/send-messages>
pub fn attachment(media_type: &str) -> Option<&'static str> {
    Some(match media_type.split('/').next() {
        Some("image") => "image",
        Some("video") => "video",
        Some("audio") => "audio",
        _ => "file",
    })
}
