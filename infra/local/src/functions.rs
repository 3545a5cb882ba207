//! The Lambda functions' processes as MiniStack tells of them: which run, what they log, what they are given.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Mutex, PoisonError};

use serde::Deserialize;

use crate::Error;

/// One line of `run_ministack.py`: something that happened to a function, which is named in full.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", tag = "what")]
pub enum Told {
    /// A worker is a place for one process at a time; it starts another one when that has died.
    Started {
        function: String,
        worker: u64,
        pid: u32,
    },
    /// `signal` is what killed it, where that is how it ended.
    Ended {
        function: String,
        pid: u32,
        signal: Option<i32>,
    },
    Line {
        function: String,
        pid: u32,
        line: String,
    },
    /// A message of the queue goes to the invoker.
    Given {
        function: String,
        worker: u64,
        /// SQS's id of the message.
        job: String,
        /// Its message group: the conversation's key.
        group: String,
        receipt: String,
        /// How often it has been given out, this time included.
        receives: u32,
        body: String,
    },
    /// What was given is done with. `whole`: the function answered; else its process died or its time ran out.
    Over {
        function: String,
        worker: u64,
        job: String,
        whole: bool,
    },
}

/// All functions of one run. Their lines are kept in a file: `<function> <pid> <line>`.
pub(crate) struct Functions {
    running: Mutex<BTreeMap<u32, String>>,
    log: Mutex<File>,
    path: PathBuf,
    /// Whoever wants to know everything.
    followers: Mutex<Vec<Sender<Told>>>,
}

impl Functions {
    pub fn create(path: &Path) -> Result<Functions, Error> {
        let log = File::create(path).map_err(|error| Error::file(path, error))?;
        let path = path.to_owned();
        Ok(Functions { running: Mutex::default(), log: Mutex::new(log), path, followers: Mutex::default() })
    }

    /// All that is told from now on.
    pub fn told(&self) -> Receiver<Told> {
        let (sender, receiver) = mpsc::channel();
        self.followers.lock().unwrap_or_else(PoisonError::into_inner).push(sender);
        receiver
    }

    /// Reads until MiniStack ends. What else it is to be used for is the caller's.
    pub fn follow(&self, output: impl Read, hear: impl Fn(&Told)) {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if let Ok(told) = serde_json::from_str::<Told>(&line) {
                self.note(&told);
                hear(&told);
                let mut followers = self.followers.lock().unwrap_or_else(PoisonError::into_inner);
                followers.retain(|follower| follower.send(told.clone()).is_ok());
            }
        }
        self.running.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn note(&self, told: &Told) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        match told {
            Told::Started { function, pid, .. } => {
                running.insert(*pid, function.clone());
            }
            Told::Ended { pid, .. } => {
                running.remove(pid);
            }
            Told::Line { function, pid, line } => {
                let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
                // A full disk must not end the run; MiniStack keeps the lines too.
                let _ = writeln!(log, "{function} {pid} {line}");
            }
            Told::Given { .. } | Told::Over { .. } => {}
        }
    }

    /// The processes of a function, by its whole name.
    pub fn pids(&self, function: &str) -> Vec<u32> {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.iter().filter(|(_, name)| *name == function).map(|(pid, _)| *pid).collect()
    }

    /// What the function has logged so far, all its processes in the order of arrival.
    pub fn log(&self, function: &str) -> Vec<String> {
        let text = std::fs::read_to_string(&self.path).unwrap_or_default();
        let of = |line: &str| {
            let (_pid, line) = line.strip_prefix(function)?.strip_prefix(' ')?.split_once(' ')?;
            Some(line.to_owned())
        };
        text.lines().filter_map(of).collect()
    }
}

/// Kills processes the hard way; a negative id is a process group. Those that are gone are no failure.
pub(crate) fn kill(ids: &[i64]) {
    signal("KILL", ids);
}

/// Sends processes a signal by its name without `SIG`. Those that are gone are no failure.
pub(crate) fn signal(name: &str, ids: &[i64]) {
    if ids.is_empty() {
        return;
    }
    let ids = ids.iter().map(i64::to_string);
    let _ = Command::new("kill").args(["-s", name, "--"]).args(ids).stderr(Stdio::null()).status();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processes_come_and_go_and_their_lines_stay() {
        let path = std::env::temp_dir().join(format!("crabhook-functions-{}", std::process::id()));
        let functions = Functions::create(&path).unwrap();
        let told = [
            r#"{"what":"started","function":"s-telegram","worker":1,"pid":7}"#,
            r#"{"what":"line","function":"s-telegram","pid":7,"line":"{\"a\":1} b"}"#,
            "not ours",
            r#"{"what":"started","function":"s-tele","worker":2,"pid":8}"#,
            r#"{"what":"line","function":"s-tele","pid":8,"line":"c"}"#,
            r#"{"what":"ended","function":"s-tele","pid":8,"signal":9}"#,
        ];
        for line in told.iter().filter_map(|line| serde_json::from_str::<Told>(line).ok()) {
            functions.note(&line);
        }
        assert_eq!((functions.pids("s-telegram"), functions.pids("s-tele")), (vec![7], vec![]));
        assert_eq!(functions.log("s-telegram"), [r#"{"a":1} b"#]);
        let told = functions.told();
        let over = r#"{"what":"over","function":"s-tele","worker":2,"job":"j","whole":false}"#;
        functions.follow(over.as_bytes(), |_| {});
        let whole = |told: &Told| matches!(told, Told::Over { whole, .. } if *whole);
        assert_eq!(told.try_iter().map(|told| whole(&told)).collect::<Vec<_>>(), [false]);
        assert!(functions.pids("s-telegram").is_empty());
        std::fs::remove_file(path).unwrap();
    }
}
