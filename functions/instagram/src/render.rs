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

/// What Instagram takes: images up to 8 MB, video and audio up to 25 MB. All else is a link.
/// <https://developers.facebook.com/documentation/business-messaging/instagram-messaging/features/send-message>
pub fn attachment(media_type: &str) -> Option<&'static str> {
    Some(match media_type {
        "image/png" | "image/jpeg" => "image",
        "video/mp4" | "video/ogg" | "video/x-msvideo" | "video/quicktime" | "video/webm" => "video",
        "audio/aac" | "audio/mp4" | "audio/x-m4a" | "audio/wav" => "audio",
        _ => return None,
    })
}
