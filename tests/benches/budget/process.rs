//! The measured process: what it has used, its log, and the share of a core that it may use.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};

/// The scheduler's period on Lambda, microseconds.
const PERIOD_US: u64 = 20_000;

pub struct Process {
    child: Child,
    /// CPU nanoseconds by thread; a thread that has ended keeps what it had.
    threads: BTreeMap<String, u64>,
    log: Receiver<String>,
    group: Option<PathBuf>,
}

impl Process {
    /// Starts it with that environment and no other.
    pub fn start(binary: &Path, environment: &[(&str, String)], show: bool) -> Result<Process, String> {
        let mut command = Command::new(binary);
        command.env_clear().envs(environment.iter().map(|(name, value)| (*name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        command.stderr(if show { Stdio::inherit() } else { Stdio::null() });
        let mut child = command.spawn().map_err(|error| format!("{}: {error}", binary.display()))?;
        let output = child.stdout.take().ok_or("it has no output")?;
        let (sender, log) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if show {
                    eprintln!("  {line}");
                }
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Ok(Process { child, threads: BTreeMap::new(), log, group: None })
    }

    /// CPU time of all its threads so far, milliseconds.
    pub fn cpu_ms(&mut self) -> f64 {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.child.id()));
        for task in tasks.into_iter().flatten().flatten() {
            // https://docs.kernel.org/scheduler/sched-stats.html: the first number is time on the CPU, in nanoseconds.
            let used = fs::read_to_string(task.path().join("schedstat")).ok();
            if let Some(used) = used.and_then(|text| text.split(' ').next()?.parse().ok()) {
                self.threads.insert(task.file_name().to_string_lossy().into_owned(), used);
            }
        }
        self.threads.values().sum::<u64>() as f64 / 1e6
    }

    /// The most memory that it ever held, MiB.
    pub fn peak_mb(&self) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib: Option<f64> = peak.and_then(|peak| peak.split_whitespace().next()?.parse().ok());
        kib.unwrap_or(f64::NAN) / 1024.0
    }

    /// The lines that it has logged since they were last asked for.
    pub fn log(&self) -> Vec<String> {
        self.log.try_iter().collect()
    }

    /// From now on it gets that share of one core, as Lambda gives it once the init phase is over.
    pub fn throttle(&mut self, share: f64) -> io::Result<()> {
        let quota = (share * PERIOD_US as f64) as u64;
        let version_1 = Path::new("/sys/fs/cgroup/cpu");
        let (root, limits) = if version_1.is_dir() {
            let limits =
                vec![("cpu.cfs_period_us", PERIOD_US.to_string()), ("cpu.cfs_quota_us", quota.to_string())];
            (version_1, limits)
        } else {
            let root = Path::new("/sys/fs/cgroup");
            fs::write(root.join("cgroup.subtree_control"), "+cpu").ok();
            (root, vec![("cpu.max", format!("{quota} {PERIOD_US}"))])
        };
        let group = root.join(format!("crabhook-bench-{}", self.child.id()));
        fs::create_dir(&group)?;
        self.group = Some(group.clone());
        for (name, value) in limits {
            fs::write(group.join(name), value)?;
        }
        fs::write(group.join("cgroup.procs"), self.child.id().to_string())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
        if let Some(group) = &self.group {
            fs::remove_dir(group).ok();
        }
    }
}
