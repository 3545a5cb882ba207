//! What happens to the functions: which invocations there were, what ended them, what lies on the queue.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use local::{Cloud, Told};
use model_invoker::now;
use tests::history::Run;

/// How a process ends that was killed, and one that killed itself at a named point.
/// <https://man7.org/linux/man-pages/man7/signal.7.html>
const SIGKILL: i32 = 9;
const SIGABRT: i32 = 6;

/// Follows the cloud until that is dropped.
#[derive(Clone, Default)]
pub struct Watch(Arc<Mutex<Seen>>);

#[derive(Default)]
struct Seen {
    /// The process of each worker.
    pids: HashMap<u64, u32>,
    /// What each worker is at.
    busy: HashMap<u64, Run>,
    runs: Vec<Run>,
    jobs: BTreeMap<String, Job>,
    kills: usize,
}

/// A message on the queue, as last seen.
#[derive(Debug, Clone)]
pub struct Job {
    pub conversation: String,
    pub receipt: String,
    pub receives: u32,
    /// Somebody works on it.
    pub is_busy: bool,
}

impl Watch {
    pub fn of(cloud: &Cloud) -> Watch {
        let (watch, told) = (Watch::default(), cloud.told());
        let seen = watch.clone();
        std::thread::spawn(move || told.iter().for_each(|told| seen.with(|seen| seen.note(told))));
        watch
    }

    /// Processes that died by a signal.
    pub fn kills(&self) -> usize {
        self.with(|seen| seen.kills)
    }

    /// Processes that work on a message.
    pub fn busy(&self) -> Vec<u32> {
        let mut busy: Vec<u32> =
            self.with(|seen| seen.busy.keys().filter_map(|worker| seen.pids.get(worker)).copied().collect());
        busy.sort_unstable();
        busy
    }

    /// A process was found stopped.
    pub fn froze(&self, pid: u32) {
        self.with(|seen| {
            let workers = seen.pids.iter().filter(|(_, of)| **of == pid).map(|(worker, _)| *worker);
            for worker in workers.collect::<Vec<_>>() {
                seen.busy.entry(worker).and_modify(|run| run.frozen = true);
            }
        });
    }

    /// Every message that was ever on the queue and is not known to be gone.
    pub fn jobs(&self) -> BTreeMap<String, Job> {
        self.with(|seen| seen.jobs.clone())
    }

    pub fn gone(&self, job: &str) {
        self.with(|seen| seen.jobs.remove(job));
    }

    /// All invocations that are over.
    pub fn runs(&self) -> Vec<Run> {
        self.with(|seen| seen.runs.clone())
    }

    fn with<T>(&self, act: impl FnOnce(&mut Seen) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Seen {
    fn note(&mut self, told: Told) {
        match told {
            Told::Started { worker, pid, .. } => drop(self.pids.insert(worker, pid)),
            Told::Ended { pid, signal, .. } => {
                self.pids.retain(|_, other| *other != pid);
                self.kills += usize::from(matches!(signal, Some(SIGKILL | SIGABRT)));
            }
            Told::Given { worker, job, group, receipt, receives, .. } => {
                let run =
                    Run { conversation: group.clone(), begun: now(), ended: 0, whole: false, frozen: false };
                self.busy.insert(worker, run);
                self.jobs.insert(job, Job { conversation: group, receipt, receives, is_busy: true });
            }
            Told::Over { worker, job, whole, .. } => {
                self.runs.extend(self.busy.remove(&worker).map(|run| Run { ended: now(), whole, ..run }));
                self.jobs.entry(job).and_modify(|job| job.is_busy = false);
            }
            Told::Line { .. } => {}
        }
    }
}
