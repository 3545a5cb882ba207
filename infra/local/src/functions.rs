//! The Lambda functions' processes as MiniStack tells of them: which run, what they log, what they are given.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

use serde::Deserialize;

use crate::Error;

/// One line of `run_ministack.py`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", tag = "what")]
pub(crate) enum Told {
    Started {
        function: String,
        pid: u32,
    },
    Ended {
        function: String,
        pid: u32,
    },
    Line {
        function: String,
        pid: u32,
        line: String,
    },
    /// A message of the queue goes to the invoker; `receives` counts how often it has.
    Given {
        function: String,
        body: String,
        receives: u32,
    },
}

/// All functions of one run. Their lines are kept in a file: `<function> <pid> <line>`.
pub(crate) struct Functions {
    running: Mutex<BTreeMap<u32, String>>,
    log: Mutex<File>,
    path: PathBuf,
}

impl Functions {
    pub fn create(path: &Path) -> Result<Functions, Error> {
        let log = File::create(path).map_err(|error| Error::file(path, error))?;
        Ok(Functions { running: Mutex::default(), log: Mutex::new(log), path: path.to_owned() })
    }

    /// Reads until MiniStack ends. What else it is to be used for is the caller's.
    pub fn follow(&self, output: impl Read, hear: impl Fn(&Told)) {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if let Ok(told) = serde_json::from_str::<Told>(&line) {
                self.note(&told);
                hear(&told);
            }
        }
        self.running.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn note(&self, told: &Told) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        match told {
            Told::Started { function, pid } => {
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
            Told::Given { .. } => {}
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
    if ids.is_empty() {
        return;
    }
    let ids = ids.iter().map(i64::to_string);
    let _ = Command::new("kill").arg("-9").arg("--").args(ids).stderr(Stdio::null()).status();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processes_come_and_go_and_their_lines_stay() {
        let path = std::env::temp_dir().join(format!("crabhook-functions-{}", std::process::id()));
        let functions = Functions::create(&path).unwrap();
        let told = [
            r#"{"what":"started","function":"s-telegram","pid":7}"#,
            r#"{"what":"line","function":"s-telegram","pid":7,"line":"{\"a\":1} b"}"#,
            "not ours",
            r#"{"what":"started","function":"s-tele","pid":8}"#,
            r#"{"what":"line","function":"s-tele","pid":8,"line":"c"}"#,
            r#"{"what":"ended","function":"s-tele","pid":8}"#,
        ];
        for line in told.iter().filter_map(|line| serde_json::from_str::<Told>(line).ok()) {
            functions.note(&line);
        }
        assert_eq!((functions.pids("s-telegram"), functions.pids("s-tele")), (vec![7], vec![]));
        assert_eq!(functions.log("s-telegram"), [r#"{"a":1} b"#]);
        functions.follow(&b""[..], |_| {});
        assert!(functions.pids("s-telegram").is_empty());
        std::fs::remove_file(path).unwrap();
    }
}
