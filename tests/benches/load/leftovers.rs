//! What is left when everybody has their answers: there should be nothing that holds, waits or comes back.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use channel::ConversationKey;
use queue::{Counts, Queue};
use serde_json::{Value, json};
use tests::world::World;

/// A queue message that met a turn in progress looks again after a minute, then two, then three.
const DRAINING: Duration = Duration::from_secs(600);
const ASK_AGAIN: Duration = Duration::from_millis(500);

#[derive(Debug, Default)]
pub struct Leftovers {
    /// In the queue, after all that time to get empty.
    pub queued: u64,
    pub dead: u64,
    pub schedules: u64,
    /// Conversations that somebody holds.
    pub leases: usize,
    /// Messages that wait in an inbox.
    pub inbox: usize,
    /// Turns that are committed and not posted.
    pub open: usize,
    /// Messages that were kept: the marks by which duplicates are known.
    pub seen: usize,
    /// Turns that were answered.
    pub turns: usize,
    /// From the last answer until the queue was empty.
    pub drained: Duration,
}

impl Leftovers {
    /// Waits until the queue is empty, then looks into every place.
    pub async fn find(world: &World) -> Result<Leftovers, String> {
        let begun = Instant::now();
        let mut left = Leftovers { queued: drain(&world.queue(), begun).await?, ..Leftovers::default() };
        left.drained = begun.elapsed();
        let endpoints = world.cloud.endpoints();
        let dead = Queue::connect(world.cloud.aws(), &endpoints.dead_letter_url);
        left.dead = all(dead.counts().await.map_err(|error| error.to_string())?);
        let aws = Aws::connect(&endpoints.aws)?;
        left.schedules = aws.schedules().await?;

        let keys = aws.keys(&endpoints.table).await?;
        let of_kind = |kind: &str| keys.iter().filter(|(_, sk)| sk.starts_with(kind)).count();
        (left.inbox, left.seen, left.turns) = (of_kind("IN#"), of_kind("SEEN#"), of_kind("TURN#"));
        let store = world.store();
        for key in keys.iter().filter_map(|(pk, _)| pk.strip_prefix("C#")).collect::<BTreeSet<_>>() {
            let key: ConversationKey =
                serde_json::from_value(json!(key)).map_err(|error| error.to_string())?;
            let head = store.head(&key).await.map_err(|error| error.to_string())?;
            left.leases += usize::from(head.until > 0);
            left.open += head.open.len();
        }
        Ok(left)
    }
}

/// How many messages do not go away.
async fn drain(queue: &Queue, begun: Instant) -> Result<u64, String> {
    loop {
        let left = all(queue.counts().await.map_err(|error| error.to_string())?);
        if left == 0 || begun.elapsed() > DRAINING {
            return Ok(left);
        }
        tokio::time::sleep(ASK_AGAIN).await;
    }
}

fn all(counts: Counts) -> u64 {
    counts.waiting + counts.hidden
}

/// The calls that the product itself never makes. MiniStack looks at a request's service, not at its signature.
struct Aws {
    http: reqwest::Client,
    url: String,
}

impl Aws {
    fn connect(url: &str) -> Result<Aws, String> {
        let egress = egress::Egress::new().map_err(|error| error.to_string())?;
        Ok(Aws { http: egress.configured_client(), url: url.to_owned() })
    }

    /// pk and sk of every item.
    async fn keys(&self, table: &str) -> Result<Vec<(String, String)>, String> {
        let (mut keys, mut next) = (Vec::new(), Value::Null);
        loop {
            let mut scan =
                json!({"TableName": table, "ProjectionExpression": "pk, sk", "ConsistentRead": true});
            if !next.is_null() {
                scan["ExclusiveStartKey"] = next;
            }
            let request = self.http.post(&self.url).header("x-amz-target", "DynamoDB_20120810.Scan");
            let request = request.header("content-type", "application/x-amz-json-1.0");
            let page = answer(request.header("authorization", credential("dynamodb")).body(scan.to_string()))
                .await?;
            let items = page["Items"].as_array().ok_or(format!("no items: {page}"))?;
            let text = |item: &Value, name: &str| item[name]["S"].as_str().unwrap_or_default().to_owned();
            keys.extend(items.iter().map(|item| (text(item, "pk"), text(item, "sk"))));
            next = page["LastEvaluatedKey"].clone();
            if next.is_null() {
                return Ok(keys);
            }
        }
    }

    /// How many EventBridge schedules there are.
    async fn schedules(&self) -> Result<u64, String> {
        let request = self.http.get(format!("{}/schedules", self.url));
        let list = answer(request.header("authorization", credential("scheduler"))).await?;
        let schedules = list["Schedules"].as_array().ok_or(format!("no list of schedules: {list}"))?;
        Ok(schedules.len() as u64)
    }
}

fn credential(service: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=0"
    )
}

async fn answer(request: reqwest::RequestBuilder) -> Result<Value, String> {
    let answer = request.send().await.map_err(|error| error.to_string())?;
    answer.json().await.map_err(|error| error.to_string())
}
