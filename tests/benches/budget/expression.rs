//! DynamoDB's expressions, as far as the store writes them.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.html>

use std::cmp::Ordering;
use std::collections::VecDeque;

use serde_json::{Map, Value, json};

/// Attributes as they go over the wire: `{"name": {"S": "value"}}`.
pub type Item = Map<String, Value>;

/// An expression over an item.
pub struct Expression<'a> {
    tokens: VecDeque<String>,
    /// The request, with its `ExpressionAttributeNames` and `-Values`.
    request: &'a Value,
    item: &'a Item,
}

/// Whether the condition holds for the item.
pub fn holds(condition: &str, request: &Value, item: &Item) -> bool {
    Expression::new(condition, request, item).any()
}

/// The item with the update made.
pub fn updated(update: &str, request: &Value, item: &Item) -> Item {
    let mut after = item.clone();
    let mut expression = Expression::new(update, request, item);
    let mut clause = String::new();
    while let Some(token) = expression.tokens.pop_front() {
        match token.to_ascii_uppercase().as_str() {
            "SET" | "ADD" | "REMOVE" => clause = token.to_ascii_uppercase(),
            "," => {}
            _ => expression.action(&clause, &token, &mut after),
        }
    }
    after
}

impl<'a> Expression<'a> {
    fn new(text: &str, request: &'a Value, item: &'a Item) -> Expression<'a> {
        let mut tokens: VecDeque<String> = VecDeque::new();
        let mut word = String::new();
        for c in text.chars().chain(" ".chars()) {
            if c.is_alphanumeric() || "#:_[].".contains(c) {
                word.push(c);
                continue;
            }
            if !word.is_empty() {
                tokens.push_back(std::mem::take(&mut word));
            }
            let operator = matches!(tokens.back().map(String::as_str), Some("<" | ">")) && "=>".contains(c);
            match (operator, tokens.back_mut()) {
                (true, Some(last)) => last.push(c),
                _ if c != ' ' => tokens.push_back(c.to_string()),
                _ => {}
            }
        }
        Expression { tokens, request, item }
    }

    fn any(&mut self) -> bool {
        let mut holds = self.all();
        while self.next_is("OR") {
            holds |= self.all();
        }
        holds
    }

    fn all(&mut self) -> bool {
        let mut holds = self.term();
        while self.next_is("AND") {
            holds &= self.term();
        }
        holds
    }

    fn term(&mut self) -> bool {
        if self.next_is("NOT") {
            return !self.term();
        }
        if self.next_is("(") {
            let holds = self.any();
            self.skip(")");
            return holds;
        }
        for (function, expected) in [("attribute_exists", true), ("attribute_not_exists", false)] {
            if self.next_is(function) {
                self.skip("(");
                let path = self.take();
                self.skip(")");
                return self.at(&path).is_some() == expected;
            }
        }
        let left = self.operand();
        if self.next_is("BETWEEN") {
            let low = self.operand();
            self.skip("AND");
            let high = self.operand();
            let over = matches!(compare(&left, &low), Some(Ordering::Greater | Ordering::Equal));
            return over && matches!(compare(&left, &high), Some(Ordering::Less | Ordering::Equal));
        }
        let operator = self.take();
        let right = self.operand();
        let order = compare(&left, &right);
        match operator.as_str() {
            "=" => order == Some(Ordering::Equal),
            "<>" => order != Some(Ordering::Equal),
            "<" => order == Some(Ordering::Less),
            "<=" => matches!(order, Some(Ordering::Less | Ordering::Equal)),
            ">" => order == Some(Ordering::Greater),
            ">=" => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
            other => panic!("the bench's table does not know the operator {other}: add it"),
        }
    }

    /// A value, an attribute, or one of both.
    fn operand(&mut self) -> Option<Value> {
        if self.next_is("if_not_exists") {
            self.skip("(");
            let path = self.take();
            self.skip(",");
            let otherwise = self.operand();
            self.skip(")");
            return self.at(&path).cloned().or(otherwise);
        }
        let token = self.take();
        if token.starts_with(':') {
            return self
                .request
                .get("ExpressionAttributeValues")
                .and_then(|values| values.get(&token))
                .cloned();
        }
        self.at(&token).cloned()
    }

    /// One action of an update: `path = operand`, `path operand` or `path`.
    fn action(&mut self, clause: &str, path: &str, after: &mut Item) {
        let (name, index) = self.path(path);
        match clause {
            "SET" => {
                self.skip("=");
                let value = self.operand().expect("the store sets what there is");
                match index {
                    None => _ = after.insert(name, value),
                    Some(index) => {
                        let list = after
                            .get_mut(&name)
                            .and_then(|list| list.get_mut("L"))
                            .and_then(Value::as_array_mut);
                        let list = list.expect("the store sets elements of lists");
                        match list.get_mut(index) {
                            Some(element) => *element = value,
                            None => list.push(value),
                        }
                    }
                }
            }
            "ADD" => {
                let sum = number(self.item.get(&name)) + number(self.operand().as_ref());
                after.insert(name, json!({"N": sum.to_string()}));
            }
            "REMOVE" => _ = after.remove(&name),
            other => panic!("the bench's table does not know the clause {other}: add it"),
        }
    }

    fn at(&self, path: &str) -> Option<&Value> {
        let (name, index) = self.path(path);
        let attribute = self.item.get(&name)?;
        index.map_or(Some(attribute), |index| attribute.get("L")?.get(index))
    }

    /// `#name[3]` as name and index.
    fn path(&self, path: &str) -> (String, Option<usize>) {
        let (name, index) = path.split_once('[').map_or((path, None), |(name, index)| (name, Some(index)));
        let names = self.request.get("ExpressionAttributeNames");
        let meant = names.and_then(|names| names.get(name)).and_then(Value::as_str).unwrap_or(name);
        (meant.to_owned(), index.and_then(|index| index.trim_end_matches(']').parse().ok()))
    }

    fn next_is(&mut self, token: &str) -> bool {
        let is = self.tokens.front().is_some_and(|next| next.eq_ignore_ascii_case(token));
        if is {
            self.tokens.pop_front();
        }
        is
    }

    fn skip(&mut self, token: &str) {
        assert!(self.next_is(token), "the bench's table expected {token} before {:?}", self.tokens);
    }

    fn take(&mut self) -> String {
        self.tokens.pop_front().expect("the expression goes on")
    }
}

fn compare(left: &Option<Value>, right: &Option<Value>) -> Option<Ordering> {
    let (left, right) = (left.as_ref()?, right.as_ref()?);
    if left.get("N").is_some() && right.get("N").is_some() {
        return Some(number(Some(left)).cmp(&number(Some(right))));
    }
    let text = |value: &Value| value.get("S").and_then(Value::as_str).map(str::to_owned);
    match (text(left), text(right)) {
        (Some(left), Some(right)) => Some(left.cmp(&right)),
        _ => (left == right).then_some(Ordering::Equal),
    }
}

/// The store counts in whole numbers; what is not there counts from zero.
fn number(value: Option<&Value>) -> i64 {
    let text = value.and_then(|value| value.get("N")).and_then(Value::as_str).unwrap_or("0");
    text.parse().expect("a whole number")
}
