//! `crabhook secrets`: what the platforms, models and tools know us by. Values never come from the command line, which other
//! users of the machine can see, and are never printed unless they were made here.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{IsTerminal as _, Read as _};

use channel::{ExposeSecret as _, Generate, SecretSpec, SecretString, sign};
use clap::Subcommand;
use model_invoker::channels;
use secrets::{SETTINGS, Secrets, fingerprint};

use crate::place::{Place, outputs};
use crate::{Error, Where, aws, local_secrets, nearest, send};

/// Stand for a channel where the keys of models are meant, or what tools and hooks know us by.
const MODEL: &str = "model";
const TOOL: &str = "tool";

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Store a secret; its value comes from a hidden prompt or from standard input
    Set {
        /// A channel, `model` or `tool`
        channel: String,
        /// The secret's name as `crabhook secrets list` shows it; of a model, its provider (or the `key` it names); of a tool or
        /// hook, the name that its `secret` or `headers` gives
        name: String,
        #[arg(long, default_value = "main")]
        account: String,
        /// Make up a new random value, for secrets that we choose ourselves
        #[arg(long)]
        generate: bool,
        /// Print the value made up, to give it to the other side
        #[arg(long, requires = "generate")]
        show: bool,
    },
    /// Show which secrets there are and which are set, never their values
    List {
        /// Only this channel, `model` or `tool`
        channel: Option<String>,
    },
}

pub async fn run(command: Command, at: &Where) -> Result<(), Error> {
    match command {
        Command::Set { channel, name, account, generate, show } => {
            let spec = spec(&channel, &name)?;
            let value = if generate { generated(&channel, &name, spec)? } else { given(&channel, &name)? };
            put(at, &channel, &account, &name, &value).await?;
            // Both sides of a Standard Webhook hold the same secret, so somebody must carry it over.
            let shared =
                channel == TOOL || spec.is_some_and(|spec| spec.generate == Generate::StandardWebhook);
            if show || (generate && shared) {
                println!("{}", value.expose_secret());
            }
            Ok(())
        }
        Command::List { channel } => list(at, channel.as_deref()).await,
    }
}

/// What the channel says about the secret; `None` where it is no channel's.
fn spec(channel: &str, name: &str) -> Result<Option<&'static SecretSpec>, Error> {
    if matches!(channel, MODEL | TOOL) {
        return Ok(None);
    }
    let secrets = send::room(channel)?.spec().secrets;
    let names = secrets.iter().map(|secret| secret.name);
    let hint = || match nearest(name, names.clone()) {
        Some(near) => format!("did you mean {near}?"),
        None => format!("there is {}", names.clone().collect::<Vec<_>>().join(", ")),
    };
    let found = secrets.iter().find(|secret| secret.name == name);
    found.map(Some).ok_or_else(|| Error::usage(format!("{channel} has no secret {name}; {}", hint())))
}

fn generated(channel: &str, name: &str, spec: Option<&SecretSpec>) -> Result<SecretString, Error> {
    // What can be made up for a tool is what signs our requests to it.
    let signing = (channel == TOOL).then_some(Generate::StandardWebhook);
    match spec.map(|spec| spec.generate).or(signing) {
        Some(Generate::Random) => Ok(sign::base64url(&sign::random::<32>()).into()),
        Some(Generate::StandardWebhook) => {
            Ok(format!("whsec_{}", sign::base64(&sign::random::<32>())).into())
        }
        Some(Generate::EncodingAesKey) => Ok(channel::tencent::encoding_aes_key(&sign::random()).into()),
        Some(Generate::Ed25519Hex | Generate::Platform | Generate::ServiceAccount) | None => {
            let about = spec.map(|spec| format!(": {}", spec.about)).unwrap_or_default();
            Err(Error::usage(format!("{name} cannot be made up, the platform issues it{about}")))
        }
    }
}

fn given(channel: &str, name: &str) -> Result<SecretString, Error> {
    let value = if std::io::stdin().is_terminal() {
        rpassword::prompt_password(format!("{channel} {name} (hidden): "))
    } else {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map(|_| text)
    };
    let value = value.map_err(|error| Error::failed(format!("the value cannot be read: {error}")))?;
    match value.trim() {
        "" => Err(Error::usage("the value is empty: nothing was stored")),
        value => Ok(value.into()),
    }
}

async fn put(
    at: &Where,
    channel: &str,
    account: &str,
    name: &str,
    value: &SecretString,
) -> Result<(), Error> {
    let folder = match channel {
        MODEL | TOOL => channel.to_owned(),
        _ => format!("{channel}/{account}"),
    };
    let print = fingerprint(value);
    let Some(stack) = &at.stack else {
        let path = local_secrets::put(&at.state, channel, account, name, value)?;
        println!("{}: {folder}/{name} is set ({print}); start `make run` again to use it", path.display());
        return Ok(());
    };
    let path = format!("/{stack}/{folder}/{name}");
    Secrets::connect(&aws::account().await?).put(&path, value).await?;
    println!("{path} is set ({print}); functions use it within 10 minutes, at once where the old one fails");
    Ok(())
}

async fn list(at: &Where, only: Option<&str>) -> Result<(), Error> {
    let (stack, secrets, mut shown) = match &at.stack {
        // Secrets may be set before the first deploy.
        Some(stack) => {
            let aws = aws::account().await?;
            let deployed = outputs(&aws, stack).await.unwrap_or_default();
            let channels = deployed.keys().filter_map(|name| name.strip_prefix("UrlOf")).map(str::to_owned);
            (stack.clone(), Secrets::connect(&aws), channels.collect::<BTreeSet<String>>())
        }
        None => {
            let place = Place::find(at).await?;
            (place.stack.clone(), place.secrets(), place.endpoints.channels.keys().cloned().collect())
        }
    };
    let listed = secrets.list(&format!("/{stack}")).await?;
    let there: BTreeMap<&str, &str> =
        listed.iter().map(|listed| (listed.name.as_str(), listed.fingerprint.as_str())).collect();
    shown.extend(there.keys().filter_map(|path| path.split('/').next()).map(str::to_owned));
    shown.extend([MODEL, TOOL].map(str::to_owned));
    if let Some(only) = only {
        shown = [only.to_owned()].into();
    }
    for channel in &shown {
        show(&stack, channel, &there);
    }
    Ok(())
}

fn show(stack: &str, channel: &str, there: &BTreeMap<&str, &str>) {
    if matches!(channel, MODEL | TOOL) {
        let own: Vec<_> = there
            .iter()
            .filter_map(|(path, print)| Some((path.strip_prefix(channel)?.strip_prefix('/')?, print)))
            .collect();
        let none = if channel == MODEL { "  none; bedrock and a local ollama need none" } else { "  none" };
        println!("/{stack}/{channel}/{}", if own.is_empty() { none } else { "" });
        for (name, print) in own {
            println!("  {name:<20} set {print}");
        }
        return;
    }
    let Some(spec) = channels::named(channel).map(|room| room.spec()) else { return };
    let in_channel = |path: &str| {
        let (account, name) = path.strip_prefix(channel)?.strip_prefix('/')?.split_once('/')?;
        (name != SETTINGS).then(|| account.to_owned())
    };
    let mut accounts: BTreeSet<String> = there.keys().filter_map(|path| in_channel(path)).collect();
    accounts.insert("main".to_owned());
    for account in accounts {
        println!("/{stack}/{channel}/{account}/");
        for secret in spec.secrets {
            let state = match there.get(format!("{channel}/{account}/{}", secret.name).as_str()) {
                Some(print) => format!("set {print}"),
                None if secret.required => format!("MISSING   {}", secret.about),
                None => format!("not set, optional   {}", secret.about),
            };
            println!("  {:<20} {state}", secret.name);
        }
    }
}
