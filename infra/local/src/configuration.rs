//! Configuration and secrets, put where the functions find them: what `crabhook config push` and `crabhook secrets set`
//! do for a deployed stack.

use std::collections::BTreeMap;

use aws_types::SdkConfig;
use ctl::config::Loaded;
use secrets::Secrets;
use store::Store;

use crate::cloud::{Endpoints, specs};
use crate::credentials::Credentials;
use crate::story::Story;
use crate::{Error, Options, Source, defaults};

/// Reads and checks the configuration; `platform` is the stand-in's address.
///
/// # Errors
/// Everything that is wrong with it, line by line.
pub(crate) fn load(source: &Source, platform: &str) -> Result<Loaded, Error> {
    let loaded = match source {
        Source::File(path) => ctl::config::read(path),
        Source::Text(text) => ctl::config::parse(&text.replace("{platform}", platform), "configuration"),
    };
    loaded.map_err(|problems| {
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        Error::Change(lines.join("\n"))
    })
}

/// Stores it with the local defaults; `public` are the webhooks' addresses as their platforms know them. Returns the secrets, those that had to be made up among them.
pub(crate) async fn set_up(
    loaded: Loaded,
    aws: &SdkConfig,
    options: &Options,
    endpoints: &Endpoints,
    public: &BTreeMap<String, String>,
    topic: Option<&str>,
    story: &Story,
) -> Result<Credentials, Error> {
    let Loaded { mut config, written } = loaded;
    let specs = specs(options);
    let mut credentials = Credentials::load(&options.state)?;
    if let Some(topic) = topic {
        credentials.made("email", "topic_arn", topic);
    }
    for spec in &specs {
        let configured = config.channels.get(spec.name).map(|channel| channel.accounts.keys().cloned());
        for account in credentials.accounts(spec.name).into_iter().chain(configured.into_iter().flatten()) {
            credentials.complete(spec, &account);
        }
    }
    credentials.save()?;
    let (stack, secrets) = (&options.stack, Secrets::connect(aws));
    credentials.upload(&secrets, stack, &specs).await?;
    let (channels, platform) = (&options.channels, &endpoints.platform);
    let said = defaults::apply(&mut config, &written, channels, &credentials, platform, public)?;
    let pushed = ctl::config::push(&config, &Store::connect(aws, &endpoints.table), &secrets, stack).await;
    pushed.map_err(|error| Error::Broken(format!("the configuration is not stored: {error}")))?;
    said.iter().for_each(|line| story.say(line));
    Ok(credentials)
}
