//! One fresh process, from its start to the last of its events.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::Value;

use crate::process::Process;
use crate::runtime::Runtime;

/// After a process has asked for the next event it is idle within this time.
const SETTLED: Duration = Duration::from_millis(5);

/// What is measured.
pub struct Subject {
    pub label: &'static str,
    pub binary: PathBuf,
    pub environment: Vec<(&'static str, String)>,
    /// The event of the n-th invocation; `None` = it is only started.
    pub event: Option<fn(usize) -> String>,
    /// Whether an answer is the one of an event that was worked off.
    pub is_done: fn(&Value) -> bool,
    /// The model writes its answer bit by bit.
    pub streamed: bool,
    /// Events after the first.
    pub warm: usize,
    /// The share of a core after the init phase; `None` = all of it.
    pub share: Option<f64>,
}

/// One process. CPU and wall times in milliseconds.
#[derive(Debug, Clone, Default)]
pub struct Sample {
    pub init_cpu: f64,
    pub first_cpu: f64,
    /// Per event.
    pub warm_cpu: f64,
    pub init_wall: f64,
    pub first_wall: f64,
    /// MiB.
    pub peak: f64,
    pub log: Vec<String>,
}

/// Median and least of the samples.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Figure {
    pub median: f64,
    pub min: f64,
}

impl Subject {
    /// Runs it once.
    pub fn run(&self, show: bool) -> Result<Sample, String> {
        let mut runtime = Runtime::start();
        let mut environment = self.environment.clone();
        environment.push(("AWS_LAMBDA_RUNTIME_API", format!("127.0.0.1:{}", runtime.port)));
        let begun = Instant::now();
        let mut process = Process::start(&self.binary, &environment, show)?;
        runtime.wait()?;
        let mut sample = Sample { init_wall: ms(begun.elapsed()), ..Sample::default() };
        sample.init_cpu = settled(&mut process);
        let Some(event) = self.event else {
            sample.peak = process.peak_mb();
            return Ok(sample);
        };
        if let Some(share) = self.share {
            process.throttle(share).map_err(|error| format!("throttling is not possible: {error}"))?;
        }
        sample.first_wall = self.invoke(&mut runtime, event(0))?;
        let first = settled(&mut process);
        sample.first_cpu = first - sample.init_cpu;
        for n in 1..=self.warm {
            self.invoke(&mut runtime, event(n))?;
        }
        sample.warm_cpu = (settled(&mut process) - first) / self.warm as f64;
        sample.peak = process.peak_mb();
        sample.log = process.log();
        Ok(sample)
    }

    /// An event; how long its answer took.
    fn invoke(&self, runtime: &mut Runtime, event: String) -> Result<f64, String> {
        let answered = runtime.invoke(event)?;
        runtime.wait()?;
        let body: Value = serde_json::from_slice(&answered.body).unwrap_or_default();
        if !(self.is_done)(&body) {
            return Err(format!("an event was not worked off: {body} (--show prints the function's log)"));
        }
        Ok(ms(answered.took))
    }
}

impl Figure {
    pub fn of(samples: &[Sample], field: impl Fn(&Sample) -> f64) -> Figure {
        let mut values: Vec<f64> = samples.iter().map(field).collect();
        values.sort_by(f64::total_cmp);
        let at = |index: usize| values.get(index).copied().unwrap_or(f64::NAN);
        Figure { median: at(values.len() / 2), min: at(0) }
    }
}

fn settled(process: &mut Process) -> f64 {
    std::thread::sleep(SETTLED);
    process.cpu_ms()
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
