//! Requests that anybody may send, and requests that the platform may send: nothing panics, nothing forged is taken, and
//! what is taken can be put on the queue and answered.
#![no_main]

use channel::{AuthKind, Content, Inbound, MAX_TEXT_BYTES, Request};
use fuzz::fixtures::NOW;
use fuzz::judge::{Outcome, Verdict};
use fuzz::{Place, recorded_requests, request};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(init: recorded_requests(), |input: &[u8]| {
    let Some((place, input)) = Place::chosen(input) else { return };
    let Some((settings, text)) = input.split_first() else { return };
    let settings = place.settings(*settings);
    let unsigned = request(text);
    let judged = place.judge(&unsigned, settings);
    assert!(judged.messages.is_empty(), "taken without a proof of where it comes from");
    refused_alike(place, &judged);

    let signed = place.room.sign(unsigned.clone(), &place.secrets, NOW);
    let judged = place.judge(&signed, settings);
    if !judged.outcome.is_authentic() {
        return refused_alike(place, &judged);
    }
    let (status, nothing) = (judged.response.status, judged.messages.is_empty());
    // 404: at an address that the platform's rules do not know.
    assert!((200..300).contains(&status) || (status == 404 && nothing), "an authentic request got {status}");
    for inbound in &judged.messages {
        can_be_answered(place, inbound);
    }
    for forged in forgeries(place, &unsigned, &signed, text) {
        let came = place.judge(&forged, settings);
        // What no signature covers (the envelope of a sealed body) must say nothing.
        let same = came.messages == judged.messages;
        assert!(!came.outcome.is_authentic() || same, "forged and taken: {forged:?}");
    }
});

/// Every refusal is the same, whatever its cause.
fn refused_alike(place: &Place, judged: &Verdict) {
    let reject = place.room.spec().reject;
    let expected = match judged.outcome {
        Outcome::Forged(_) | Outcome::NeedKey { .. } => (reject.status, reject.body.as_bytes()),
        Outcome::TooLarge => (413, &judged.response.body[..]),
        Outcome::Compressed => (415, &judged.response.body[..]),
        Outcome::NotSetUp(secret) => panic!("{secret} is set"),
        Outcome::Accepted | Outcome::Handshake => return,
    };
    assert_eq!((judged.response.status, &judged.response.body[..]), expected);
}

fn can_be_answered(place: &Place, inbound: &Inbound) {
    let name = place.room.spec().name;
    assert!(!inbound.id.is_empty() && !inbound.conversation.chat.is_empty(), "{inbound:?}");
    assert_eq!((inbound.channel.as_str(), inbound.account.as_str()), (name, "main"));
    assert_eq!((inbound.address.channel.as_str(), inbound.address.account.as_str()), (name, "main"));
    assert!(!inbound.sender.bot);
    if let Content::Text(text) = &inbound.content {
        assert!(text.len() <= MAX_TEXT_BYTES, "{} bytes of text", text.len());
    }
    let json = serde_json::to_string(inbound).expect("a message is JSON");
    assert!(json.len() < 1 << 20, "{} bytes do not fit the queue", json.len());
    assert_eq!(&serde_json::from_str::<Inbound>(&json).expect("what was written is read"), inbound);
    assert!(serde_json::from_str::<Value>(&json).is_ok());
}

/// The request with one byte changed: of the body, or of a header that proves where it comes from.
fn forgeries(place: &Place, unsigned: &Request, signed: &Request, seed: &[u8]) -> Vec<Request> {
    let anywhere = |length: usize| {
        seed.iter().fold(7_usize, |sum, byte| sum * 31 % 65_537 + usize::from(*byte)) % length
    };
    let mut forged = Vec::new();
    if place.room.spec().auth == AuthKind::Signature && !signed.body.is_empty() {
        let mut request = signed.clone();
        request.body[anywhere(signed.body.len())] ^= 1;
        forged.push(request);
    }
    let unsigned: Vec<(&str, &str)> = unsigned.headers.iter().collect();
    for (name, value) in signed.headers.iter().filter(|header| !unsigned.contains(header)) {
        let mut bytes = value.as_bytes().to_vec();
        let at = anywhere(bytes.len().max(1));
        let Some(byte) = bytes.get_mut(at) else { continue };
        *byte ^= 1;
        let Ok(value) = String::from_utf8(bytes) else { continue };
        let mut request = signed.clone();
        request.headers.set(name, value);
        forged.push(request);
    }
    forged
}
