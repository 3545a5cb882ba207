//! The process that plays AWS.

use std::fs::File;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::functions::{Functions, Told, kill};
use crate::options::repository;
use crate::{Error, Options};

/// How long it may take until it answers; half a second on an idle machine.
const START: Duration = Duration::from_secs(60);

/// Where MiniStack and its functions keep temporary files, in the state's folder.
pub(crate) const SCRATCH: &str = "tmp";

/// A running MiniStack. Dropping it ends it and all functions that it started.
pub(crate) struct MiniStack {
    child: Child,
    scratch: PathBuf,
    pub url: String,
    pub functions: Arc<Functions>,
    /// Becomes true when the process has ended.
    pub ended: watch::Receiver<bool>,
}

impl MiniStack {
    /// Starts it and waits until it answers. `hear` gets all that the functions do.
    pub async fn start(options: &Options, hear: impl Fn(&Told) + Send + 'static) -> Result<MiniStack, Error> {
        let port = free_port(options.port)?;
        let url = format!("http://127.0.0.1:{port}");
        let mut child = command(options, port, &url)?.spawn().map_err(|error| {
            Error::Change(format!(
                "MiniStack does not start ({error}): `make run` puts Python and MiniStack into .venv"
            ))
        })?;
        let functions = Arc::new(Functions::create(&options.state.join("functions.log"))?);
        let (tell_end, ended) = watch::channel(false);
        if let Some(output) = child.stdout.take() {
            let functions = functions.clone();
            std::thread::spawn(move || {
                functions.follow(output, hear);
                tell_end.send_replace(true);
            });
        }
        let ministack = MiniStack { child, scratch: options.state.join(SCRATCH), url, functions, ended };
        ministack.answers(&options.state.join("ministack.log")).await?;
        Ok(ministack)
    }

    async fn answers(&self, log: &Path) -> Result<(), Error> {
        let health = format!("{}/_ministack/health", self.url);
        let egress = egress::Egress::new().map_err(|error| Error::Broken(error.to_string()))?;
        let client = egress.configured_client();
        let until = Instant::now() + START;
        while Instant::now() < until && !*self.ended.borrow() {
            if client.get(&health).send().await.is_ok_and(|response| response.status().is_success()) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let text = std::fs::read_to_string(log).unwrap_or_default();
        let last = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it says nothing");
        Err(Error::Broken(format!("MiniStack does not answer: {last} (see {})", log.display())))
    }
}

impl Drop for MiniStack {
    fn drop(&mut self) {
        // Enough by itself: run_ministack.py kills its group when its input closes.
        drop(self.child.stdin.take());
        // And if it were stuck: the child leads a group of its own, which is all that is hit.
        kill(&[-i64::from(self.child.id())]);
        let _ = self.child.wait();
        // Half a gigabyte of unpacked functions.
        let _ = std::fs::remove_dir_all(&self.scratch);
    }
}

/// The port, checked to be free; any free one for 0.
fn free_port(port: u16) -> Result<u16, Error> {
    let bound = TcpListener::bind(("127.0.0.1", port)).and_then(|listener| listener.local_addr());
    bound.map(|address| address.port()).map_err(|_| taken("PORT", port))
}

/// What to say about a port that somebody else listens on.
pub(crate) fn taken(name: &str, port: u16) -> Error {
    Error::Change(format!("port {port} is taken: set {name} to another one, or to 0 for any that is free"))
}

fn command(options: &Options, port: u16, url: &str) -> Result<Command, Error> {
    let root = repository();
    let state = options.state.canonicalize().map_err(|error| Error::file(&options.state, error))?;
    let scratch = state.join(SCRATCH);
    std::fs::create_dir_all(&scratch).map_err(|error| Error::file(&scratch, error))?;
    let log_path = state.join("ministack.log");
    let log = File::create(&log_path).map_err(|error| Error::file(&log_path, error))?;
    let mut command = Command::new(root.join(".venv/bin/python"));
    command
        .arg(root.join("infra/local/run_ministack.py"))
        // Functions inherit all of it, so nothing of the caller's may leak in.
        .env_clear()
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("HOME", &scratch)
        .env("TMPDIR", &scratch)
        .env("GATEWAY_PORT", port.to_string())
        .env("BIND_HOST", "127.0.0.1")
        .env("MINISTACK_HOST", "127.0.0.1")
        .env("AWS_ENDPOINT_URL", url)
        .env("AUTH", options.auth.to_string())
        .envs(options.die_at.as_ref().map(|points| ("CRABHOOK_DIE_AT", points)))
        .envs(options.freeze_at.as_ref().map(|points| ("CRABHOOK_FREEZE_AT", points)))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(log)
        // Ctrl-C is for us alone, and the whole group can be ended at once.
        .process_group(0);
    Ok(command)
}
