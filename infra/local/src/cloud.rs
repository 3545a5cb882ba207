//! A whole local cloud, from the first process to `ready`.

use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::Receiver;

use aws_types::SdkConfig;
use channel::Spec;
use ctl::{Place, Where};
use model_invoker::channels;
use serde::{Deserialize, Serialize};

use crate::credentials::Credentials;
use crate::functions::{Told, kill, signal};
use crate::ministack::{MiniStack, SCRATCH};
use crate::page::Cast;
use crate::platform::Platform;
use crate::story::{Say, Story};
use crate::tunnel::Tunnel;
use crate::{Error, Options, configuration, stack, tunnel};

/// A running cloud. Dropping it ends everything that it started.
pub struct Cloud {
    endpoints: Endpoints,
    aws: SdkConfig,
    credentials: Arc<Credentials>,
    ministack: MiniStack,
    tunnel: Option<Tunnel>,
    tunnel_force: bool,
    say: Say,
    _platform: Platform,
    state: PathBuf,
    /// Held while the state belongs to this run.
    _lock: File,
}

/// What is where: `$STATE/endpoints.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Endpoints {
    /// The webhooks, each with a `/` at the end.
    pub channels: BTreeMap<String, String>,
    pub queue_url: String,
    pub dead_letter_url: String,
    pub table: String,
    /// The platforms' stand-in, without a `/` at the end.
    pub platform: String,
    /// The AWS services, without a `/` at the end.
    pub aws: String,
    pub stack: String,
}

impl Cloud {
    /// Starts everything; returns when messages can be sent. `say` gets a line per message, reply and trouble.
    ///
    /// # Errors
    /// [`Error::Change`] where somebody has to change something first, [`Error::Broken`] where a part does not work.
    pub async fn start(options: Options, say: Say) -> Result<Cloud, Error> {
        let lock = claim(&options.state)?;
        let story = Arc::new(Story::new(say, &options.stack));
        let (heard, called) = (story.clone(), story.clone());
        let platform = Platform::start(options.platform_port, move |call| called.called(call))?;
        let loaded = configuration::load(&options.config, &platform.url)?;
        let accounts = tunnel::accounts(&specs(&options), &Credentials::load(&options.state)?);
        if options.tunnel.is_some() {
            tunnel::may_open(&loaded, &accounts)?;
        }
        let page = platform.page.clone();
        let ministack = MiniStack::start(&options, move |told| {
            heard.told(told);
            page.told(told);
        });
        let ministack = ministack.await?;
        let aws = stack::aws(&ministack.url);
        platform.beyond.is_at(&ministack.url);
        let outputs = stack::create(&aws, &options).await?;
        let topic = outputs.get("MailTopicArn").map(String::as_str);
        let endpoints = endpoints(&options, &outputs, &ministack.url, &platform.url)?;
        let tunnel = match &options.tunnel {
            Some(wish) => {
                let (port, state) = (options.tunnel_port, options.state.clone());
                Some(Tunnel::open(wish, port, accounts, &endpoints.channels, state, story.says()).await?)
            }
            None => None,
        };
        let mut public = endpoints.channels.clone();
        public.extend(tunnel.iter().flat_map(Tunnel::addresses));
        let set_up = configuration::set_up(loaded, &aws, &options, &endpoints, &public, topic, &story);
        let credentials = Arc::new(set_up.await?);
        platform.page.open(Cast::new(endpoints.clone(), credentials.clone())?);
        let cloud = Cloud {
            endpoints,
            aws,
            credentials,
            ministack,
            tunnel,
            tunnel_force: options.tunnel_force,
            say: story.says(),
            _platform: platform,
            state: options.state,
            _lock: lock,
        };
        cloud.publish()?;
        Ok(cloud)
    }

    /// Tells the platforms the tunnel's address; without a tunnel, what an earlier run left is put back. Whatever comes of it, even
    /// where it is not waited for to the end, [`Cloud::close`] is to be called.
    ///
    /// # Errors
    /// [`Error::Change`]: a platform does not take the address, or it is somebody else's who would not get it back whole.
    pub async fn connect(&mut self) -> Result<(), Error> {
        if self.tunnel.is_none() && !tunnel::has_left(self.state.clone())? {
            return Ok(());
        }
        let place = self.place().await?;
        let Some(tunnel) = &mut self.tunnel else {
            return tunnel::put_back_left(&place, self.state.clone(), &self.say).await;
        };
        if !self.tunnel_force {
            tunnel.may_connect(&place, &self.credentials).await?;
        }
        tunnel.connect(&place).await
    }

    /// What is to be done before the end: platforms that were told a tunnel's address are told the one before.
    pub async fn close(&mut self) {
        if let (Some(mut tunnel), Ok(place)) = (self.tunnel.take(), self.place().await) {
            tunnel.put_back(&place).await;
        }
    }

    /// As the operator's commands see it.
    ///
    /// # Errors
    /// What was written down of it cannot be read.
    pub async fn place(&self) -> Result<Place, Error> {
        let at = Where { stack: None, state: self.state.clone() };
        Place::find(&at).await.map_err(|error| Error::Broken(error.to_string()))
    }

    pub fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// How to reach the cloud's AWS services.
    pub fn aws(&self) -> &SdkConfig {
        &self.aws
    }

    /// An account's secrets, for signing events as its platform would.
    pub fn secrets(&self, channel: &str, account: &str) -> channel::Secrets {
        self.credentials.of(channel, account)
    }

    /// The processes of a function (`telegram`, `model-invoker`), busy or idle.
    pub fn pids(&self, function: &str) -> Vec<u32> {
        self.ministack.functions.pids(&self.full_name(function))
    }

    /// Kills all processes of a function the hard way, and tells how many there were. The next event starts a new one.
    pub fn kill(&self, function: &str) -> usize {
        let pids: Vec<i64> = self.pids(function).into_iter().map(i64::from).collect();
        kill(&pids);
        pids.len()
    }

    /// Sends processes a signal, by its name without `SIG`: `KILL`, `STOP`, `CONT`. Those that are gone are no failure.
    pub fn signal(&self, name: &str, pids: &[u32]) {
        signal(name, &pids.iter().copied().map(i64::from).collect::<Vec<_>>());
    }

    /// All that happens to the functions from now on.
    pub fn told(&self) -> Receiver<Told> {
        self.ministack.functions.told()
    }

    /// All lines that a function has logged so far, oldest first.
    pub fn log(&self, function: &str) -> Vec<String> {
        self.ministack.functions.log(&self.full_name(function))
    }

    /// Returns when MiniStack has ended by itself.
    pub async fn ended(&self) {
        let mut ended = self.ministack.ended.clone();
        // An error means that nobody is left to tell: ended as well.
        let _ = ended.wait_for(|ended| *ended).await;
    }

    fn full_name(&self, function: &str) -> String {
        format!("{}-{function}", self.endpoints.stack)
    }

    fn publish(&self) -> Result<(), Error> {
        let path = self.state.join(ENDPOINTS);
        let text =
            serde_json::to_string_pretty(&self.endpoints).map_err(|error| Error::file(&path, error))?;
        let next = path.with_extension("next");
        let written = std::fs::write(&next, text).and_then(|()| std::fs::rename(&next, &path));
        written.map_err(|error| Error::file(&path, error))
    }
}

impl Drop for Cloud {
    fn drop(&mut self) {
        // What it names is gone in a moment.
        let _ = std::fs::remove_file(self.state.join(ENDPOINTS));
    }
}

const ENDPOINTS: &str = "endpoints.json";

/// Takes the state's folder for this run, and clears what an earlier one left.
fn claim(state: &Path) -> Result<File, Error> {
    std::fs::create_dir_all(state).map_err(|error| Error::file(state, error))?;
    let path = state.join("lock");
    let lock = File::create(&path).map_err(|error| Error::file(&path, error))?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let problem =
                format!("another run uses {}: end it, or set STATE to another folder", state.display());
            return Err(Error::Change(problem));
        }
        Err(TryLockError::Error(error)) => return Err(Error::file(&path, error)),
    }
    let _ = std::fs::remove_file(state.join(ENDPOINTS));
    let _ = std::fs::remove_dir_all(state.join(SCRATCH));
    Ok(lock)
}

fn endpoints(
    options: &Options,
    outputs: &BTreeMap<String, String>,
    aws: &str,
    platform: &str,
) -> Result<Endpoints, Error> {
    let output = |name: &str| {
        let lacks = || Error::Broken(format!("the stack has no output {name}"));
        outputs.get(name).cloned().ok_or_else(lacks)
    };
    let mut channels = BTreeMap::new();
    for name in &options.channels {
        if name == "email" {
            // Mail comes as an invocation. Whoever adds to the address adds to the query, which nobody reads.
            let url = format!("{aws}/2015-03-31/functions/{}-email/invocations?", options.stack);
            channels.insert(name.clone(), url);
            continue;
        }
        let public = output(&format!("UrlOf{name}"))?;
        let url = stack::local_address(aws, &public)
            .ok_or_else(|| Error::Broken(format!("{public} is no address")))?;
        channels.insert(name.clone(), url);
    }
    Ok(Endpoints {
        channels,
        queue_url: output("QueueUrl")?,
        dead_letter_url: output("DeadLetterUrl")?,
        table: output("TableName")?,
        platform: platform.to_owned(),
        aws: aws.to_owned(),
        stack: options.stack.clone(),
    })
}

/// The channels of a run.
pub(crate) fn specs(options: &Options) -> Vec<&'static Spec> {
    options.channels.iter().filter_map(|name| Some(channels::named(name)?.spec())).collect()
}
