//! What a model on Bedrock can do beyond what all can, by its id: Converse refuses the rest.

use serde_json::{Value, json};

use crate::THINKING_TOKENS;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    /// Anthropic's, with its version.
    Claude(u32, u32),
    Nova(u32),
    /// Also behind the ARN of an inference profile, which does not say.
    Other,
}

impl Family {
    /// `us.anthropic.claude-sonnet-4-6`, `anthropic.claude-3-7-sonnet-20250219-v1:0`, `amazon.nova-2-lite-v1:0`.
    pub fn of(model: &str) -> Self {
        if let Some((_, name)) = model.split_once("anthropic.claude-") {
            let mut numbers = version(name);
            return Self::Claude(numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
        }
        if let Some((_, name)) = model.split_once("amazon.nova-") {
            return Self::Nova(version(name).next().unwrap_or(1));
        }
        Self::Other
    }

    /// <https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html>
    pub fn caches_system(self) -> bool {
        self.caches_messages() || matches!(self, Self::Nova(_))
    }

    pub fn caches_messages(self) -> bool {
        matches!(self, Self::Claude(major, minor) if (major, minor) >= (3, 7))
    }

    /// How the model is told to think before it writes:
    /// <https://docs.aws.amazon.com/bedrock/latest/userguide/claude-messages-adaptive-thinking.html>,
    /// <https://docs.aws.amazon.com/nova/latest/nova2-userguide/extended-thinking.html>.
    pub fn thinking(self) -> Option<Value> {
        match self {
            Self::Claude(major, minor) if (major, minor) >= (4, 6) => {
                Some(json!({"thinking": {"type": "adaptive"}}))
            }
            Self::Claude(major, minor) if (major, minor) >= (3, 7) => {
                Some(json!({"thinking": {"type": "enabled", "budget_tokens": THINKING_TOKENS}}))
            }
            Self::Nova(2..) => {
                Some(json!({"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "low"}}))
            }
            _ => None,
        }
    }
}

/// The numbers of at most two digits in a name, dates and `v1` left out.
fn version(name: &str) -> impl Iterator<Item = u32> + '_ {
    let name = name.split(':').next().unwrap_or_default();
    name.split(['-', '.']).filter(|part| part.len() <= 2).filter_map(|part| part.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_say_the_family() {
        let check = |model: &str, family: Family| assert_eq!(Family::of(model), family, "{model}");
        check("us.anthropic.claude-sonnet-4-6", Family::Claude(4, 6));
        check("anthropic.claude-sonnet-4-20250514-v1:0", Family::Claude(4, 0));
        check("anthropic.claude-3-7-sonnet-20250219-v1:0", Family::Claude(3, 7));
        check("anthropic.claude-3-haiku-20240307-v1:0", Family::Claude(3, 0));
        check("anthropic.claude-opus-5", Family::Claude(5, 0));
        check("eu.amazon.nova-lite-v1:0", Family::Nova(1));
        check("us.amazon.nova-2-lite-v1:0", Family::Nova(2));
        check("meta.llama3-8b-instruct-v1:0", Family::Other);
        check("arn:aws:bedrock:us-east-1:1:application-inference-profile/x", Family::Other);
    }
}
