//! The figures, the budgets they must keep, and how both are shown.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::cost::{Line, Usage, idle, monthly};
use crate::measure::{Figure, Sample};

/// Init CPU of the echo on the machine on which the budgets were set, milliseconds. Budgets of CPU time are kept in proportion
/// to the echo of the same run: a slow or busy machine must not fail a build, nor a fast one pass it. Its later phases are too
/// short to compare with.
const ECHO_INIT_CPU_MS: f64 = 1.4;
const MB: f64 = 1e6;
const MESSAGES_A_DAY: [f64; 3] = [10.0, 100.0, 1_000.0];

/// Everything that a run found; written to `target/bench.json`.
#[derive(Serialize)]
pub struct Report {
    pub profile: String,
    pub tls: bool,
    pub runs: usize,
    /// CPU time here, as a multiple of that on the machine on which the budgets were set.
    pub slowness: f64,
    pub functions: Vec<Function>,
    /// Cold starts: of all webhook functions with `--all`.
    pub starts: Vec<Start>,
    /// At 128 MB's share of a core after the init phase; empty where this machine cannot throttle.
    pub throttled: Vec<Throttled>,
    pub sizes: Vec<Size>,
    pub usage: Usage,
    /// Calls of one turn, by operation or the end of their path; the mean over a process's turns, its first included.
    pub calls_per_turn: BTreeMap<String, f64>,
    pub usd_per_million: Vec<Line>,
    pub usd_per_month: Vec<Month>,
    pub usd_per_month_idle: f64,
    pub budgets: Vec<Budget>,
}

/// CPU in milliseconds of one process, memory in MiB.
#[derive(Clone, Serialize)]
pub struct Function {
    pub name: &'static str,
    pub init_cpu: Figure,
    pub first_cpu: Figure,
    pub warm_cpu: Figure,
    pub peak: Figure,
}

/// From the process's start until it asks for its first event, milliseconds.
#[derive(Clone, Serialize)]
pub struct Start {
    pub name: &'static str,
    pub cpu: Figure,
    pub wall: Figure,
}

/// Milliseconds.
#[derive(Clone, Serialize)]
pub struct Throttled {
    pub name: &'static str,
    pub init_wall: Figure,
    pub first_wall: Figure,
    pub first_cpu: Figure,
}

#[derive(Clone, Serialize)]
pub struct Size {
    pub name: String,
    pub bytes: u64,
    pub zip_bytes: u64,
}

#[derive(Clone, Serialize)]
pub struct Month {
    pub messages_a_day: f64,
    pub usd: f64,
}

/// Something that must not grow beyond its limit.
#[derive(Clone, Serialize)]
pub struct Budget {
    pub what: &'static str,
    pub unit: &'static str,
    pub measured: f64,
    pub budget: f64,
    /// The budget on this machine.
    pub limit: f64,
    pub kept: bool,
}

impl Function {
    pub fn of(name: &'static str, samples: &[Sample]) -> Function {
        Function {
            name,
            init_cpu: Figure::of(samples, |sample| sample.init_cpu),
            first_cpu: Figure::of(samples, |sample| sample.first_cpu),
            warm_cpu: Figure::of(samples, |sample| sample.warm_cpu),
            peak: Figure::of(samples, |sample| sample.peak),
        }
    }
}

impl Start {
    pub fn of(name: &'static str, samples: &[Sample]) -> Start {
        let cpu = Figure::of(samples, |sample| sample.init_cpu);
        Start { name, cpu, wall: Figure::of(samples, |sample| sample.init_wall) }
    }
}

impl Throttled {
    pub fn of(name: &'static str, samples: &[Sample]) -> Throttled {
        Throttled {
            name,
            init_wall: Figure::of(samples, |sample| sample.init_wall),
            first_wall: Figure::of(samples, |sample| sample.first_wall),
            first_cpu: Figure::of(samples, |sample| sample.first_cpu),
        }
    }
}

/// How many times as much CPU everything takes here as on the machine on which the budgets were set.
pub fn slowness(echo: &Function) -> f64 {
    echo.init_cpu.median / ECHO_INIT_CPU_MS
}

/// All budgets, judged.
pub fn budgets(
    webhook: &Function,
    invoker: &Function,
    streamed: &Function,
    sizes: &[Size],
    slowness: f64,
) -> Vec<Budget> {
    let cpu =
        |what, figure: Figure, budget: f64| Budget::new(what, "ms", figure.median, budget, budget * slowness);
    let peak = |what, figure: Figure, budget: f64| Budget::new(what, "MiB", figure.median, budget, budget);
    let zip = |what, name: &str, budget: f64| {
        let size =
            sizes.iter().find(|size| size.name == name).map_or(f64::NAN, |size| size.zip_bytes as f64 / MB);
        Budget::new(what, "MB", size, budget, budget)
    };
    let turn = Figure {
        median: webhook.warm_cpu.median + invoker.warm_cpu.median,
        min: webhook.warm_cpu.min + invoker.warm_cpu.min,
    };
    vec![
        cpu("webhook function, init CPU", webhook.init_cpu, 2.5),
        cpu("webhook function, first CPU", webhook.first_cpu, 3.0),
        cpu("webhook function, warm CPU", webhook.warm_cpu, 0.15),
        peak("webhook function, peak memory", webhook.peak, 8.0),
        zip("webhook function, zip", webhook.name, 2.2),
        cpu("model-invoker, init CPU", invoker.init_cpu, 3.0),
        cpu("model-invoker, first CPU", invoker.first_cpu, 6.0),
        cpu("model-invoker, warm CPU", invoker.warm_cpu, 1.0),
        peak("model-invoker, peak memory", invoker.peak, 14.0),
        // Tools by the Model Context Protocol are in it.
        zip("model-invoker, zip", invoker.name, 6.0),
        cpu("a turn streamed in 200 chunks, CPU", streamed.warm_cpu, 5.0),
        cpu("CPU per turn, all processes of ours", turn, 5.0),
    ]
}

impl Budget {
    fn new(what: &'static str, unit: &'static str, measured: f64, budget: f64, limit: f64) -> Budget {
        Budget { what, unit, measured, budget, limit, kept: measured <= limit }
    }
}

impl Report {
    /// For people.
    pub fn print(&self) {
        let tls = if self.tls { "https with a throw-away authority" } else { "http" };
        println!("\nprofile {}, {tls}, {} fresh processes each; median [least]", self.profile, self.runs);
        println!(
            "\n{:<22}{:>20}{:>20}{:>20}{:>18}",
            "", "init CPU ms", "first CPU ms", "warm CPU ms", "peak MiB"
        );
        for function in &self.functions {
            let Function { name, init_cpu, first_cpu, warm_cpu, peak } = function;
            let cells = [show(init_cpu, 2), show(first_cpu, 2), show(warm_cpu, 3), show(peak, 1)];
            println!("{name:<22}{:>20}{:>20}{:>20}{:>18}", cells[0], cells[1], cells[2], cells[3]);
        }
        println!("\n{:<22}{:>12}{:>12}{:>20}{:>20}", "", "bytes", "zip", "start CPU ms", "start wall ms");
        for Size { name, bytes, zip_bytes } in &self.sizes {
            let start = self.starts.iter().find(|start| start.name == name);
            let (cpu, wall) =
                start.map_or_else(Default::default, |start| (show(&start.cpu, 2), show(&start.wall, 1)));
            println!("{name:<22}{bytes:>12}{zip_bytes:>12}{cpu:>20}{wall:>20}");
        }
        self.print_throttled();
        self.print_cost();
        self.print_budgets();
    }

    fn print_throttled(&self) {
        if self.throttled.is_empty() {
            println!("\nthrottled to 128 MB: left out, it needs root and the cpu controller of cgroups");
            return;
        }
        println!(
            "\nfull CPU in init, then 128 MB's share; the invoker's first event holds its burst pause of 700 ms"
        );
        println!("{:<22}{:>20}{:>20}{:>20}", "", "init wall ms", "first wall ms", "first CPU ms");
        for Throttled { name, init_wall, first_wall, first_cpu } in &self.throttled {
            let cells = [show(init_wall, 1), show(first_wall, 1), show(first_cpu, 2)];
            println!("{name:<22}{:>20}{:>20}{:>20}", cells[0], cells[1], cells[2]);
        }
    }

    fn print_cost(&self) {
        println!("\ncalls of one turn");
        for (operation, calls) in &self.calls_per_turn {
            println!("{calls:>8.1}  {operation}");
        }
        println!("\na million messages, list prices, without the model's own");
        for Line { item, basis, usd } in &self.usd_per_million {
            println!("{item:<40}{usd:>8.2} USD   {basis}");
        }
        let sum: f64 = self.usd_per_million.iter().map(|line| line.usd).sum();
        println!("{:<40}{sum:>8.2} USD", "all");
        for Month { messages_a_day, usd } in &self.usd_per_month {
            println!("{:<40}{usd:>8.4} USD", format!("a month, {messages_a_day} messages a day"));
        }
        let idle = self.usd_per_month_idle;
        println!(
            "{:<40}{idle:>8.2} USD   inside the free million requests",
            "a month, polling the empty queue"
        );
    }

    fn print_budgets(&self) {
        println!("\nCPU limits go with the echo's init CPU, here {:.2} times the usual", self.slowness);
        println!("{:<40}{:>12}{:>12}{:>12}", "", "measured", "budget", "limit here");
        for Budget { what, unit, measured, budget, limit, kept } in &self.budgets {
            let verdict = if *kept { "OK" } else { "OVER" };
            println!("{what:<40}{measured:>12.3}{budget:>12.2}{limit:>12.3} {unit:<4} {verdict}");
        }
    }

    pub fn is_kept(&self) -> bool {
        self.budgets.iter().all(|budget| budget.kept)
    }
}

/// The months at that bill.
pub fn months(bill: &[Line]) -> (Vec<Month>, f64) {
    let month = |messages_a_day| Month { messages_a_day, usd: monthly(bill, messages_a_day) };
    (MESSAGES_A_DAY.map(month).into(), idle())
}

fn show(figure: &Figure, digits: usize) -> String {
    format!("{:.digits$} [{:.digits$}]", figure.median, figure.min)
}
