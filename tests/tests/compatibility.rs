//! What version 1 wrote is read by this release, and this release writes it so that version 1 reads it.
//!
//! The rule (`channel::shape`): a reader knows its own version and the one before; what is newer it leaves alone. Within a
//! version fields may be added that have a default, and nothing else may change: `tests/compatibility/v1` is frozen.

use channel::{
    Address, Attachment, Auth, Body, Content, Conversation, ConversationKey, Fetch, Home, INBOUND_VERSION,
    Inbound, Kind, OnDoubt, Sender, Shape, Step, Target, Way, Window, shape,
};
use queue::{DeadLetter, JOB_VERSION, Job};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use store::Person;
use tests::compatibility::{frozen, with_unknown_fields};
use turn::access::Role;
use turn::config::{CONFIG_VERSION, Config};
use turn::{Head, OpenTurn, PartState, Spoken, Turn, Usage, VERSION, Waiting};

const AT: i64 = 1_795_000_000_000;

/// It is read to this value, whatever is added to it, and written as it was.
fn check<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(name: &str, expected: &T) {
    let stored = frozen(name);
    assert_eq!(&serde_json::from_value::<T>(stored.clone()).unwrap(), expected, "{name}");
    let mut later = stored.clone();
    with_unknown_fields(&mut later);
    assert_eq!(&serde_json::from_value::<T>(later).unwrap(), expected, "{name} with unknown fields");
    still_written(name, &serde_json::to_value(expected).unwrap(), &stored);
}

/// Everything that the older reader knows is where it was. New fields may be beside it.
fn still_written(path: &str, now: &Value, then: &Value) {
    match (now, then) {
        (Value::Object(now), Value::Object(then)) => {
            for (name, then) in then {
                still_written(&format!("{path}.{name}"), now.get(name).unwrap_or(&Value::Null), then);
            }
        }
        (Value::Array(now), Value::Array(then)) if now.len() == then.len() => {
            now.iter().zip(then).for_each(|(now, then)| still_written(path, now, then));
        }
        _ => assert_eq!(now, then, "{path} is no longer written as version 1 reads it"),
    }
}

fn address() -> Address {
    Address {
        channel: "telegram".into(),
        account: "main".into(),
        chat: "4711".into(),
        thread: None,
        reply_to: Some("99".into()),
        window: Some(Window { deadline: 4_102_444_800_000, uses: Some(3) }),
        data: [("callback_query_id".to_owned(), "1".to_owned())].into_iter().collect(),
    }
}

fn fetch(id: &str) -> Fetch {
    Fetch { account: "main".into(), id: id.into() }
}

fn inbound() -> Inbound {
    Inbound {
        echo_of: None,
        due: false,
        v: 1,
        id: "5001".into(),
        channel: "telegram".into(),
        account: "main".into(),
        conversation: Conversation { chat: "4711".into(), thread: None },
        kind: Kind::Dm,
        sender: Sender {
            id: "7".into(),
            name: "Ana".into(),
            home: Home::Unknown,
            bot: false,
            lookup: Some(fetch("user:7")),
        },
        addressed: true,
        content: Content::Text("hello from here".into()),
        attachments: vec![Attachment {
            name: "cat.png".into(),
            media_type: "image/png".into(),
            size: Some(3),
            fetch: fetch("file-1"),
        }],
        at: AT,
        address: address(),
    }
}

/// With no field that has a default.
fn least() -> Inbound {
    Inbound {
        id: "5000".into(),
        conversation: Conversation { chat: "4712".into(), thread: None },
        sender: Sender { id: "8".into(), name: "Bo".into(), home: Home::Unknown, bot: false, lookup: None },
        content: Content::Text("hello from before".into()),
        attachments: vec![],
        address: Address {
            channel: "telegram".into(),
            account: "main".into(),
            chat: "4712".into(),
            ..Address::default()
        },
        ..inbound()
    }
}

fn turn() -> Turn {
    let spoken = |id: &str, sender: &str, name: &str, text: &str, at, operator| Spoken {
        id: id.into(),
        sender: sender.into(),
        name: name.into(),
        text: text.into(),
        at,
        operator,
        checked: Default::default(),
    };
    let base = |base: &str, path: &str| Target::Base { base: base.into(), path: path.into() };
    let secret =
        Body::JsonWithSecrets { value: json!({"s": null}), fill: vec![("/s".into(), "secret_token".into())] };
    let webhook = Auth::StandardWebhook { secret: "reply_secret".into(), id: "k".into() };
    Turn {
        v: 1,
        number: 3,
        messages: vec![
            spoken("5001", "7", "Ana", "which fruit?", AT, false),
            spoken("5003", "9", "Support", "pears, I think", AT + 1, true),
        ],
        answer: "Pears.".into(),
        history: true,
        address: address(),
        way: Way::Push,
        plain: true,
        steps: vec![
            Step::json("api", "/bot{bot_token}/sendMessage", json!({"chat_id": 4711, "text": "Pears."}))
                .header("x-a", "b"),
            Step::new("POST", base("reply", ""), Body::Form(vec![("a".into(), "b".into())]))
                .auth(webhook)
                .on_doubt(OnDoubt::Skip)
                .optional()
                .repeatable(),
            Step::new("GET", Target::Url("https://files.example.com/a".into()), Body::None)
                .auth(Auth::bearer("bot_token")),
            Step::new("POST", base("api", "/set"), secret),
        ],
        ids: vec![Some("88".into()), None, None, None],
        usage: Usage { input: 30, output: 4, ..Usage::default() },
        model: "scripted".into(),
        at: AT + 200,
        stopped: true,
        ..Turn::default()
    }
}

#[test]
fn items_of_the_table_are_read() {
    let address = Address {
        chat: "-100".into(),
        thread: Some("5".into()),
        reply_to: None,
        window: None,
        data: [].into(),
        ..address()
    };
    let group = Inbound {
        id: "5002".into(),
        kind: Kind::Group,
        conversation: Conversation { chat: "-100".into(), thread: Some("5".into()) },
        sender: Sender { id: "7".into(), name: "Ana".into(), home: Home::Yes, bot: true, lookup: None },
        content: Content::Deferred(fetch("text-1")),
        attachments: vec![],
        address,
        ..inbound()
    };
    check("waiting", &Waiting { v: 1, inbound: group, kept_at: AT + 100, tries: 2 });
    let parts = vec![PartState::Sent, PartState::Sending, PartState::Planned];
    let head = Head {
        paused: 0,
        v: 1,
        epoch: 7,
        until: AT + 15_000,
        rev: 3,
        next: 4,
        since: 1,
        open: vec![OpenTurn {
            turn: 3,
            parts,
            wait_until: AT + 20_000,
            waits: 1,
            failed: Some("it is gone".into()),
        }],
        cancel: Some(7),
        interrupt: Some(3),
        ..Head::default()
    };
    check("head", &head);
    check("turn", &turn());
    let person = Person {
        v: 1,
        channel: "telegram".into(),
        account: "main".into(),
        user: "7".into(),
        name: "Ana".into(),
        role: Role::Owner,
        home: Home::Yes,
        home_checked_at: AT,
        first_seen: AT - 1_000_000_000,
        waiting: true,
        reach: None,
    };
    check("person", &person);
}

#[test]
fn jobs_are_read_also_of_the_version_before_and_never_of_a_later_one() {
    for (name, inbound, trace) in [("job", inbound(), Some("r-1")), ("job_least", least(), None)] {
        let job = frozen(name);
        let expected = |v: u32| Job::Message {
            inbound: Box::new(Inbound { v, ..inbound.clone() }),
            trace: trace.map(str::to_owned),
        };
        let with = |outer: u32, inner: u32| {
            let mut job = job.clone();
            (job["v"], job["inbound"]["v"]) = (outer.into(), inner.into());
            with_unknown_fields(&mut job);
            Job::parse(&job.to_string()).unwrap()
        };
        assert_eq!(Job::parse(&job.to_string()).unwrap(), expected(1), "{name}");
        assert_eq!(with(JOB_VERSION, INBOUND_VERSION), expected(INBOUND_VERSION), "{name}");
        assert_eq!(with(JOB_VERSION - 1, INBOUND_VERSION - 1), expected(INBOUND_VERSION - 1), "{name}");
        assert!(matches!(with(JOB_VERSION + 1, INBOUND_VERSION), Job::Newer { .. }), "{name}");
        assert!(matches!(with(JOB_VERSION, INBOUND_VERSION + 1), Job::Newer { .. }), "{name}");
        let written: Value = serde_json::from_str(&Job::message(&inbound, trace)).unwrap();
        still_written(name, &written, &job);
    }
}

#[test]
fn dead_letters_are_read_and_can_be_tried_again() {
    let of = ConversationKey::of("telegram", "main", "4711", "");
    let letters = [
        (
            "dead_message",
            DeadLetter::message(&inbound(), "it was tried 3 times and never ended in an answer", AT + 300),
        ),
        ("dead_turn", DeadLetter::turn(&of, &turn(), "the chat is gone", AT + 300)),
    ];
    for (name, written) in letters {
        let stored = frozen(name);
        let read = DeadLetter::parse(&stored.to_string(), 0);
        assert_eq!(read, DeadLetter { conversation: "CONV".into(), ..written.clone() }, "{name}");
        assert_eq!(read.job().is_some(), read.inbound.is_some(), "{name}");
        let mut now = serde_json::to_value(&written).unwrap();
        now["conversation"] = "CONV".into();
        still_written(name, &now, &stored);
    }
}

#[test]
fn a_configuration_is_read_and_of_a_later_one_what_is_known() {
    let stored = frozen("configuration");
    let read = Config::tolerant(&stored.to_string()).unwrap();
    let telegram = &read.channels["telegram"];
    assert_eq!(
        (telegram.on_doubt, telegram.people.as_slice()),
        (Some(OnDoubt::Skip), ["7".to_owned()].as_slice())
    );
    assert_eq!((read.assistants["default"].history.days, read.limits.channel_per_minute), (7, 5));
    assert_eq!((read.models["default"].fallback.as_deref(), read.models.len()), (Some("second"), 2));
    still_written("configuration", &serde_json::to_value(&read).unwrap(), &stored);
    let strict: Config = serde_json::from_value(stored.clone()).unwrap();
    assert_eq!(strict, read);
    let mut later = stored;
    later["version"] = (CONFIG_VERSION + 1).into();
    for place in ["/models/default", "/limits", "/assistants/default"] {
        later.pointer_mut(place).unwrap()["added_later"] = json!([1]);
    }
    let later = Config::tolerant(&later.to_string()).unwrap();
    assert_eq!(Config { version: read.version, ..later }, read);
}

#[test]
fn the_version_before_is_read_as_long_as_this_one_is_written() {
    let check = |name: &str, ours: u32| {
        let wrote = frozen(name)["v"].as_u64().unwrap();
        assert_eq!(
            shape(wrote, ours),
            Shape::Known,
            "{name}: its files may go when nothing reads them any more"
        );
    };
    check("job", JOB_VERSION);
    for name in ["waiting", "head", "turn", "person"] {
        check(name, VERSION);
    }
}
