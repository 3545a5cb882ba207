//! Streams: what is added piece by piece is the answer in the end, whatever happens in between.

use channel::local::{Local, Streams};
use channel::{Address, Grown, Part, PostContext, Secrets, Settled, Way};
use model_invoker::channels::LOCAL;
use model_invoker::outgoing;
use serde_json::Value;

use super::{NOW, as_seen, inbound, message, reachable, secrets};

const ANSWER: &str = "# Title\n\nSome **bold** words, `code` and a [link](https://example.com/a_b).\n\n1. first\n2. *second*\n\n\
    ```rust\nlet a = \"**\";\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\nThe end, with <@U0123> & snake_case.";

/// A chat with its platform's memory.
struct Chat {
    room: &'static dyn Local,
    secrets: Secrets,
    settings: Value,
    to: Address,
    streams: Streams,
}

impl Chat {
    fn new(room: &'static dyn Local, conversation: Option<&str>) -> Chat {
        let secrets = secrets(room);
        let to = inbound(room, &secrets, &message(&secrets, "hello", "7", conversation, "1001")).address;
        Chat { room, settings: reachable(room), secrets, to, streams: Streams::new() }
    }

    /// What the calls of a part come to, whether the last one is a stream's, and what is seen then.
    fn post(&mut self, part: Part) -> (Vec<Settled>, bool, Option<String>) {
        let context =
            PostContext { settings: &self.settings, key: "turn", way: Way::Reply, plain: false, now: NOW };
        let (mut settled, mut stream, mut seen) = (Vec::new(), false, None);
        for step in self.room.post(&[part], &self.to, &context).steps {
            let spec = self.room.spec();
            let request = outgoing::request(&step, spec, &self.settings, &self.secrets, NOW).unwrap();
            let answer = self.room.play(&as_seen(spec.name, &request), &mut self.streams);
            settled.push(self.room.settle(&step, &answer.response));
            stream = step.stream;
            seen = answer.said.last().map(|said| said.text.clone()).or(seen);
        }
        (settled, stream, seen)
    }

    /// Shows the text so far.
    fn draw(&mut self, so_far: &str, message: &mut Option<(String, u32, String)>) {
        let (posted, grown) = match message.clone() {
            Some((id, calls, said)) => (Some(id), Grown::Streamed { said: Some(said), calls }),
            None => (None, Grown::Edited),
        };
        let (settled, stream, _) = self.post(Part::Draft { text: so_far.to_owned(), posted, grown });
        let name = self.room.spec().name;
        match settled.as_slice() {
            [] => {}
            [Settled::Posted(id)] if stream => {
                let (known, calls) = message.take().map_or((None, 0), |(id, calls, _)| (Some(id), calls));
                let id = known.or(id.clone()).unwrap_or_else(|| panic!("{name}: a stream without an id"));
                *message = Some((id, calls + 1, so_far.to_owned()));
            }
            other => panic!("{name}: {so_far:?}: {other:?}"),
        }
    }
}

/// The chats in which answers are streams.
fn chats() -> Vec<Chat> {
    let all = LOCAL.iter().flat_map(|room| [None, Some("team")].map(|group| Chat::new(*room, group)));
    let streams = |chat: &mut Chat| {
        let begin = Part::Draft { text: "So far".into(), posted: None, grown: Grown::Edited };
        let streams = chat.post(begin).1;
        chat.streams.clear();
        streams
    };
    let found: Vec<Chat> = all.filter_map(|mut chat| streams(&mut chat).then_some(chat)).collect();
    assert_eq!(found.iter().map(|chat| chat.room.spec().name).collect::<Vec<_>>(), ["slack", "teams"]);
    found
}

#[test]
fn a_stream_says_in_the_end_what_the_answer_says() {
    for mut chat in chats() {
        let name = chat.room.spec().name;
        let (_, _, whole) = chat.post(Part::Text(ANSWER.into()));
        for every in [1, 7, 40] {
            let mut message = None;
            for (at, _) in ANSWER.char_indices().step_by(every) {
                chat.draw(&ANSWER[..at], &mut message);
            }
            let (posted, calls, said) = message.unwrap();
            assert!(calls > 3, "{name}: it grew {calls} times");
            let grown = Grown::Streamed { said: Some(said), calls };
            let edit = Part::Edit { posted: posted.clone(), text: ANSWER.into(), grown };
            let (settled, stream, seen) = chat.post(edit);
            assert_eq!((settled.len(), stream), (1, true), "{name}: {settled:?}");
            assert!(matches!(settled[0], Settled::Posted(_)), "{name}: {settled:?}");
            assert_eq!(seen, whole, "{name}");
            let growing = &chat.streams[&posted];
            assert!(!growing.open && Some(&growing.text) == whole.as_ref(), "{name}: {growing:?}");
        }
    }
}

/// The answer is another one than the stream began with, or whoever began it was killed: the message says the answer.
#[test]
fn a_stream_that_cannot_go_on_is_edited() {
    for mut chat in chats() {
        let name = chat.room.spec().name;
        for (is_known, text) in
            [(true, "Another answer."), (false, "Another answer."), (false, "So far, so good.")]
        {
            let mut message = None;
            chat.draw("So far, so", &mut message);
            let (posted, calls, said) = message.unwrap();
            let grown = if is_known { Grown::Streamed { said: Some(said), calls } } else { Grown::Left };
            let edit = Part::Edit { posted: posted.clone(), text: text.into(), grown };
            let (settled, _, seen) = chat.post(edit);
            assert!(settled.iter().all(|one| matches!(one, Settled::Posted(_))), "{name}: {settled:?}");
            assert_eq!(seen.as_deref(), Some(text), "{name}");
            assert!(!chat.streams[&posted].open, "{name}: the stream is left open");
        }
    }
}

/// The last call of a stream, made once more, is refused, and its message edited: it says the same.
#[test]
fn the_end_of_a_stream_may_come_twice() {
    for mut chat in chats() {
        let (name, mut message) = (chat.room.spec().name, None);
        chat.draw("So far, so", &mut message);
        let (posted, calls, said) = message.unwrap();
        let edit =
            |grown: Grown| Part::Edit { posted: posted.clone(), text: "So far, so good.".into(), grown };
        let streamed = Grown::Streamed { said: Some(said), calls };
        assert!(matches!(chat.post(edit(streamed.clone())).0[..], [Settled::Posted(_)]), "{name}");
        assert_eq!(chat.post(edit(streamed)).0, [Settled::Gone], "{name}");
        let (settled, _, seen) = chat.post(edit(Grown::Left));
        assert!(settled.iter().all(|one| matches!(one, Settled::Posted(_))), "{name}: {settled:?}");
        assert_eq!(seen.as_deref(), Some("So far, so good."), "{name}");
    }
}
