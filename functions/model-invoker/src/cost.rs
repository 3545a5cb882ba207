//! What a message costs, estimated from what was used: list prices of us-east-1, free tiers ignored. The model's own
//! price is not in it.

/// USD for a GB and second, on arm64. <https://aws.amazon.com/lambda/pricing/>
const GB_SECOND: f64 = 0.000_013_333_4;
const INVOCATION: f64 = 0.20e-6;
/// A request to a standard queue. <https://aws.amazon.com/sqs/pricing/>
const QUEUE_REQUEST: f64 = 0.40e-6;
/// On demand. <https://aws.amazon.com/dynamodb/pricing/on-demand/>
const WRITE_UNIT: f64 = 0.625e-6;
const READ_UNIT: f64 = 0.125e-6;
/// Lambda's own requests for a queue message: it receives it, and deletes it.
pub const RECEIVE_AND_DELETE: u64 = 2;

/// What an invocation used.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Used {
    pub ms: u64,
    pub memory_mb: u64,
    pub read_units: f64,
    pub write_units: f64,
    /// Made by us.
    pub queue_requests: u64,
}

impl Used {
    /// Of the invoker, for one queue message, USD, to a billionth.
    pub fn usd(&self) -> f64 {
        let requests = (self.queue_requests + RECEIVE_AND_DELETE) as f64;
        let table = self.read_units * READ_UNIT + self.write_units * WRITE_UNIT;
        let usd = lambda(self.ms, self.memory_mb) + requests * QUEUE_REQUEST + table;
        (usd * 1e9).round() / 1e9
    }
}

/// Of a webhook function that puts one message on the queue, USD.
pub fn webhook(ms: u64, memory_mb: u64) -> f64 {
    lambda(ms, memory_mb) + QUEUE_REQUEST
}

fn lambda(ms: u64, memory_mb: u64) -> f64 {
    ms as f64 / 1e3 * memory_mb as f64 / 1024.0 * GB_SECOND + INVOCATION
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_that_waits_eight_seconds_for_its_model() {
        let used = Used { ms: 8_700, memory_mb: 256, read_units: 4.0, write_units: 20.0, queue_requests: 3 };
        let million = used.usd() * 1e6;
        assert!((million - 44.2).abs() < 0.1, "{million}");
        assert!((webhook(10, 128) * 1e6 - 0.617).abs() < 0.01);
    }
}
