use channel::{Address, Way};
use turn::{Spoken, Usage};

use super::*;

fn turn(number: u32, messages: &[&str]) -> Turn {
    let spoken = |id: &&str| Spoken {
        id: id.to_string(),
        sender: "7".into(),
        name: "Ana".into(),
        text: "what they said".into(),
        at: 0,
        operator: false,
        checked: Default::default(),
    };
    Turn {
        v: 1,
        number,
        messages: messages.iter().map(spoken).collect(),
        answer: "what it said".into(),
        history: true,
        address: Address::default(),
        way: Way::Reply,
        plain: false,
        steps: vec![],
        ids: vec![],
        usage: Usage { input: 30, output: 4, ..Usage::default() },
        model: "m".into(),
        at: 250,
        stopped: false,
        ..Turn::default()
    }
}

fn open(turn: u32, parts: &[PartState]) -> OpenTurn {
    OpenTurn { turn, parts: parts.to_vec(), wait_until: 0, waits: 0, failed: None }
}

fn value(timeline: &Timeline, metric: Metric) -> f64 {
    timeline.metrics().into_iter().find(|(each, _)| *each == metric).unwrap().1
}

#[test]
fn a_message_is_followed_from_queue_to_last_part_without_its_words() {
    let mut timeline = Timeline::new("m1", 100, 150);
    let answered = turn(3, &["m1", "m2"]);
    let turns = HashMap::from([(3, answered.clone())]);
    let posted = Event::Settled(Settled::Posted(None));
    let mut end = |effect: &str, event: &Event, open: Option<&OpenTurn>, at| {
        timeline.begin(effect, at - 1);
        timeline.end(effect, event, open, &turns, at);
    };
    end("keep", &Event::Kept { new: true }, None, 160);
    end("judge", &Event::Judged(vec![("m1".into(), Fate::Answer)]), None, 170);
    end("ask", &Event::Answered(Box::new(answered.clone())), None, 1_170);
    end("commit", &Event::Committed, None, 1_180);
    end("call", &posted, Some(&open(3, &[PartState::Sending, PartState::Planned])), 1_190);
    end("call", &posted, Some(&open(3, &[PartState::Sent, PartState::Sending])), 1_200);
    let expected = json!({
        "queued_at": 100, "started_at": 150, "kept_at": 160, "fate": "answer",
        "turns": [{
            "number": 3, "messages": ["m1", "m2"], "model": "m", "input": 30, "output": 4, "parts": 0,
            "asked_at": 1_169, "answered_at": 1_170, "committed_at": 1_180, "posted_at": 1_200,
        }],
    });
    assert_eq!(Value::Object(timeline.fields()), expected);
    assert_eq!((value(&timeline, Metric::Answered), value(&timeline, Metric::ReplyLatency)), (2.0, 1_100.0));
    assert_eq!((value(&timeline, Metric::InputTokens), value(&timeline, Metric::OutputTokens)), (30.0, 4.0));
}

#[test]
fn a_turn_of_another_invocation_is_posted_here_and_paid_there() {
    let mut timeline = Timeline::new("m1", 100, 150);
    let turns = HashMap::from([(3, turn(3, &["m1"]))]);
    let posted = Event::Settled(Settled::Posted(Some("p".into())));
    timeline.end("call", &posted, Some(&open(3, &[PartState::Sending])), &turns, 400);
    assert_eq!(value(&timeline, Metric::ReplyLatency), 300.0);
    assert_eq!(timeline.fields()["turns"][0]["answered_at"], 250);
    assert_eq!((value(&timeline, Metric::Answered), value(&timeline, Metric::InputTokens)), (1.0, 0.0));
}

#[test]
fn a_refused_message_says_so() {
    let mut timeline = Timeline::new("m1", 100, 150);
    timeline.end("judge", &Event::Judged(vec![("m1".into(), Fate::Drop)]), None, &HashMap::new(), 200);
    assert_eq!(timeline.fields()["fate"], "drop");
    assert!(timeline.metrics().iter().all(|(_, value)| *value == 0.0));
}
