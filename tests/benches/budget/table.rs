//! One DynamoDB table in memory, with the capacity that each call would be billed.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/capacity-mode.html>

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::expression::{Item, holds, updated};

/// A read unit is 4 KB read consistently, a write unit 1 KB written; in a transaction both count twice.
const READ_BYTES: usize = 4_096;
const WRITE_BYTES: usize = 1_024;

#[derive(Default)]
pub struct Table {
    items: BTreeMap<(String, String), Item>,
}

/// What a call comes to: the answer, or the error's JSON.
pub type Answer = Result<Value, Value>;

impl Table {
    /// Puts an item there, unbilled.
    pub fn seed(&mut self, item: Item) {
        self.items.insert(key(&item), item);
    }

    pub fn call(&mut self, operation: &str, request: &Value) -> Answer {
        match operation {
            "GetItem" => Ok(self.get(request)),
            "Query" => Ok(self.query(request)),
            "PutItem" => self.write("Put", request),
            "UpdateItem" => self.write("Update", request),
            "DeleteItem" => self.write("Delete", request),
            "TransactWriteItems" => self.transact(request),
            other => panic!("the bench's table does not know {other}: add it"),
        }
    }

    fn get(&self, request: &Value) -> Value {
        let found = object(request, "Key").and_then(|wanted| self.items.get(&key(wanted)));
        let units = read_units(found.map_or(0, size), request);
        let mut answer = json!({"ConsumedCapacity": consumed(units)});
        if let Some(item) = found {
            answer["Item"] = json!(item);
        }
        answer
    }

    fn query(&self, request: &Value) -> Value {
        let condition = text(request, "KeyConditionExpression");
        let mut found: Vec<&Item> =
            self.items.values().filter(|item| holds(condition, request, item)).collect();
        if request.get("ScanIndexForward") == Some(&json!(false)) {
            found.reverse();
        }
        let limit = request.get("Limit").and_then(Value::as_u64).map_or(usize::MAX, |limit| limit as usize);
        let more = found.len() > limit;
        found.truncate(limit);
        let units = read_units(found.iter().map(|item| size(item)).sum(), request);
        let mut answer = json!({"Items": found, "Count": found.len(), "ConsumedCapacity": consumed(units)});
        if let (true, Some(last)) = (more, found.last()) {
            answer["LastEvaluatedKey"] = json!({"pk": last.get("pk"), "sk": last.get("sk")});
        }
        answer
    }

    fn write(&mut self, kind: &str, request: &Value) -> Answer {
        let old = self.old(kind, request);
        if !allowed(request, &old) {
            let mut refused = error("ConditionalCheckFailedException", "The conditional request failed");
            refused["Item"] = json!(old);
            return Err(refused);
        }
        let units = self.put(kind, request);
        let new = self.old(kind, request);
        let attributes = match request.get("ReturnValues").and_then(Value::as_str) {
            Some("ALL_NEW") => json!(new),
            Some("ALL_OLD") => json!(old),
            _ => Value::Null,
        };
        Ok(json!({"Attributes": attributes, "ConsumedCapacity": consumed(units)}))
    }

    fn transact(&mut self, request: &Value) -> Answer {
        let actions: Vec<(String, Value)> = request["TransactItems"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|action| action.as_object()?.iter().next())
            .map(|(kind, action)| (kind.clone(), action.clone()))
            .collect();
        let refused: Vec<bool> =
            actions.iter().map(|(kind, action)| !allowed(action, &self.old(kind, action))).collect();
        if refused.contains(&true) {
            let code =
                |refused: &bool| json!({"Code": if *refused { "ConditionalCheckFailed" } else { "None" }});
            let mut canceled = error("TransactionCanceledException", "Transaction cancelled");
            canceled["CancellationReasons"] = refused.iter().map(code).collect();
            return Err(canceled);
        }
        let units: f64 = actions.iter().map(|(kind, action)| self.put(kind, action) * 2.0).sum();
        Ok(json!({"ConsumedCapacity": [consumed(units)]}))
    }

    /// The item that a write is about, as it is.
    fn old(&self, kind: &str, action: &Value) -> Item {
        let wanted = object(action, if kind == "Put" { "Item" } else { "Key" });
        wanted.and_then(|wanted| self.items.get(&key(wanted))).cloned().unwrap_or_default()
    }

    /// Writes, and says how many units that takes.
    fn put(&mut self, kind: &str, action: &Value) -> f64 {
        let old = self.old(kind, action);
        let new = match kind {
            "Put" => object(action, "Item").cloned().unwrap_or_default(),
            "Update" => {
                let mut base = old.clone();
                base.extend(object(action, "Key").cloned().unwrap_or_default());
                updated(text(action, "UpdateExpression"), action, &base)
            }
            "Delete" => Item::new(),
            other => panic!("the bench's table does not know {other} in a transaction: add it"),
        };
        let units = size(&old).max(size(&new)).div_ceil(WRITE_BYTES).max(1);
        match new.is_empty() {
            true => _ = object(action, "Key").map(|gone| self.items.remove(&key(gone))),
            false => _ = self.items.insert(key(&new), new),
        }
        units as f64
    }
}

fn allowed(request: &Value, old: &Item) -> bool {
    let condition = request.get("ConditionExpression").and_then(Value::as_str);
    condition.is_none_or(|condition| holds(condition, request, old))
}

fn read_units(bytes: usize, request: &Value) -> f64 {
    let consistent = request.get("ConsistentRead") == Some(&json!(true));
    let units = bytes.div_ceil(READ_BYTES).max(1) as f64;
    if consistent { units } else { units / 2.0 }
}

fn consumed(units: f64) -> Value {
    json!({"TableName": "bench", "CapacityUnits": units})
}

fn error(kind: &str, message: &str) -> Value {
    json!({"__type": format!("com.amazonaws.dynamodb.v20120810#{kind}"), "message": message})
}

fn key(item: &Item) -> (String, String) {
    let part = |name: &str| item.get(name).map_or("", |value| text(value, "S")).to_owned();
    (part("pk"), part("sk"))
}

fn object<'a>(value: &'a Value, name: &str) -> Option<&'a Item> {
    value.get(name)?.as_object()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html>
fn size(item: &Item) -> usize {
    item.iter().map(|(name, value)| name.len() + value_size(value)).sum()
}

fn value_size(value: &Value) -> usize {
    let Some((kind, value)) = value.as_object().and_then(|value| value.iter().next()) else { return 0 };
    match (kind.as_str(), value) {
        ("N", Value::String(digits)) => digits.len().div_ceil(2) + 1,
        (_, Value::String(text)) => text.len(),
        (_, Value::Array(elements)) => {
            3 + elements.iter().map(|element| 1 + value_size(element)).sum::<usize>()
        }
        (_, Value::Object(map)) => 3 + map.len() + size(map),
        _ => 1,
    }
}
