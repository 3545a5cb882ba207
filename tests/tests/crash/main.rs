//! Nothing is lost and nothing is answered twice, whatever is killed: the local cloud with the real template and binaries,
//! people on every channel, rude platforms, and processes that are killed (at random and at every named point) or stopped
//! for longer than their lease. What happened is read at the end, from outside, and held against the promises.
//!
//! ```text
//! make crash KILLS=1000 SEED=7
//! ```
//!
//! Without KILLS it is the short form, a part of `make test`. The last line of standard output says how it went, the exit
//! code whether the promises held. The scenes are a function of the seed; when they meet is the machine's.

mod dice;
mod hands;
mod lines;
mod people;
mod points;
mod record;
mod rest;
mod script;
mod watch;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tests::history::{History, Verdict, check};
use tests::world::World;
use tokio::task::JoinSet;

use people::People;
use record::Calls;
use script::Script;
use watch::Watch;

/// Everybody may talk, but for one account; on another newer messages interrupt, on a third doubtful posts are left out. A mail
/// thread gets as many answers as others.
const CONFIGURATION: &str = "
version: 1
models:
  default: {provider: openai, model: scripted, base_url: '{platform}/model/v1', key: openai}
assistants:
  default: {disclosure: never}
channels:
  telegram: {accounts: {closed: {access: owner}, hasty: {overlap: interrupt}, once: {on_doubt: skip}}}
  email: {answers_per_thread: 0}
";
const SECRETS: &str =
    r#"{"model": {"openai": "sk-local"}, "telegram/closed": {}, "telegram/hasty": {}, "telegram/once": {}}"#;
/// Turns at the same time, one of the values that the template allows: many conversations wait for a dead holder's lease.
const TURNS_AT_ONCE: &str = "20";
/// The queue's own time-out is half an hour, and is what a message is hidden for whose holder dies before its first act.
/// Here it is hardly longer than the 25 s that the invoker sets.
const HIDDEN_S: u32 = 30;
/// What the model takes, milliseconds: enough to be killed in.
const THINKING_MS: u64 = 300;
/// From here on there is time for messages that kill three times over, and every point must have killed.
const LONG: usize = 500;
const SHORT_KILLS: usize = 40;
/// Scenes begin this long after each other, while the queue can take them.
const PACE: Duration = Duration::from_millis(250);
const MAX_WAITING: u64 = 30;
/// Said on standard error so often.
const NEWS: Duration = Duration::from_secs(15);

fn main() -> ExitCode {
    // Cargo passes on what to run: a part of a test's name, or --list.
    if std::env::args()
        .skip(1)
        .any(|word| word == "--list" || !(word.starts_with('-') || "crash".contains(&word)))
    {
        return ExitCode::SUCCESS;
    }
    let number = |name: &str, default: u64| match std::env::var(name).ok().filter(|text| !text.is_empty()) {
        Some(text) => text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")),
        None => default,
    };
    let kills = usize::try_from(number("KILLS", SHORT_KILLS as u64)).unwrap_or(usize::MAX);
    let script = Script { seed: number("SEED", 1), is_long: kills >= LONG };
    points::cover_every_effect();
    eprintln!("crash: KILLS={kills} SEED={}", script.seed);
    let runtime = tokio::runtime::Runtime::new().expect("threads can be started");
    runtime.block_on(run(&script, kills))
}

async fn run(script: &Script, kills: usize) -> ExitCode {
    let (begun, begun_at) = (Instant::now(), model_invoker::now());
    let world = Arc::new(start().await);
    let (watch, people, calls) = (Watch::of(&world.cloud), People::of(world.clone()), Calls::default());
    world.set_visibility(HIDDEN_S).await;
    world.think(THINKING_MS).await;
    let everything = async {
        tokio::select! {
            () = hands::strike(&world, &watch, script.seed, kills) => {}
            () = write(script, &world, &people, &watch, kills) => {}
        }
        let patience = if script.is_long { Duration::from_secs(900) } else { Duration::from_secs(180) };
        eprintln!("{} kills after {} s; coming to rest", watch.kills(), begun.elapsed().as_secs());
        rest::come_to_rest(&world, &watch, patience).await
    };
    let left = tokio::select! {
        left = everything => left,
        () = hands::wake(&world, &watch) => unreachable!("it wakes for ever"),
        () = calls.follow(&world) => unreachable!("it follows for ever"),
    };
    let history = record::history(&world, &watch, &calls, &people.heard(), begun_at, left).await;
    let missed = points::missed(&state().join("tmp"), script.is_long);
    let verdict = check(&history);
    report(script, kills, &history, &verdict, &missed);
    eprintln!("it took {} s", begun.elapsed().as_secs());
    println!(
        "kills {}, lost {}, answered twice {}, uncertain {}",
        watch.kills(),
        verdict.lost,
        verdict.twice,
        verdict.uncertain
    );
    let held = verdict.broken.is_empty() && (missed.is_empty() || !script.is_long);
    drop(world);
    if held {
        // Only a folder for temporary files; it holds nothing that anybody will miss.
        std::fs::remove_dir_all(state()).ok();
    }
    ExitCode::from(u8::from(!held))
}

fn state() -> std::path::PathBuf {
    std::env::temp_dir().join(format!("crabhook-crash-{}", std::process::id()))
}

async fn start() -> World {
    World::start("crash", CONFIGURATION, |options| {
        std::fs::create_dir_all(&options.state).expect("a folder for the state");
        std::fs::write(options.state.join("secrets.json"), SECRETS).expect("the secrets can be written");
        options.parameters = vec![("MaximumConcurrency".to_owned(), TURNS_AT_ONCE.to_owned())];
        options.die_at = Some(points::die_at());
        options.freeze_at = Some(points::freeze_at());
    })
    .await
}

/// Plays scene after scene until enough processes were killed, and those that have begun to their end.
async fn write(script: &Script, world: &World, people: &People, watch: &Watch, kills: usize) {
    let (mut scenes, mut n, mut told) = (JoinSet::new(), 0, Instant::now());
    let queue = world.queue();
    while watch.kills() < kills {
        if queue.counts().await.expect("the queue answers").waiting < MAX_WAITING {
            scenes.spawn(people.clone().play(script.scene(n)));
            n += 1;
        }
        if told.elapsed() > NEWS {
            eprintln!("{n} scenes, {} kills", watch.kills());
            told = Instant::now();
        }
        tokio::time::sleep(PACE).await;
    }
    while let Some(played) = scenes.join_next().await {
        played.expect("a scene is played to its end");
    }
}

/// For whoever has to find out why.
fn report(script: &Script, kills: usize, history: &History, verdict: &Verdict, missed: &[String]) {
    let taken = history.messages.iter().filter(|message| message.taken).count();
    let hit = history.runs.iter().filter(|run| !run.whole).count();
    let frozen = history.runs.iter().filter(|run| run.frozen).count();
    eprintln!(
        "{} messages, {taken} of them taken; {} turns, {} posts, {} questions, {} dead letters, {} refused; {} invocations, {hit} killed, {frozen} frozen",
        history.messages.len(),
        history.turns.len(),
        history.posts.len(),
        history.questions.len(),
        history.letters.len(),
        history.refused,
        history.runs.len(),
    );
    if !missed.is_empty() {
        eprintln!("nobody died at {}", missed.join(", "));
    }
    for broken in &verdict.broken {
        let about = history
            .messages
            .iter()
            .find(|message| message.id == broken.message && message.conversation == broken.conversation);
        eprintln!("{broken} ({})", about.map_or("", |message| &message.about));
    }
    if !verdict.broken.is_empty() {
        eprintln!(
            "replay: make crash KILLS={kills} SEED={}; what the functions logged is in {}",
            script.seed,
            state().display()
        );
    }
}
