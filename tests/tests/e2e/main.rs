//! The whole path, message in, reply out: the real template and binaries on the local cloud.
//!
//! Most tests share one cloud and take turns on it; those that kill or configure it have their own and run beside.

mod access;
mod compatibility;
mod faults;
mod hooks;
mod lookup;
mod made;
mod mail;
mod media;
mod memory;
mod model;
mod operations;
mod operator;
mod overlap;
mod passed_over;
mod people;
mod personas;
mod protocols;
mod reminders;
mod rude;
mod settings;
mod spend;
mod streaming;
mod streams;
mod table;
mod talk;
mod tools;
mod uploads;
mod web;
mod windows;

use std::future::Future;
use std::sync::{LazyLock, OnceLock};

use local::Options;
use tests::world::World;
use tokio::runtime::Runtime;
use tokio::sync::{Mutex, OnceCell};

/// Everybody may talk; the scripted model answers, and only it is heard.
const OPEN: &str = "
version: 1
models:
  default: {provider: openai, model: scripted, base_url: '{platform}/model/v1', key: openai}
assistants:
  default: {disclosure: never}
";

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
});

/// Runs a test on a cloud of its own.
fn alone(name: &str, config: &str, change: impl FnOnce(&mut Options), test: impl AsyncFnOnce(&World)) {
    RUNTIME.block_on(async {
        let world = World::start(name, config, |options| {
            secrets(options);
            change(options);
        })
        .await;
        test(&world).await;
    });
}

/// Runs a test on the cloud that tests share, alone on it for its time. It is told to be quick and polite again before.
fn shared(test: impl AsyncFnOnce(&World)) {
    static WORLD: OnceCell<World> = OnceCell::const_new();
    static TURN: OnceLock<Mutex<()>> = OnceLock::new();
    RUNTIME.block_on(async {
        let _turn = TURN.get_or_init(Mutex::default).lock().await;
        let world =
            WORLD.get_or_init(|| async { World::start("shared", &whole_answers(), secrets).await }).await;
        world.think(0).await;
        test(world).await;
    });
}

/// Where answers appear when they are complete: a test that waits for a text sees no half of it on a busy machine.
fn whole_answers() -> String {
    let streams = model_invoker::channels::ALL.iter().map(|room| room.spec());
    let off = streams.filter(|spec| spec.streaming != channel::Streaming::Off);
    let off: String = off.map(|spec| format!("  {}: {{streaming: off}}\n", spec.name)).collect();
    format!("{OPEN}channels:\n{off}")
}

/// A model's key, and a second Telegram bot.
fn secrets(options: &mut Options) {
    std::fs::create_dir_all(&options.state).expect("a folder for the state");
    let secrets = r#"{"model": {"openai": "sk-local"}, "telegram/support": {}}"#;
    std::fs::write(options.state.join("secrets.json"), secrets).expect("the secrets can be written");
}

/// Runs futures side by side and gives what they come to, in order.
async fn all<T: Send + 'static>(futures: impl IntoIterator<Item = impl Future<Output = T>>) -> Vec<T> {
    futures::future::join_all(futures).await
}
