//! Whatever a model writes, and whatever ids a message came with: nothing panics, every message is within the platform's
//! limits, and no secret is named that the channel did not name itself.
#![no_main]

use channel::{Address, Auth, Body, Headers, Part, Post, PostContext, Request, Step, Target, Way, text};
use fuzz::fixtures::NOW;
use fuzz::{Place, recorded_replies};
use libfuzzer_sys::fuzz_target;

/// Bits of an input's third byte.
const PLAIN: u8 = 1;
const OTHER_WAY: u8 = 2;

fuzz_target!(init: recorded_replies(), |input: &[u8]| {
    let Some((place, input)) = Place::chosen(input) else { return };
    let [reply, how, text @ ..] = input else { return };
    let (address, settings, way) = place.reply(*reply);
    let text = String::from_utf8_lossy(text).into_owned();
    let way = if how & OTHER_WAY != 0 { other(*way) } else { *way };
    let context = PostContext { settings, key: "turn", way, plain: how & PLAIN != 0, now: NOW };
    let said = [Part::Text(text.clone())];

    let post = place.room.post(&said, address, &context);
    // Some recorded addresses the stand-in does not know; there only the texts are looked at.
    let hello = place.room.post(&[Part::Text("hello".to_owned())], address, &context);
    let known = hello.steps.iter().all(|step| place.room.answer(&as_sent(step)).response.is_success());
    for step in &post.steps {
        is_taken(place, step, known);
    }
    // Ids are the platform's, and on some platforms whatever somebody wrote.
    let odd = place.room.post(&said, &with_ids(address, &text), &context);
    assert_eq!(names(&odd), names(&post), "an id has become the name of a secret");
    serde_json::to_string(&odd).expect("requests can be stored");
    place.room.post(&[Part::Typing, Part::Dismiss], address, &context);
});

fn other(way: Way) -> Way {
    match way {
        Way::Reply => Way::Push,
        Way::Push => Way::Reply,
    }
}

/// The platform's stand-in takes the request, and people see no more text in one message than there may be.
fn is_taken(place: &Place, step: &Step, known: bool) {
    let spec = place.room.spec();
    let answer = place.room.answer(&as_sent(step));
    assert!(!known || step.optional || answer.response.is_success(), "{:?} to {step:?}", answer.response);
    for said in answer.said {
        let length = text::length(&said.text, spec.text.unit);
        assert!(length <= spec.text.max, "{length} of {}", spec.text.max);
        assert!(!said.text.trim().is_empty(), "an empty message");
    }
}

/// The step as the stand-in gets it, every secret being `x`.
fn as_sent(step: &Step) -> Request {
    let url = match &step.target {
        Target::Base { base, path } => format!("https://platform.example/{base}{}", without_names(path)),
        Target::Url(url) => url.clone(),
        Target::Answer => "https://platform.example/".to_owned(),
    };
    let body = match &step.body {
        Body::Json(value) => value.to_string(),
        Body::JsonWithSecrets { value, fill } => {
            let mut value = value.clone();
            for (at, _) in fill {
                value.pointer_mut(at).into_iter().for_each(|place| *place = "x".into());
            }
            value.to_string()
        }
        Body::Form(fields) | Body::FormWithSecrets { fields, .. } => {
            let fields: Vec<(&str, &str)> =
                fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            channel::encode::to_form(&fields)
        }
        Body::None | Body::Multipart { .. } => String::new(),
    };
    let proof = match &step.auth {
        Auth::Scheme { scheme, .. } => ("authorization", format!("{scheme} x")),
        Auth::Basic { .. } => ("authorization", "Basic eDp4".to_owned()),
        Auth::Header { name, .. } => (name.as_str(), "x".to_owned()),
        Auth::SigV4(_) => ("authorization", "AWS4-HMAC-SHA256 x".to_owned()),
        _ => ("authorization", "Bearer x".to_owned()),
    };
    let signed = ["webhook-id", "webhook-timestamp", "webhook-signature"].map(|name| (name, "x"));
    let headers = step.headers.iter().chain(signed).chain([(proof.0, proof.1.as_str())]);
    let headers: Headers = headers.collect();
    Request::new(&step.method, &url, headers, body)
}

fn without_names(path: &str) -> String {
    let mut pieces = path.split('{');
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(first, |path, piece| format!("{path}x{}", piece.split_once('}').map_or("", |(_, rest)| rest)))
}

/// What each path names between braces.
fn names(post: &Post) -> Vec<Vec<&str>> {
    let paths = post.steps.iter().map(|step| match &step.target {
        Target::Base { path, .. } => path.as_str(),
        Target::Url(_) | Target::Answer => "",
    });
    paths.map(|path| path.split('{').skip(1).filter_map(|piece| piece.split('}').next()).collect()).collect()
}

fn with_ids(address: &Address, id: &str) -> Address {
    Address {
        chat: id.to_owned(),
        thread: address.thread.as_ref().map(|_| id.to_owned()),
        reply_to: address.reply_to.as_ref().map(|_| id.to_owned()),
        data: address.data.keys().map(|name| (name.clone(), id.to_owned())).collect(),
        ..address.clone()
    }
}
