//! The named points at which processes die or are stopped, and the words by which a message names one.

/// A point: an effect of the invoker or an act of a webhook function, and `before` or `after`.
pub type Point = (&'static str, &'static str);

/// The effects as `functions/model-invoker/src/run.rs` names them.
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
/// Commands that are answered at once, and what a webhook function does.
const OTHERS: &[&str] = &["say", "enqueue"];
/// Where a process is stopped for longer than its lease.
const FREEZES: &[Point] = &[
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
pub const POISON: &str = "poison";

/// Every point at which a process dies. A message dies three times over before it is buried: that takes long.
pub fn deaths(is_long: bool) -> Vec<Point> {
    let all = EFFECTS.iter().chain(OTHERS).filter(|effect| is_long || **effect != "bury");
    all.flat_map(|effect| [(*effect, "before"), (*effect, "after")]).collect()
}

/// The points at which processes are stopped, one after the other.
pub fn freeze(n: usize) -> Point {
    FREEZES[n % FREEZES.len()]
}

/// What a text must hold for a process to die there. Commands are told by their whole text, so it is how they are spelt.
pub fn death_word((effect, when): Point) -> String {
    match (effect, when) {
        ("compose", "before") => "/NEW".to_owned(),
        ("compose", _) => "/New".to_owned(),
        ("say", "before") => "/HELP".to_owned(),
        ("say", _) => "/Help".to_owned(),
        _ => format!("die{effect}{when}"),
    }
}

pub fn freeze_word((effect, when): Point) -> String {
    format!("freeze{effect}{when}")
}

/// `CRABHOOK_DIE_AT`: each message dies once, but for poison; commands, which have no text of their own, as often as they are
/// given out for the first time.
pub fn die_at() -> String {
    let often = |effect| if matches!(effect, "compose" | "say") { "@1" } else { "!" };
    let points = deaths(true).into_iter();
    let points = points
        .map(|point| format!("{}:{}={}{}", point.0, point.1, death_word(point), often(point.0)))
        .chain([format!("ask:before={POISON}")]);
    points.collect::<Vec<_>>().join(",")
}

/// `CRABHOOK_FREEZE_AT`, likewise.
pub fn freeze_at() -> String {
    let points = FREEZES.iter().map(|point| format!("{}:{}={}!", point.0, point.1, freeze_word(*point)));
    points.collect::<Vec<_>>().join(",")
}

/// The points at which nobody died or was stopped, by the files that were left in that folder.
pub fn missed(folder: &std::path::Path, is_long: bool) -> Vec<String> {
    let files = std::fs::read_dir(folder).expect("the folder of failpoints");
    let names: Vec<String> =
        files.flatten().map(|file| file.file_name().to_string_lossy().into_owned()).collect();
    let points = deaths(is_long).into_iter().map(|(effect, when)| format!("{effect}:{when}"));
    points
        .filter(|point| !names.iter().any(|name| name.starts_with(&format!("failpoint-{point}-"))))
        .collect()
}

/// Panics where the invoker has an effect that is not known here.
pub fn cover_every_effect() {
    let source = tests::read("functions/model-invoker/src/run.rs");
    let names = source.split("fn name(effect: &Effect)").nth(1).expect("the names of the effects");
    for name in names.lines().filter_map(|line| line.split("=> \"").nth(1)?.split('"').next()) {
        assert!(EFFECTS.contains(&name) || LAST.contains(&name), "no scene for the effect {name}");
    }
}
