//! What people write and what goes wrong meanwhile: a function of the seed, scene by scene.

use model_invoker::channels::LOCAL;
use serde_json::Value;
use tests::history::Meant;

use crate::dice::Dice;
use crate::lines::{Again, Line, at_once, mark, new_over, refused, rude, slow, stop};
use crate::points::{self, POISON, Point};

/// Part of the answer to `/help`.
const HELP: &str = "Write to me as you would";
/// Scenes in which nobody dies on purpose; those named more often come more often.
const KINDS: &str = "plain plain group burst burst long long commands commands rude rude rude slow refused duplicate \
    duplicate duplicate freeze hasty stopped once once";

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

pub struct Script {
    pub seed: u64,
    /// Long enough for messages that kill three times.
    pub is_long: bool,
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
            let points = points::deaths(self.is_long);
            // Each seed begins elsewhere.
            let first = Dice::new(self.seed, u64::MAX).below(points.len());
            at_point(&mut scene, n, points[(n / 2 + first) % points.len()]);
        } else {
            other(&mut scene, n, &mut dice);
        }
        scene.about = format!("scene {n}: {}", scene.about);
        scene
    }
}

/// A process dies at the point.
fn at_point(scene: &mut Scene, n: usize, point: Point) {
    let (effect, when) = point;
    scene.about = format!("die at {effect}:{when}");
    let word = points::death_word(point);
    let say = |i, text: &str| Line::new(n, i, text, 1);
    match effect {
        "compose" => {
            scene.channel = "telegram";
            scene.lines = vec![say(0, "hello"), new_over(n, 1, &word), say(2, "and now?").after(2_000)];
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
            scene.lines = vec![Line::long(n, 0, &word, scene.channel)];
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
            // Once it is a dead letter it stays one, also where the platform is itself again.
            let (times, meant) =
                if when == "after" { (1, Meant::AnsweredOrDead) } else { (1_000, Meant::Dead) };
            scene.fault = Some(refused(&mark(n, 0, 0), "Bad Request: chat not found", times));
            // Where that comes while nobody works, both are answered by one turn, which is given up.
            let other = Line { meant: Meant::AnsweredOrDead, ..say(1, "somebody there?").after(3_000) };
            scene.lines = vec![Line { meant, ..say(0, &word) }, other];
        }
        "say" => {
            scene.channel = at_once_on(scene.channel);
            scene.lines = vec![say(0, "hello"), at_once(n, 1, &word, HELP), say(2, "thanks").after(1_000)]
        }
        "bury" => {
            let poison = Line { meant: Meant::Dead, ..say(0, &format!("{POISON} {word}")) };
            scene.lines = vec![poison, say(1, "I am fine").after(3_000)];
        }
        _ => scene.lines = vec![say(0, &word), say(1, "another one").after(1_500)],
    }
}

/// A channel on which commands are answered at once: a mail's text is fetched by the turn, so its commands wait for theirs.
fn at_once_on(channel: &'static str) -> &'static str {
    if channel == "email" { "webhook" } else { channel }
}

/// A scene in which nobody dies on purpose.
fn other(scene: &mut Scene, n: usize, dice: &mut Dice) {
    // What takes long begins early.
    let kinds: Vec<&str> = KINDS.split_whitespace().collect();
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
            scene.lines = vec![Line::long(n, 0, "all of it", scene.channel), say(1, "thanks").after(1_000)]
        }
        "commands" => {
            scene.channel = at_once_on(scene.channel);
            let mut help = at_once(n, 1, "/help", HELP);
            help.again = Some(Again::Event(dice.ms(0, 200)));
            let status = at_once(n, 3, "/status", "turns in this conversation");
            scene.lines =
                vec![say(0, "hello"), help, new_over(n, 2, "/new"), status, say(4, "again").after(1_000)];
        }
        "rude" => {
            let long = dice.below(2) == 0;
            let first = if long { Line::long(n, 0, "be rude", scene.channel) } else { say(0, "be rude") };
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
            let point = points::freeze(n / 2);
            scene.about = format!("freeze at {}:{}", point.0, point.1);
            scene.channel = if point.0 == "mark" { "discord" } else { scene.channel };
            let first = Line::long(n, 0, &points::freeze_word(point), scene.channel);
            scene.lines = vec![first, say(1, "still there?").after(20_000)];
        }
        "stopped" => {
            scene.channel = "telegram";
            scene.fault = Some(slow(&mark(n, 0, 0)));
            scene.lines =
                vec![Line { meant: Meant::Stopped, ..say(0, "think hard") }, stop(n, 1), say(2, "and now?")];
        }
        "once" => {
            (scene.channel, scene.account) = ("telegram", "once");
            let when = if dice.below(2) == 0 { "before" } else { "after" };
            let word = points::death_word(("call", when));
            let (about, fault) = rude(scene.channel, &mark(n, 0, 0), dice);
            scene.about = format!("doubts are left out: {about}");
            scene.fault = Some(fault);
            let lines = [Line::long(n, 0, &word, scene.channel), say(1, "and now?").after(1_000)];
            scene.lines = lines.map(|line| Line { meant: Meant::AnsweredOnce, ..line }).into();
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
                line.again = Some(if dice.below(2) == 0 { Again::Event(later) } else { Again::Job(later) });
            }
        }
    }
}
