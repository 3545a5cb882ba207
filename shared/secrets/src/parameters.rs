//! Parameter Store itself: what lies under a path, and writing to it.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_ssm::Client;
use aws_sdk_ssm::config::timeout::TimeoutConfig;
use aws_sdk_ssm::types::{ParameterTier, ParameterType};
use aws_types::SdkConfig;
use channel::{ExposeSecret, SecretString, sign};

use crate::Error;

/// One attempt of a call: a webhook has three seconds for everything.
const ATTEMPT: Duration = Duration::from_millis(1_500);
/// A standard parameter's value, which is the tier that costs nothing.
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html>
pub const MAX_VALUE_BYTES: usize = 4_096;

/// Parameters by their path below the one that was asked for, without a `/` at the front.
pub(crate) type Tree = BTreeMap<String, SecretString>;

#[derive(Clone)]
pub(crate) struct Parameters(Client);

/// A secret without its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Path below the one that was asked for, without a `/` at the front.
    pub name: String,
    /// The first 8 hexadecimal characters of the value's SHA-256: tells two values apart, and no more.
    pub fingerprint: String,
}

impl Parameters {
    pub fn connect(aws: &SdkConfig) -> Parameters {
        let time_outs = TimeoutConfig::builder().operation_attempt_timeout(ATTEMPT).build();
        let config = aws_sdk_ssm::config::Builder::from(aws).timeout_config(time_outs).build();
        Parameters(Client::from_conf(config))
    }

    /// Everything below a path, all pages.
    pub async fn read(&self, path: &str) -> Result<Tree, Error> {
        let path = path.trim_end_matches('/');
        let call = self.0.get_parameters_by_path().path(path).recursive(true).with_decryption(true);
        let mut pages = call.into_paginator().send();
        let mut tree = Tree::new();
        while let Some(page) = pages.next().await {
            for parameter in page?.parameters() {
                let below = parameter.name().and_then(|name| name.strip_prefix(path));
                if let (Some(name), Some(value)) = (below, parameter.value()) {
                    tree.insert(name.trim_start_matches('/').to_owned(), SecretString::from(value));
                }
            }
        }
        Ok(tree)
    }

    pub async fn put(&self, name: &str, value: &SecretString) -> Result<(), Error> {
        let bytes = value.expose_secret().len();
        if bytes == 0 || bytes > MAX_VALUE_BYTES {
            let problem = format!("{name} has {bytes} bytes; 1 to {MAX_VALUE_BYTES} are possible");
            return Err(Error::Broken(problem));
        }
        let call = self.0.put_parameter().name(name).value(value.expose_secret()).overwrite(true);
        call.r#type(ParameterType::SecureString).tier(ParameterTier::Standard).send().await?;
        Ok(())
    }

    pub async fn delete(&self, name: &str) -> Result<(), Error> {
        self.0.delete_parameter().name(name).send().await?;
        Ok(())
    }
}

/// What a person compares instead of the value.
pub fn fingerprint(value: &SecretString) -> String {
    sign::sha256_hex(value.expose_secret().as_bytes()).chars().take(8).collect()
}

pub(crate) fn listed(tree: &Tree) -> Vec<Listed> {
    let of = |(name, value): (&String, &SecretString)| Listed {
        name: name.clone(),
        fingerprint: fingerprint(value),
    };
    tree.iter().map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_tells_values_apart_and_hides_them() {
        let tree: Tree = [("main/bot_token".to_owned(), SecretString::from("123:ABC"))].into();
        let all = listed(&tree);
        assert_eq!(all[0].name, "main/bot_token");
        assert_eq!(all[0].fingerprint.len(), 8);
        assert_ne!(all[0].fingerprint, fingerprint(&SecretString::from("123:ABD")));
        assert!(!format!("{all:?}").contains("123:ABC"));
    }
}
