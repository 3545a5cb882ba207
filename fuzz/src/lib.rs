//! What the targets share: the channels with their secrets, and inputs as text.
//!
//! An input's first byte says which channel it is for, so that a new channel is fuzzed as soon as it is registered; the
//! variable `CHANNEL` chooses one of them. The recorded cases in `events/` are what the first inputs are made of.

#[path = "../../functions/model-invoker/src/channels.rs"]
pub mod channels;
/// The recorded cases, and secrets that are the same in every run.
#[path = "../../tests/src/fixtures.rs"]
pub mod fixtures;
/// What the Lambda does around a channel.
#[path = "../../shared/ingress/src/judge.rs"]
pub mod judge;

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use channel::local::Local;
use channel::{Address, Headers, Request, Secrets, Way};
use serde_json::Value;

use fixtures::{NOW, Posting, Receive, cases};

/// The repository's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("fuzz/ has a parent").to_owned()
}

/// The text of a file of the repository.
pub fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A channel and what it is judged with.
pub struct Place {
    pub room: &'static dyn Local,
    pub secrets: Secrets,
    /// All settings that its recorded cases were made under.
    settings: Vec<Value>,
    /// Where its recorded replies go to.
    replies: Vec<(Address, Value, Way)>,
}

static PLACES: LazyLock<Vec<Place>> = LazyLock::new(|| {
    let chosen = std::env::var("CHANNEL").unwrap_or_default();
    let rooms = channels::LOCAL.iter().filter(|room| chosen.is_empty() || chosen == room.spec().name);
    let places: Vec<Place> = rooms.map(|room| Place::of(*room)).collect();
    assert!(!places.is_empty(), "CHANNEL={chosen}: there is no such channel");
    places
});

impl Place {
    fn of(room: &'static dyn Local) -> Place {
        let name = room.spec().name;
        let mut settings = vec![Value::Null];
        for (_, case) in cases::<Receive>(name, "receive") {
            if !settings.contains(&case.settings) {
                settings.push(case.settings);
            }
        }
        let replies = cases::<Posting>(name, "post").into_iter();
        let replies = replies.map(|(_, case)| (case.address, case.settings, case.way)).collect();
        Place { room, secrets: fixtures::secrets(room), settings, replies }
    }

    /// The place that an input is for, and the rest of the input.
    pub fn chosen(input: &[u8]) -> Option<(&'static Place, &[u8])> {
        let (first, rest) = input.split_first()?;
        Some((nth(&PLACES, *first), rest))
    }

    pub fn settings(&self, n: u8) -> &Value {
        nth(&self.settings, n)
    }

    pub fn reply(&self, n: u8) -> &(Address, Value, Way) {
        nth(&self.replies, n)
    }

    /// The Lambda's judgement on a request.
    pub fn judge(&self, request: &Request, settings: &Value) -> judge::Verdict {
        let (secrets, keys) = (&self.secrets, self.room.keys(settings));
        let context = channel::Context { account: "main", secrets, settings, keys: &keys, now: NOW };
        judge::judge(self.room, request, &context)
    }
}

fn nth<T>(list: &[T], n: u8) -> &T {
    &list[usize::from(n) % list.len()]
}

/// A request as text: method and path, the headers, an empty line, the body.
pub fn request(text: &[u8]) -> Request {
    let end = text.windows(2).position(|two| two == b"\n\n");
    let (head, body) = end.map_or((text, &[][..]), |at| (&text[..at], &text[at + 2..]));
    let head = String::from_utf8_lossy(head);
    let mut lines = head.lines();
    let (method, path) = lines.next().and_then(|line| line.split_once(' ')).unwrap_or(("POST", "/"));
    let headers: Headers = lines.filter_map(|line| line.split_once(": ")).collect();
    let url = format!("https://example.lambda-url.us-east-1.on.aws/{}", path.trim_start_matches('/'));
    Request::new(method, &url, headers, body)
}

/// The recorded requests as inputs: channel, settings, the request as text.
pub fn recorded_requests() {
    for (n, place) in PLACES.iter().enumerate() {
        let mut messages = 0;
        for (path, case) in cases::<Receive>(place.room.spec().name, "receive") {
            let settings = place.settings.iter().position(|known| *known == case.settings).unwrap_or(0);
            let request = case.request.request();
            let mut input = vec![n as u8, settings as u8];
            input.extend(format!("{} {}\n", request.method, case.request.path).bytes());
            for (name, value) in request.headers.iter() {
                input.extend(format!("{name}: {value}\n").bytes());
            }
            input.push(b'\n');
            input.extend(&request.body);
            write("receive", &path, &input);
            let signed = place.room.sign(request, &place.secrets, NOW);
            messages += place.judge(&signed, &case.settings).messages.len();
        }
        // Else nothing that is said of authentic requests would be tried.
        assert!(messages > 0, "{}: no recorded request is taken", place.room.spec().name);
    }
}

/// The recorded replies as inputs: channel, address, way and markup, the text.
pub fn recorded_replies() {
    for (n, place) in PLACES.iter().enumerate() {
        for (case_n, (path, case)) in cases::<Posting>(place.room.spec().name, "post").into_iter().enumerate()
        {
            for part in case.parts {
                let channel::Part::Text(text) = part else { continue };
                let mut input = vec![n as u8, case_n as u8, u8::from(case.plain)];
                input.extend(text.bytes());
                write("post", &path, &input);
            }
        }
    }
}

fn write(target: &str, case: &str, input: &[u8]) {
    let folder = root().join("fuzz/corpus").join(target);
    std::fs::create_dir_all(&folder).expect("a folder for the inputs");
    let name = case.trim_start_matches("events/").replace('/', "-");
    std::fs::write(folder.join(name), input).expect("the input can be written");
}
