//! What the functions' processes use, those that have ended too.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use local::Cloud;
use model_invoker::channels;

/// How often they are looked at. What a process uses between the last look and its end is not seen.
const LOOKS: Duration = Duration::from_millis(500);
/// `/proc` counts CPU time in hundredths of a second: <https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html>
const MS_PER_TICK: f64 = 10.0;
const KIB_PER_MIB: f64 = 1024.0;

/// Process by process, as last seen. The time of its start tells a process from a later one with the same number.
#[derive(Default)]
pub struct Processes(RefCell<BTreeMap<(String, u32, u64), Used>>);

/// By one process.
#[derive(Debug, Clone, Copy)]
struct Used {
    cpu_ms: f64,
    /// MiB, the binary's own pages among them.
    resident: f64,
    /// MiB: what the process has written to, the heap above all.
    private: f64,
}

/// By all processes of a function, from their start.
#[derive(Debug, Clone, Default)]
pub struct Total {
    pub processes: usize,
    pub cpu_ms: f64,
    /// The most that one process ever held, MiB.
    pub resident: f64,
}

/// The webhook functions, and the one that answers.
pub fn functions() -> impl Iterator<Item = &'static str> {
    channels::ALL.iter().map(|room| room.spec().name).chain(["model-invoker"])
}

impl Processes {
    /// Looks again and again.
    pub async fn watch(&self, cloud: &Cloud) {
        let mut looks = tokio::time::interval(LOOKS);
        loop {
            looks.tick().await;
            for function in functions() {
                self.look(cloud, function);
            }
        }
    }

    /// Private memory of the largest process of each function that runs now, MiB.
    pub fn at_rest(&self, cloud: &Cloud) -> BTreeMap<&'static str, f64> {
        let largest = |function: &'static str| {
            let private = self.look(cloud, function).into_iter().map(|used| used.private);
            Some((function, private.reduce(f64::max)?))
        };
        functions().filter_map(largest).collect()
    }

    pub fn total(&self, function: &str) -> Total {
        let seen = self.0.borrow();
        let of = seen.iter().filter(|((name, ..), _)| name == function).map(|(_, used)| used);
        of.fold(Total::default(), |total, used| Total {
            processes: total.processes + 1,
            cpu_ms: total.cpu_ms + used.cpu_ms,
            resident: total.resident.max(used.resident),
        })
    }

    fn look(&self, cloud: &Cloud, function: &str) -> Vec<Used> {
        let mut running = Vec::new();
        for pid in cloud.pids(function) {
            // Gone in this moment: what was seen before stays.
            let Some((start, mut used)) = used(pid) else { continue };
            running.push(used);
            let mut seen = self.0.borrow_mut();
            let before = seen.entry((function.to_owned(), pid, start)).or_insert(used);
            used.resident = used.resident.max(before.resident);
            *before = used;
        }
        running
    }
}

/// A process's start, and what it has used since.
fn used(pid: u32) -> Option<(u64, Used)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in brackets, may hold blanks; the third field comes after it.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
    let (user, system, start) = (field(14)?, field(15)?, field(22)?);
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let mib = |name: &str| {
        let kib = status.lines().find_map(|line| line.strip_prefix(name))?.split_whitespace().next()?;
        Some(kib.parse::<f64>().ok()? / KIB_PER_MIB)
    };
    let cpu_ms = (user + system) as f64 * MS_PER_TICK;
    Some((start, Used { cpu_ms, resident: mib("VmHWM:")?, private: mib("RssAnon:")? }))
}
