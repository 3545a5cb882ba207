//! The same test once for each protocol that models are asked by.

use local::Options;
use tests::world::World;

use crate::alone;

/// Assistants, each asked by a protocol of its own under `models`, and the person on Telegram whom it answers.
pub const PROTOCOLS: [(&str, &str); 4] =
    [("default", "71"), ("responses", "72"), ("claude", "73"), ("nova", "74")];

pub const MODELS: &str = "
version: 1
models:
  default: {provider: openai, model: scripted, base_url: '{platform}/model/v1', key: openai}
  responses: {provider: openai, model: scripted, api: responses, base_url: '{platform}/model/v1', key: openai}
  claude: {provider: anthropic, model: claude-scripted, base_url: '{platform}/model/anthropic/v1/', key: openai}
  nova: {provider: bedrock, model: 'amazon.nova-lite-v1:0', base_url: '{platform}/model/bedrock'}
";

/// The models, and the assistants with these settings.
pub fn assistants(settings: &str) -> String {
    let all = PROTOCOLS.map(|(name, _)| format!("  {name}: {{model: {name}, {settings}}}\n"));
    format!("{MODELS}assistants:\n{}", all.concat())
}

/// Who answers whom, as settings of the channel `telegram`.
pub fn people() -> String {
    let all = PROTOCOLS.map(|(name, user)| format!("'{user}': {{assistant: {name}}}"));
    format!("  telegram: {{conversations: {{{}}}}}\n", all.join(", "))
}

/// Runs a test on a cloud of its own, once for each protocol; it is told who writes on Telegram.
pub fn in_every_protocol(
    name: &str,
    settings: &str,
    change: impl FnOnce(&mut Options),
    test: impl AsyncFn(&World, &str),
) {
    let config = format!("{}channels:\n{}", assistants(settings), people());
    alone(name, &config, change, async |world| {
        for (protocol, user) in PROTOCOLS {
            eprintln!("{name}: {protocol}");
            test(world, user).await;
        }
    });
}
