//! What people write and what goes wrong meanwhile: a function of the seed, scene by scene.

use std::time::Duration;

use model_invoker::channels::LOCAL;
use serde_json::{Value, json};
use tests::history::{Mark, Meant};

/// The invoker's effects, each a point before and a point after.
const EFFECTS: &[&str] = &[
    "hide",
    "keep",
    "take",
    "interrupt",
    "inspect",
    "look",
    "pause",
    "judge",
    "count",
    "uncount",
    "ask",
    "compose",
    "bury",
    "commit",
    "mark",
    "call",
    "replan",
    "rewrite",
    "fail",
    "release",
];
/// Those that end the work on a message: there is no point to pass.
const LAST: &[&str] = &["acknowledge", "return"];
/// What a webhook function does.
const ENQUEUE: &str = "enqueue";
/// Where a process is stopped for longer than its lease.
const FREEZES: &[(&str, &str)] = &[
    ("commit", "after"),
    ("call", "before"),
    ("ask", "before"),
    ("call", "after"),
    ("mark", "before"),
    ("ask", "after"),
    ("commit", "before"),
    ("take", "after"),
    ("keep", "after"),
    ("release", "before"),
];
/// In the text of a message that kills whoever asks about it.
const POISON: &str = "poison";
/// Longer than what most platforms take in one message, characters; Slack takes more.
const LONG: usize = 9_000;
const LONG_ON_SLACK: usize = 26_000;

/// Numbers that look like chance and are not: SplitMix64, <https://prng.di.unimi.it/splitmix64.c>.
pub struct Dice(u64);

/// One conversation from its first word to its last.
#[derive(Debug)]
pub struct Scene {
    pub about: String,
    pub channel: &'static str,
    pub account: &'static str,
    pub user: String,
    pub group: Option<String>,
    /// What the stand-in is told before.
    pub fault: Option<Value>,
    pub lines: Vec<Line>,
}

/// One message.
#[derive(Debug)]
pub struct Line {
    /// The platform's number of it.
    pub id: String,
    pub text: String,
    pub marks: Vec<Mark>,
    pub meant: Meant,
    /// After the one before it.
    pub pause: Duration,
    pub again: Option<Again>,
}

/// A second delivery of the same message, so much later.
#[derive(Debug, Clone, Copy)]
pub enum Again {
    /// By the platform.
    Event(Duration),
    /// By the queue.
    Job(Duration),
}

pub struct Script {
    pub seed: u64,
    /// Long enough for messages that kill three times.
    pub is_long: bool,
}

impl Dice {
    pub fn new(seed: u64, n: u64) -> Dice {
        Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ n.wrapping_mul(0xD134_2543_DE82_EF95))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end.max(1) as u64).unwrap_or(0)
    }

    pub fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    pub fn ms(&mut self, from: u64, to: u64) -> Duration {
        Duration::from_millis(from + self.next() % (to - from).max(1))
    }
}

/// `CRABHOOK_DIE_AT`: every point, for a message that names it.
pub fn die_at() -> String {
    let points = points(true).into_iter().map(|(effect, when)| match effect {
        // Commands are told by their whole text: how they are spelt says what is to happen.
        "compose" => format!("compose:{when}={}@1", spelt_new(when)),
        _ => format!("{effect}:{when}={}!", word("die", effect, when)),
    });
    points.chain([format!("ask:before={POISON}")]).collect::<Vec<_>>().join(",")
}

/// `CRABHOOK_FREEZE_AT`, likewise.
pub fn freeze_at() -> String {
    let points =
        FREEZES.iter().map(|(effect, when)| format!("{effect}:{when}={}!", word("freeze", effect, when)));
    points.collect::<Vec<_>>().join(",")
}

/// Panics where the invoker has an effect that is not known here.
pub fn covers_every_effect() {
    let source = tests::read("functions/model-invoker/src/run.rs");
    let names = source.split("fn name(effect: &Effect)").nth(1).expect("the names of the effects");
    for name in names.lines().filter_map(|line| line.split("=> \"").nth(1)?.split('"').next()) {
        assert!(EFFECTS.contains(&name) || LAST.contains(&name), "no scene for the effect {name}");
    }
}

/// Every point at which a scene has a process killed.
pub fn points(with_poison: bool) -> Vec<(&'static str, &'static str)> {
    let effects = EFFECTS.iter().chain([&ENQUEUE]).filter(|effect| with_poison || **effect != "bury");
    effects.flat_map(|effect| [(*effect, "before"), (*effect, "after")]).collect()
}

fn word(what: &str, effect: &str, when: &str) -> String {
    format!("{what}{effect}{when}")
}

/// Two spellings of the command that the scripts use nowhere else.
fn spelt_new(when: &str) -> &'static str {
    if when == "before" { "/NEW" } else { "/New" }
}

impl Script {
    /// The scene of that number.
    pub fn scene(&self, n: usize) -> Scene {
        let mut dice = Dice::new(self.seed, n as u64);
        let channel = dice.one(LOCAL).spec().name;
        let mut scene = Scene {
            about: String::new(),
            channel,
            account: "main",
            user: (500_000 + n).to_string(),
            group: None,
            fault: None,
            lines: Vec::new(),
        };
        if n.is_multiple_of(2) {
            let points = points(self.is_long);
            // Each seed begins elsewhere.
            let (effect, when) =
                points[(n / 2 + Dice::new(self.seed, u64::MAX).below(points.len())) % points.len()];
            self.at_point(&mut scene, n, effect, when);
        } else {
            self.other(&mut scene, n, &mut dice);
        }
        scene.about = format!("scene {n}: {}", scene.about);
        scene
    }

    /// A process dies at the point.
    fn at_point(&self, scene: &mut Scene, n: usize, effect: &str, when: &str) {
        scene.about = format!("die at {effect}:{when}");
        let word = word("die", effect, when);
        let say = |i, text: &str| Line::new(n, i, text, 1);
        match effect {
            "compose" => {
                scene.channel = "telegram";
                scene.lines =
                    vec![say(0, "hello"), new_over(n, 1, spelt_new(when)), say(2, "and now?").after(2_000)];
            }
            "inspect" => {
                scene.channel = "telegram";
                scene.fault = Some(slow(&mark(n, 0, 0)));
                scene.lines = vec![say(0, "think hard"), say(1, &word).after(2_000)];
            }
            "interrupt" | "uncount" => {
                (scene.channel, scene.account) = ("telegram", "hasty");
                scene.fault = Some(slow(&mark(n, 0, 0)));
                let words = if effect == "uncount" { [&*word, "no"] } else { ["think", &*word] };
                scene.lines = vec![say(0, words[0]), say(1, words[1]).after(2_000)];
            }
            "mark" | "call" => {
                scene.channel = "discord";
                scene.lines = vec![Line::long(n, 0, &word, LONG)];
            }
            "pause" => {
                scene.channel = "webhook";
                scene.lines = vec![say(0, &word), say(1, "and more")];
            }
            "replan" | "rewrite" => {
                scene.channel = "telegram";
                scene.fault = Some(refused(&mark(n, 0, 0), "Bad Request: can't parse entities", 1));
                scene.lines = vec![say(0, &word)];
            }
            "fail" => {
                scene.channel = "telegram";
                scene.fault = Some(refused(&mark(n, 0, 0), "Bad Request: chat not found", 1_000));
                scene.lines = vec![
                    Line { meant: Meant::Dead, ..say(0, &word) },
                    say(1, "somebody there?").after(3_000),
                ];
            }
            "bury" => {
                let poison = Line { meant: Meant::Dead, ..say(0, &format!("{POISON} {word}")) };
                scene.lines = vec![poison, say(1, "I am fine").after(3_000)];
            }
            _ => scene.lines = vec![say(0, &word), say(1, "another one").after(1_500)],
        }
    }

    fn other(&self, scene: &mut Scene, n: usize, dice: &mut Dice) {
        let kinds = [
            "plain",
            "plain",
            "group",
            "burst",
            "burst",
            "long",
            "long",
            "commands",
            "rude",
            "rude",
            "rude",
            "slow",
            "refused",
            "duplicate",
            "duplicate",
            "duplicate",
            "freeze",
            "hasty",
        ];
        // What takes long begins early.
        let kind = if n < 6 { "freeze" } else { dice.one(&kinds) };
        scene.about = kind.to_owned();
        let say = |i, text: &str| Line::new(n, i, text, 1);
        let some = |dice: &mut Dice, pause: u64| -> Vec<Line> {
            let count = 2 + dice.below(4);
            (0..count).map(|i| say(i, "a word").after(if i == 0 { 0 } else { pause })).collect()
        };
        match kind {
            "plain" => scene.lines = some(dice, 2_500),
            "group" => {
                (scene.channel, scene.group) = ("telegram", Some(format!("group{n}")));
                scene.lines = some(dice, 1_500);
            }
            "burst" => scene.lines = some(dice, 0),
            "long" => {
                scene.lines =
                    vec![Line::long(n, 0, "all of it", long_on(scene.channel)), say(1, "thanks").after(1_000)]
            }
            "commands" => {
                scene.lines = vec![
                    say(0, "hello"),
                    at_once(n, 1, "/help", "Write to me as you would"),
                    new_over(n, 2, "/new"),
                ];
                scene.lines.push(at_once(n, 3, "/status", "turns in this conversation"));
                scene.lines.push(say(4, "again").after(1_000));
            }
            "rude" => {
                let long = dice.below(2) == 0;
                let first = if long {
                    Line::long(n, 0, "be rude", long_on(scene.channel))
                } else {
                    say(0, "be rude")
                };
                let (about, fault) = rude(scene.channel, &mark(n, 0, 0), dice);
                scene.about = format!("rude: {about}");
                scene.fault = Some(fault);
                scene.lines = vec![first, say(1, "and now?").after(1_000)];
            }
            "slow" => {
                scene.fault = Some(slow(&mark(n, 0, 0)));
                scene.lines = some(dice, 1_200);
            }
            "refused" => {
                (scene.channel, scene.account) = ("telegram", "closed");
                scene.lines = vec![Line { meant: Meant::Refused, ..say(0, "let me in") }];
            }
            "freeze" => {
                let (effect, when) = FREEZES[(n / 2) % FREEZES.len()];
                scene.about = format!("freeze at {effect}:{when}");
                scene.channel = if effect == "mark" { "discord" } else { scene.channel };
                let first = Line::long(n, 0, &word("freeze", effect, when), long_on(scene.channel));
                scene.lines = vec![first, say(1, "still there?").after(20_000)];
            }
            "hasty" => {
                (scene.channel, scene.account) = ("telegram", "hasty");
                scene.fault = Some(slow(&mark(n, 0, 0)));
                scene.lines = some(dice, 1_500);
            }
            _ => {
                scene.lines = some(dice, 700);
                for line in &mut scene.lines {
                    let later = dice.ms(0, 4_000);
                    line.again =
                        Some(if dice.below(2) == 0 { Again::Event(later) } else { Again::Job(later) });
                }
            }
        }
    }
}

impl Line {
    /// A message with so many marks.
    fn new(n: usize, i: usize, text: &str, marks: usize) -> Line {
        let marks: Vec<String> = (0..marks).map(|k| mark(n, i, k)).collect();
        Line {
            id: (1_000_000 + n * 100 + i).to_string(),
            text: format!("{text} {}", marks.join(" ")),
            marks: marks.into_iter().map(Mark::Word).collect(),
            meant: Meant::Answered,
            pause: Duration::ZERO,
            again: None,
        }
    }

    /// A message whose echo needs several posts, each with marks of its own.
    fn long(n: usize, i: usize, text: &str, chars: usize) -> Line {
        let paragraph = |k| format!("{} {}", mark(n, i, k), "word ".repeat(60).trim_end());
        let paragraphs: Vec<String> = (0..chars / 310).map(paragraph).collect();
        let line = Line::new(n, i, text, paragraphs.len());
        Line { text: format!("{text}\n\n{}", paragraphs.join("\n\n")), ..line }
    }

    fn after(mut self, ms: u64) -> Line {
        self.pause = Duration::from_millis(ms);
        self
    }
}

/// The word of a scene, a line and a piece of it.
fn mark(n: usize, i: usize, k: usize) -> String {
    format!("s{n}l{i}p{k}")
}

fn command(n: usize, i: usize, text: &str, answer: &str) -> Line {
    let marks = vec![Mark::Phrase(answer.to_owned())];
    Line { text: text.to_owned(), marks, ..Line::new(n, i, text, 0) }.after(1_500)
}

fn new_over(n: usize, i: usize, text: &str) -> Line {
    command(n, i, text, "Let us start over")
}

fn at_once(n: usize, i: usize, text: &str, answer: &str) -> Line {
    Line { meant: Meant::AnsweredAtOnce, ..command(n, i, text, answer) }
}

fn long_on(channel: &str) -> usize {
    if channel == "slack" { LONG_ON_SLACK } else { LONG }
}

/// The model thinks long about this: so long that lease and token must be renewed.
fn slow(mark: &str) -> Value {
    json!({"channel": "model", "delay_ms": 7_000, "holds": mark})
}

/// Telegram refuses posts of this.
fn refused(mark: &str, why: &str, times: u32) -> Value {
    let body = json!({"ok": false, "error_code": 400, "description": why});
    json!({"channel": "telegram", "status": 400, "times": times, "holds": mark, "body": body})
}

/// What a platform may do to a post.
fn rude(channel: &str, mark: &str, dice: &mut Dice) -> (&'static str, Value) {
    let (about, mut fault) = match dice.below(5) {
        0 => ("too many", json!({"status": 429, "retry_after": 1, "times": 2})),
        1 => ("unavailable", json!({"status": 503})),
        2 => ("done, and its answer lost", json!({"status": 0, "done": true})),
        3 => ("closed before it did anything", json!({"status": 0})),
        _ => ("late", json!({"delay_ms": 4_000})),
    };
    fault["channel"] = channel.into();
    fault["holds"] = mark.into();
    (about, fault)
}
