//! Many people at once: the real template and the real binaries on the local cloud, everybody writing and waiting for answers.
//! `make load` runs it and fails when a message is lost or answered twice, or when anything is left behind.
//!
//! MiniStack, the platforms' stand-in and this program run on the same cores as the functions, so rates and times are this
//! machine's; they are shown and never judged. CPU and memory are those of the functions alone.
//!
//! ```text
//! cargo bench --profile local -p tests --bench load -- [--users 50] [--messages 20]
//! ```

mod ledger;
mod leftovers;
mod people;
mod processes;
mod report;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use ledger::Ledger;
use leftovers::Leftovers;
use local::{Cloud, Source};
use people::People;
use processes::Processes;
use report::Report;
use tests::world::World;
use tokio::time::timeout;

/// Everybody may talk, nobody is limited, and the model repeats what it was told: so an answer shows what it covers.
const CONFIGURATION: &str = "
version: 1
models:
  default: {provider: openai, model: scripted, base_url: '{platform}/model/v1', key: openai}
channels:
  email: {answers_per_thread: 0}
assistants:
  default: {disclosure: never}
";
const SECRETS: &str = r#"{"model": {"openai": "sk-local"}}"#;
/// Turns at the same time, one of the values that the template allows. A turn waits most of its time, for the rest of a burst.
pub const TURNS_AT_ONCE: &str = "20";
/// The run is cut into so many rounds. After each everybody has their answers, and memory is compared at rest.
const ROUNDS: usize = 4;
/// The soak before a release; more would not end within [`MOST`].
const MAX_MESSAGES: usize = 100_000;
/// When writing ends, whatever is still to be written.
const MOST: Duration = Duration::from_secs(2 * 3_600);

/// How much is written.
#[derive(Clone, Copy)]
pub struct Options {
    pub users: usize,
    /// Of each user.
    pub messages: usize,
}

fn main() -> ExitCode {
    let runtime = tokio::runtime::Runtime::new().expect("threads can be started");
    match options().and_then(|options| runtime.block_on(run(options))) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            eprintln!("a check failed; what the functions logged is in {}", state().display());
            ExitCode::FAILURE
        }
        Err(why) => {
            eprintln!("the load could not be run: {why}");
            ExitCode::from(2)
        }
    }
}

fn options() -> Result<Options, String> {
    let mut options = Options { users: 50, messages: 20 };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut number = || {
            let number = arguments.next().and_then(|number| number.parse().ok()).filter(|number| *number > 0);
            number.ok_or(format!("{argument} wants a number"))
        };
        match argument.as_str() {
            "--users" => options.users = number()?,
            "--messages" => options.messages = number()?,
            // Cargo says so to every bench.
            "--bench" => {}
            other => return Err(format!("{other} is no option; there is --users, --messages")),
        }
    }
    match options.users.saturating_mul(options.messages) {
        _ if options.messages < ROUNDS => Err(format!("--messages wants {ROUNDS} or more")),
        ..=MAX_MESSAGES => Ok(options),
        all => Err(format!("{all} messages are too many: users × messages may be {MAX_MESSAGES}")),
    }
}

/// Loads and reports. `false`: a check failed.
async fn run(options: Options) -> Result<bool, String> {
    let state = state();
    let world = World::of(start(&state).await?);
    let (ledger, processes) = (Ledger::default(), Processes::default());
    let everything = async {
        let people = People::new(&world, &ledger, options);
        let mut memory = Vec::new();
        let rest = || memory.push(processes.at_rest(&world.cloud));
        let written = timeout(MOST, people.write(ROUNDS, rest)).await;
        if let Err(why) = written.unwrap_or_else(|_| Err(format!("not all is written after {MOST:?}"))) {
            eprintln!("{why}");
        }
        let leftovers = Leftovers::find(&world).await?;
        Ok(Report { options, ledger: &ledger, processes: &processes, memory, leftovers })
    };
    let report: Result<Report<'_>, String> = tokio::select! {
        report = everything => report,
        why = ledger.follow(&world.cloud.endpoints().platform) => Err(why),
        () = processes.watch(&world.cloud) => unreachable!("it watches for ever"),
    };
    let kept = report?.print();
    drop(world);
    if kept {
        // Only a folder for temporary files; it holds nothing that anybody will miss.
        std::fs::remove_dir_all(&state).ok();
    }
    Ok(kept)
}

impl Options {
    /// Messages of all users.
    pub fn all(&self) -> usize {
        self.users * self.messages
    }
}

async fn start(state: &Path) -> Result<Cloud, String> {
    // What a former process of the same number left.
    std::fs::remove_dir_all(state).ok();
    let written =
        std::fs::create_dir_all(state).and_then(|()| std::fs::write(state.join("secrets.json"), SECRETS));
    written.map_err(|error| format!("{}: {error}", state.display()))?;
    let mut options = local::Options::isolated(state);
    options.config = Source::Text(CONFIGURATION.to_owned());
    options.parameters.push(("MaximumConcurrency".to_owned(), TURNS_AT_ONCE.to_owned()));
    // A line for every message would cost more than the message.
    let say: local::Say = Arc::new(|_: &str| {});
    Cloud::start(options, say).await.map_err(|error| error.to_string())
}

fn state() -> PathBuf {
    std::env::temp_dir().join(format!("crabhook-load-{}", std::process::id()))
}
