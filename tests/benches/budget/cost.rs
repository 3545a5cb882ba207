//! What a message costs in a deployed stack, the model's own price left out.

use serde::Serialize;
use serde_json::Value;

use crate::measure::Sample;

/// List prices of us-east-1 in USD, free tiers ignored.
/// <https://aws.amazon.com/lambda/pricing/>, arm64
const GB_SECOND: f64 = 0.000_013_333_4;
const INVOCATIONS_1M: f64 = 0.20;
/// <https://aws.amazon.com/sqs/pricing/>, standard queues
const QUEUE_REQUESTS_1M: f64 = 0.40;
/// <https://aws.amazon.com/dynamodb/pricing/on-demand/>
const WRITE_UNITS_1M: f64 = 0.625;
const READ_UNITS_1M: f64 = 0.125;
/// <https://aws.amazon.com/cloudwatch/pricing/>, logs taken in
const LOG_GB: f64 = 0.50;

/// As `infra/template.yaml` sets it, GB.
const WEBHOOK_MEMORY: f64 = 0.125;
const INVOKER_MEMORY: f64 = 0.125;
/// The bench has no network between the services, so these are assumed. Seconds.
const WEBHOOK_S: f64 = 0.010;
const COLD_WEBHOOK_S: f64 = 0.120;
const COLD_SHARE: f64 = 0.02;
/// A model that takes 8 s, after the pause in which a burst of messages is awaited.
const INVOKER_S: f64 = 8.7;
/// What Lambda itself logs of each invocation (`platform.start`, `platform.report`), about, bytes.
const PLATFORM_LOG: f64 = 700.0;
/// Lambda receives a message from the queue and deletes it: requests of ours.
const RECEIVE_AND_DELETE: f64 = 2.0;
/// With a maximum concurrency set, five pollers ask every 20 s whether there is something; inside SQS's free million.
/// <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html>
const IDLE_POLLS_A_MONTH: f64 = 5.0 * 3.0 * 60.0 * 24.0 * DAYS_A_MONTH;
const DAYS_A_MONTH: f64 = 30.4;

/// What one message uses.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Usage {
    pub read_units: f64,
    pub write_units: f64,
    /// Requests to SQS, Lambda's own included.
    pub queue_requests: f64,
    /// By our functions.
    pub log_bytes: f64,
}

/// A line of the bill, USD for a million messages.
#[derive(Debug, Clone, Serialize)]
pub struct Line {
    pub item: &'static str,
    pub basis: String,
    pub usd: f64,
}

impl Usage {
    /// Of the last message of a process that has worked off several: a conversation that has been going on for a while.
    /// `sends` are the webhook function's requests to SQS for a message.
    pub fn of(invoker: &Sample, webhook: &Sample, sends: f64, events: [usize; 2]) -> Result<Usage, String> {
        let lines = invoker.log.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let done: Vec<Value> = lines.filter(|line| line["message"] == "done").collect();
        let last = done.last().ok_or("the invoker logs no line with the message \"done\"")?;
        let field =
            |name: &str| last[name].as_f64().ok_or_else(|| format!("the invoker's log line lacks {name}"));
        let bytes = |sample: &Sample| sample.log.iter().map(|line| line.len() as f64 + 1.0).sum::<f64>();
        let [webhooks, turns] = events.map(|events| events as f64);
        Ok(Usage {
            read_units: field("read_units")?,
            write_units: field("write_units")?,
            queue_requests: field("queue_requests")? + sends + RECEIVE_AND_DELETE,
            log_bytes: bytes(webhook) / webhooks + bytes(invoker) / turns,
        })
    }

    /// The bill for a million messages.
    pub fn bill(&self) -> Vec<Line> {
        let webhook_s = WEBHOOK_S + COLD_SHARE * COLD_WEBHOOK_S;
        let lambda = |memory: f64, seconds: f64| memory * seconds * 1e6 * GB_SECOND + INVOCATIONS_1M;
        let log_bytes = self.log_bytes + 2.0 * PLATFORM_LOG;
        let line = |item, basis, usd| Line { item, basis, usd };
        vec![
            line(
                "webhook function",
                format!(
                    "128 MB, {:.0} ms assumed, 2 % of them cold at {:.0} ms",
                    WEBHOOK_S * 1e3,
                    COLD_WEBHOOK_S * 1e3
                ),
                lambda(WEBHOOK_MEMORY, webhook_s),
            ),
            line(
                "queue",
                format!("{} requests", self.queue_requests),
                self.queue_requests * QUEUE_REQUESTS_1M,
            ),
            line(
                "model-invoker, waiting for the model",
                format!("128 MB, {INVOKER_S} s assumed: a model that takes 8 s, and the burst pause"),
                lambda(INVOKER_MEMORY, INVOKER_S),
            ),
            line(
                "table",
                format!("{} write units, {} read units", self.write_units, self.read_units),
                self.write_units * WRITE_UNITS_1M + self.read_units * READ_UNITS_1M,
            ),
            line("logs", format!("{log_bytes:.0} bytes"), log_bytes / 1e3 * LOG_GB),
        ]
    }
}

/// USD a month for so many messages a day, at that bill for a million.
pub fn monthly(bill: &[Line], messages_a_day: f64) -> f64 {
    bill.iter().map(|line| line.usd).sum::<f64>() * messages_a_day * DAYS_A_MONTH / 1e6
}

/// USD a month for polling the queue.
pub fn idle() -> f64 {
    IDLE_POLLS_A_MONTH * QUEUE_REQUESTS_1M / 1e6
}
