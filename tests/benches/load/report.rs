//! The figures and the checks, for people.

use std::collections::BTreeMap;

use model_invoker::channels;

use crate::ledger::{Ledger, Message};
use crate::leftovers::Leftovers;
use crate::processes::{Processes, functions};
use crate::{Options, TURNS_AT_ONCE};

/// Between the middle of the run and its end the largest heap of a function may grow by this factor. The invoker's does grow, by
/// 8 % with 50 messages each, whether 40 people write or 200: a longer history makes longer requests, up to the history's budget.
/// A process that kept what came with each of its messages, 5 KB or so, would grow by half with 10,000 messages.
const GROWTH: f64 = 1.25;
/// Of the messages that fail a check so many are named.
const EXAMPLES: usize = 10;

pub struct Report<'a> {
    pub options: Options,
    pub ledger: &'a Ledger,
    pub processes: &'a Processes,
    /// Private memory of the largest process of each function after each round, MiB.
    pub memory: Vec<BTreeMap<&'static str, f64>>,
    pub leftovers: Leftovers,
}

impl Report<'_> {
    /// Says everything. `false`: a check failed.
    pub fn print(&self) -> bool {
        let messages = self.ledger.messages();
        let Options { users, messages: each } = self.options;
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        println!(
            "\n{users} users, {each} messages each, over {} channels; up to {TURNS_AT_ONCE} turns at once",
            channels::ALL.len()
        );
        println!(
            "MiniStack, the platforms' stand-in and the load itself share {cores} cores with the functions, and everybody\n\
             writes again as soon as they are answered: times are those of a queue that is never empty"
        );
        print_times(&messages);
        print_rates(&messages);
        self.print_processes(&messages);
        self.print_checks(&messages)
    }

    fn print_processes(&self, messages: &[Message]) {
        println!(
            "\n{:<16}{:>10}{:>18}{:>12}{:>14}{:>26}",
            "", "processes", "CPU ms a message", "CPU s", "largest MiB", "its heap by round, MiB"
        );
        let mut all = 0.0;
        for function in functions() {
            let total = self.processes.total(function);
            all += total.cpu_ms;
            let of =
                messages.iter().filter(|message| function == "model-invoker" || message.channel == function);
            let each = total.cpu_ms / of.count() as f64;
            let heaps = self.memory.iter().map(|heaps| heaps.get(function).copied().unwrap_or(f64::NAN));
            let heaps = heaps.map(|heap| format!("{heap:.2}")).collect::<Vec<_>>().join(" ");
            println!(
                "{function:<16}{:>10}{each:>18.2}{:>12.1}{:>14.1}{heaps:>26}",
                total.processes,
                total.cpu_ms / 1e3,
                total.resident
            );
        }
        println!("{:<16}{:>10}{:>18.2}{:>12.1}", "all", "", all / messages.len() as f64, all / 1e3);
    }

    fn print_checks(&self, all: &[Message]) -> bool {
        let messages: Vec<Message> = all.iter().filter(|message| !message.given_up).cloned().collect();
        let left = &self.leftovers;
        let drained = left.drained.as_secs_f64();
        let refused: usize = all.iter().map(|message| message.refused).sum();
        println!("\n{} turns; the queue was empty {drained:.0} s after the last answer", left.turns);
        println!(
            "{refused} times a webhook said in time that it could not take a message, and it was sent again"
        );
        let kept = [
            found("messages not written", self.options.all().abs_diff(messages.len()) as u64),
            listed("messages not taken", &messages, |message| message.ack.is_none()),
            listed("messages not answered", &messages, |message| message.answers.is_empty()),
            listed("messages answered more than once", all, |message| message.answers.len() > 1),
            found("messages not kept", messages.len().saturating_sub(left.seen) as u64),
            found("messages left in the queue", left.queued),
            found("failed messages", left.dead),
            found("messages left in an inbox", left.inbox as u64),
            found("conversations left held", left.leases as u64),
            found("turns left unposted", left.open as u64),
            found("schedules left", left.schedules),
        ];
        // Not `all` at once: every check is to be seen.
        let grown = self.growth().map(|(function, growth)| {
            let kept = growth <= GROWTH;
            let what = format!("{function}: heap at the end / half-way");
            println!("{what:<40}{growth:>10.3} {}, up to {GROWTH}", verdict(kept));
            kept
        });
        grown.fold(kept.iter().all(|kept| *kept), |all, kept| all && kept)
    }

    /// How much larger the largest heap of each function is at the end than half-way.
    fn growth(&self) -> impl Iterator<Item = (&'static str, f64)> {
        let rounds = self.memory.as_slice();
        functions().filter_map(move |function| {
            // Fewer rounds: the run was ended, which other checks judge.
            let [_, middle, _, end] = rounds else { return None };
            Some((function, end.get(function)? / middle.get(function)?))
        })
    }
}

/// There should be none.
fn found(what: &str, number: u64) -> bool {
    println!("{what:<40}{number:>10} {}", verdict(number == 0));
    number == 0
}

/// There should be none; the first few are named.
fn listed(what: &str, messages: &[Message], is: impl Fn(&Message) -> bool) -> bool {
    let those: Vec<&Message> = messages.iter().filter(|message| is(message)).collect();
    let none = found(what, those.len() as u64);
    for Message { word, channel, answers, .. } in those.iter().take(EXAMPLES) {
        println!("    {word} on {channel}, answered at {answers:?}");
    }
    none
}

fn verdict(kept: bool) -> &'static str {
    if kept { "OK" } else { "FAILED" }
}

fn print_times(messages: &[Message]) {
    println!(
        "\n{:<16}{:>10}{:>12}{:>12}{:>12}{:>14}{:>14}{:>14}",
        "", "messages", "ack p50 ms", "p99 ms", "most ms", "reply p50 ms", "p99 ms", "most ms"
    );
    for name in channels::ALL.iter().map(|room| room.spec().name).chain(["all"]) {
        let of: Vec<&Message> =
            messages.iter().filter(|message| name == "all" || message.channel == name).collect();
        let acks = of.iter().filter_map(|message| Some(message.ack?.1.as_secs_f64() * 1e3)).collect();
        let replies = of
            .iter()
            .filter_map(|message| Some((message.answers.first()? - message.sent_at) as f64))
            .collect();
        let ([ack, ack_99, ack_most], [reply, reply_99, reply_most]) = (quantiles(acks), quantiles(replies));
        println!(
            "{name:<16}{:>10}{ack:>12.0}{ack_99:>12.0}{ack_most:>12.0}{reply:>14.0}{reply_99:>14.0}{reply_most:>14.0}",
            of.len()
        );
    }
}

/// The half-way value, the one that 99 of 100 do not exceed, and the greatest.
fn quantiles(mut values: Vec<f64>) -> [f64; 3] {
    values.sort_by(f64::total_cmp);
    let at =
        |share: f64| values.get(((values.len() as f64 * share) as usize).min(values.len().saturating_sub(1)));
    [0.5, 0.99, 1.0].map(|share| at(share).copied().unwrap_or(f64::NAN))
}

fn print_rates(messages: &[Message]) {
    let acks = messages.iter().filter_map(|message| Some(message.ack?.0)).collect();
    let replies = messages.iter().filter_map(|message| message.answers.first().copied()).collect();
    println!("\n{:<16}{:>10}{:>18}", "", "a second", "best second");
    for (name, at) in [("acks", acks), ("replies", replies)] {
        let (mean, best) = rates(messages, at);
        println!("{name:<16}{mean:>10.1}{best:>18}");
    }
}

/// On average from the first message on, and in the best second.
fn rates(messages: &[Message], at: Vec<i64>) -> (f64, usize) {
    let begin = messages.iter().map(|message| message.sent_at).min().unwrap_or(0);
    let end = at.iter().copied().max().unwrap_or(begin);
    let mut seconds = BTreeMap::<i64, usize>::new();
    for at in &at {
        *seconds.entry((at - begin) / 1_000).or_default() += 1;
    }
    (at.len() as f64 / (end - begin).max(1) as f64 * 1e3, seconds.into_values().max().unwrap_or(0))
}
