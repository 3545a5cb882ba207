//! `$STATE/secrets.json`: what the user brought, and what the local run made up so that every channel works.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use channel::{Generate, Half, SecretSpec, SecretString, Spec, sign};
use secrets::Secrets;

use crate::Error;

/// Names of accounts (`telegram`, `telegram/support`), `model` and `tool`, each with its secrets by name.
type Book = BTreeMap<String, BTreeMap<String, String>>;

/// The account that a channel's plain name stands for.
pub(crate) const MAIN: &str = "main";

/// All secrets of one run. Has no `Debug`, on purpose.
pub(crate) struct Credentials {
    all: Book,
    /// Those of `all` that were made up, now or in an earlier run, and not replaced since.
    made_up: Book,
    folder: PathBuf,
}

impl Credentials {
    /// Reads what is there. Nothing is: that is fine.
    pub fn load(state: &Path) -> Result<Credentials, Error> {
        let all = read(&state.join("secrets.json"))?;
        let mut made_up = read(&state.join("generated.json"))?;
        for (account, secrets) in &mut made_up {
            secrets.retain(|name, value| all.get(account).and_then(|have| have.get(name)) == Some(value));
        }
        Ok(Credentials { all, made_up, folder: state.to_owned() })
    }

    /// The accounts of a channel that have secrets, `main` always.
    pub fn accounts(&self, channel: &str) -> BTreeSet<String> {
        let of = |key: &String| Some(key.strip_prefix(channel)?.strip_prefix('/')?.to_owned());
        self.all.keys().filter_map(of).chain([MAIN.to_owned()]).collect()
    }

    /// Makes up what an account lacks. Of a platform's optional secrets only those that replies need: the others are alternatives.
    pub fn complete(&mut self, spec: &Spec, account: &str) {
        for secret in spec.secrets {
            if is_issued(secret) && !secret.required && secret.half == Half::In {
                continue;
            }
            let have = self.all.entry(key(spec.name, account)).or_default();
            let missing = made_up(secret, have);
            let known = self.made_up.entry(key(spec.name, account)).or_default();
            for (name, value) in missing {
                have.insert(name.clone(), value.clone());
                known.insert(name, value);
            }
        }
    }

    /// Takes what the local cloud has issued, in place of an earlier run's.
    pub fn made(&mut self, channel: &str, name: &str, value: &str) {
        for book in [&mut self.all, &mut self.made_up] {
            book.entry(key(channel, MAIN)).or_default().insert(name.to_owned(), value.to_owned());
        }
    }

    /// Whether the account exists on the platform: what only the platform can issue is there, and not made up.
    pub fn is_real(&self, spec: &Spec, account: &str) -> bool {
        let key = key(spec.name, account);
        let has = |book: &Book, name: &str| book.get(&key).is_some_and(|secrets| secrets.contains_key(name));
        let issued = spec.secrets.iter().filter(|secret| is_issued(secret));
        let mut given = issued.filter(|secret| has(&self.all, secret.name)).peekable();
        given.peek().is_some() && given.all(|secret| !has(&self.made_up, secret.name))
    }

    /// Whether a secret that the platform proves itself by was made up here: nobody else whom it wrote to knows that one.
    pub fn has_own_proof(&self, spec: &Spec, account: &str) -> bool {
        let made_up = self.made_up.get(&key(spec.name, account));
        let proofs = spec.secrets.iter().filter(|secret| secret.half != Half::Out);
        proofs.into_iter().any(|proof| made_up.is_some_and(|secrets| secrets.contains_key(proof.name)))
    }

    pub fn has_model_key(&self, name: &str) -> bool {
        self.all.get("model").is_some_and(|keys| keys.get(name).is_some_and(|key| !key.is_empty()))
    }

    /// The secrets of an account, seeds of signing keys among them: what an event is signed with.
    pub fn of(&self, channel: &str, account: &str) -> channel::Secrets {
        self.all
            .get(&key(channel, account))
            .into_iter()
            .flatten()
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }

    pub fn save(&self) -> Result<(), Error> {
        write(&self.folder.join("secrets.json"), &self.all)?;
        write(&self.folder.join("generated.json"), &self.made_up)
    }

    /// Writes everything that a deployed stack would hold to the parameters of the stack; seeds stay with the platform,
    /// which is us.
    pub async fn upload(&self, secrets: &Secrets, stack: &str, specs: &[&'static Spec]) -> Result<(), Error> {
        for (key, values) in &self.all {
            let (channel, account) = key.split_once('/').unwrap_or((key, MAIN));
            let spec = specs.iter().find(|spec| spec.name == channel);
            let path = match (key.as_str(), spec) {
                (shared @ ("model" | "tool"), _) => format!("/{stack}/{shared}"),
                (_, Some(_)) => format!("/{stack}/{channel}/{account}"),
                (_, None) => continue,
            };
            for (name, value) in
                values.iter().filter(|(name, value)| !value.is_empty() && !is_seed(name, spec))
            {
                let put = secrets.put(&format!("{path}/{name}"), &SecretString::from(value.as_str())).await;
                put.map_err(|error| Error::Broken(format!("{path}/{name} is not stored: {error}")))?;
            }
        }
        Ok(())
    }
}

fn key(channel: &str, account: &str) -> String {
    if account == MAIN { channel.to_owned() } else { format!("{channel}/{account}") }
}

/// What a secret needs that is not there: its value, and the seed where it is the public half of a key.
fn made_up(secret: &SecretSpec, have: &BTreeMap<String, String>) -> Vec<(String, String)> {
    if have.contains_key(secret.name) {
        return Vec::new();
    }
    let name = secret.name.to_owned();
    match secret.generate {
        Generate::Random => vec![(name, sign::base64url(&sign::random::<32>()))],
        Generate::StandardWebhook => vec![(name, format!("whsec_{}", sign::base64(&sign::random::<32>())))],
        // Letters and digits only: some stand in paths.
        Generate::Platform => vec![(name, format!("local{}", sign::hex(&sign::random::<16>())))],
        Generate::EncodingAesKey => vec![(name, channel::tencent::encoding_aes_key(&sign::random()))],
        Generate::ServiceAccount => vec![(name, channel::local::key_file())],
        Generate::Ed25519Hex => {
            let seed = sign::random::<32>();
            let public = sign::ed25519_public(&seed).unwrap_or_default();
            vec![(format!("{name}_seed"), sign::hex(&seed)), (name, sign::hex(&public))]
        }
    }
}

/// Only the platform can issue it.
fn is_issued(secret: &SecretSpec) -> bool {
    matches!(secret.generate, Generate::Platform | Generate::ServiceAccount)
}

fn is_seed(name: &str, spec: Option<&&'static Spec>) -> bool {
    let keys = spec
        .into_iter()
        .flat_map(|spec| spec.secrets)
        .filter(|secret| secret.generate == Generate::Ed25519Hex);
    keys.into_iter().any(|key| name.strip_suffix("_seed") == Some(key.name))
}

fn read(path: &Path) -> Result<Book, Error> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Book::new()),
        Err(error) => return Err(Error::file(path, error)),
    };
    // serde's own words may quote a secret: only the place is told.
    let place = |error: serde_json::Error| {
        format!(
            "line {}: not of the form {{\"telegram\": {{\"bot_token\": \"…\"}}, \"model\": {{…}}}}",
            error.line()
        )
    };
    serde_json::from_str(&text).map_err(|error| Error::file(path, place(error)))
}

/// Replaces the file whole; only its owner may read it.
fn write(path: &Path, book: &Book) -> Result<(), Error> {
    let text = serde_json::to_string_pretty(book).map_err(|error| Error::file(path, error))?;
    let next = path.with_extension("next");
    let opened = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&next);
    let written = opened.and_then(|mut file| {
        file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
        file.write_all(text.as_bytes())?;
        std::fs::rename(&next, path)
    });
    written.map_err(|error| Error::file(path, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("crabhook-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    fn spec(name: &str) -> &'static Spec {
        model_invoker::channels::named(name).unwrap().spec()
    }

    #[test]
    fn what_is_missing_is_made_up_once_and_kept() {
        let state = folder("kept");
        let mut credentials = Credentials::load(&state).unwrap();
        credentials.complete(spec("telegram"), "support");
        credentials.complete(spec("discord"), MAIN);
        credentials.save().unwrap();
        let mode = std::fs::metadata(state.join("secrets.json")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);

        let mut again = Credentials::load(&state).unwrap();
        again.complete(spec("telegram"), "support");
        assert!(again.all == credentials.all, "a second start made up other secrets");
        assert_eq!(again.accounts("telegram").into_iter().collect::<Vec<_>>(), ["main", "support"]);
        let discord = again.of("discord", MAIN);
        let seed = sign::from_hex(discord.get("public_key_seed").unwrap()).unwrap();
        let public = sign::ed25519_public(&seed).unwrap();
        assert_eq!(discord.get("public_key"), Some(sign::hex(&public).as_str()));
        assert!(
            is_seed("public_key_seed", Some(&spec("discord")))
                && !is_seed("public_key", Some(&spec("discord")))
        );
        std::fs::remove_dir_all(state).unwrap();
    }

    #[test]
    fn an_account_is_real_by_what_only_the_platform_issues() {
        let state = folder("real");
        std::fs::write(state.join("secrets.json"), r#"{"telegram/a": {"secret_token": "mine"}}"#).unwrap();
        let mut credentials = Credentials::load(&state).unwrap();
        credentials.complete(spec("telegram"), "a");
        assert!(!credentials.is_real(spec("telegram"), "a"));
        assert_eq!(credentials.of("telegram", "a").get("secret_token"), Some("mine"));
        credentials.save().unwrap();

        let mut given: Book = read(&state.join("secrets.json")).unwrap();
        given.get_mut("telegram/a").unwrap().insert("bot_token".into(), "110201543:AAHdq".into());
        write(&state.join("secrets.json"), &given).unwrap();
        let credentials = Credentials::load(&state).unwrap();
        assert!(credentials.is_real(spec("telegram"), "a"));
        assert!(!credentials.is_real(spec("telegram"), MAIN) && !credentials.is_real(spec("webhook"), MAIN));
        std::fs::remove_dir_all(state).unwrap();
    }

    #[test]
    fn a_broken_file_is_named_without_its_content() {
        let state = folder("broken");
        std::fs::write(state.join("secrets.json"), r#"{"telegram": "hush"}"#).unwrap();
        let Err(error) = Credentials::load(&state) else { panic!("a string is no account") };
        let text = error.to_string();
        assert!(text.contains("secrets.json") && text.contains("line 1") && !text.contains("hush"), "{text}");
        std::fs::remove_dir_all(state).unwrap();
    }
}
