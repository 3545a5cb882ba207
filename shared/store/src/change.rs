//! What is written, in DynamoDB's expressions: alone or within a transaction.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, Delete, Put, TransactWriteItem, Update};

use crate::Error;
use crate::keys::Key;
use crate::table::Item;

/// An update of one item, alone or in a transaction. Attributes are written `#name` in expressions, because many of ours
/// are reserved words; their names are found there.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    pub key: Key,
    pub update: String,
    pub condition: Option<String>,
    values: HashMap<String, AttributeValue>,
}

impl Change {
    pub fn at(key: Key, update: impl Into<String>) -> Change {
        Change { key, update: update.into(), condition: None, values: HashMap::new() }
    }

    pub fn only_if(mut self, condition: &str) -> Change {
        self.condition = Some(condition.to_owned());
        self
    }

    /// The value of `:name` in the expressions.
    pub fn with(mut self, name: &str, value: AttributeValue) -> Change {
        self.values.insert(name.to_owned(), value);
        self
    }

    pub fn into_item(self, table: &str) -> Result<TransactWriteItem, Error> {
        let update = Update::builder()
            .table_name(table)
            .set_key(Some(self.key.item()))
            .update_expression(&self.update)
            .set_condition_expression(self.condition.clone())
            .set_expression_attribute_names(self.names())
            .set_expression_attribute_values(self.values())
            .build()?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    pub fn names(&self) -> Option<HashMap<String, String>> {
        let names = names(&[&self.update, self.condition.as_deref().unwrap_or_default()]);
        (!names.is_empty()).then_some(names)
    }

    pub fn values(&self) -> Option<HashMap<String, AttributeValue>> {
        (!self.values.is_empty()).then(|| self.values.clone())
    }
}

/// Every `#name` in the expressions, with the name it stands for.
fn names(expressions: &[&str]) -> HashMap<String, String> {
    let found = expressions.iter().flat_map(|expression| expression.split('#').skip(1)).map(|rest| {
        let name: String = rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
        (format!("#{name}"), name)
    });
    found.collect()
}

/// A put within a transaction, with a condition in which every attribute is written `#name`.
pub(crate) fn put_if(
    table: &str,
    item: Item,
    condition: Option<&str>,
    values: HashMap<String, AttributeValue>,
) -> Result<TransactWriteItem, Error> {
    let put = Put::builder()
        .table_name(table)
        .set_item(Some(item))
        .set_condition_expression(condition.map(str::to_owned))
        .set_expression_attribute_names(condition.map(|condition| names(&[condition])))
        .set_expression_attribute_values((!values.is_empty()).then_some(values))
        .build()?;
    Ok(TransactWriteItem::builder().put(put).build())
}

/// A delete within a transaction.
pub(crate) fn delete_if(
    table: &str,
    key: Key,
    condition: Option<&str>,
    values: HashMap<String, AttributeValue>,
) -> Result<TransactWriteItem, Error> {
    let delete = Delete::builder()
        .table_name(table)
        .set_key(Some(key.item()))
        .set_condition_expression(condition.map(str::to_owned))
        .set_expression_attribute_names(condition.map(|condition| names(&[condition])))
        .set_expression_attribute_values((!values.is_empty()).then_some(values))
        .build()?;
    Ok(TransactWriteItem::builder().delete(delete).build())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_expressions() {
        let found =
            names(&["SET #ids[3] = :id, #until=:until ADD #epoch :one", "#epoch = :mine OR NOT (#ttl<:now)"]);
        let mut found: Vec<(&str, &str)> = found.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        found.sort_unstable();
        assert_eq!(found, [("#epoch", "epoch"), ("#ids", "ids"), ("#ttl", "ttl"), ("#until", "until")]);
    }
}
