//! Recorded requests and replies in `events/<channel>/`.

use channel::local::Local;
use channel::{
    Address, ExposeSecret, Generate, Headers, Part, Request, SecretString, Secrets, Way, sign, tencent,
};
use serde::Deserialize;
use serde_json::Value;

use crate::root;

/// When fixtures are judged, Unix milliseconds.
pub const NOW: i64 = 1_795_000_002_000;

/// `events/<channel>/receive/<case>.json`: a request as the platform sends it, unsigned.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receive {
    pub about: String,
    pub request: Recorded,
    #[serde(default)]
    pub settings: Value,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recorded {
    pub method: String,
    pub path: String,
    #[serde(default)]
    pub headers: Headers,
    #[serde(default)]
    pub body: String,
}

/// `events/<channel>/post/<case>.json`: what is to be said, and where.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Posting {
    pub about: String,
    pub parts: Vec<Part>,
    pub address: Address,
    #[serde(default)]
    pub settings: Value,
    #[serde(default)]
    pub way: Way,
    #[serde(default)]
    pub plain: bool,
}

/// The cases in a folder of fixtures by name, in order.
pub fn cases<T: serde::de::DeserializeOwned>(channel: &str, half: &str) -> Vec<(String, T)> {
    let folder = format!("events/{channel}/{half}");
    let entries = std::fs::read_dir(root().join(&folder)).unwrap_or_else(|error| panic!("{folder}: {error}"));
    let mut names: Vec<String> = entries
        .map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned())
        .filter_map(|name| name.strip_suffix(".json").map(str::to_owned))
        .filter(|name| !name.ends_with(".golden"))
        .collect();
    names.sort();
    let parse = |name: &String| {
        let text = crate::read(&format!("{folder}/{name}.json"));
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{folder}/{name}.json: {error}"))
    };
    names.iter().map(|name| (format!("{folder}/{name}"), parse(name))).collect()
}

impl Recorded {
    /// The request as it reaches the room under account `main`, not signed yet.
    pub fn request(&self) -> Request {
        let url = format!("https://example.lambda-url.us-east-1.on.aws{}", self.path);
        Request::new(&self.method, &url, self.headers.clone(), self.body.clone().into_bytes())
    }
}

/// Secrets for a room's tests, the same in every run; `<name>_seed` beside a public key.
pub fn secrets(room: &dyn Local) -> Secrets {
    let mut secrets = Secrets::default();
    for secret in room.spec().secrets {
        let bytes = sign::sha256(format!("{}/{}", room.spec().name, secret.name).as_bytes());
        let value = match secret.generate {
            Generate::Random => sign::base64url(&bytes),
            Generate::Platform => format!("platform-{}", sign::hex(&bytes[..8])),
            Generate::StandardWebhook => format!("whsec_{}", sign::base64(&bytes)),
            Generate::EncodingAesKey => {
                tencent::encoding_aes_key(&bytes.as_slice().try_into().expect("32 bytes"))
            }
            Generate::ServiceAccount => channel::local::key_file(),
            Generate::Ed25519Hex => {
                secrets.insert(format!("{}_seed", secret.name), SecretString::from(sign::hex(&bytes)));
                sign::hex(&sign::ed25519_public(&bytes).expect("32 bytes"))
            }
        };
        secrets.insert(secret.name, value);
    }
    // What the invoker signs with where a step is for a service of AWS.
    for name in ["region", "access_key_id", "secret_access_key"] {
        secrets.insert(format!("aws:{name}"), format!("aws-{}", name.replace('_', "-")));
    }
    secrets.insert("aws:table", "the-table");
    for token in room.spec().tokens {
        secrets.insert(format!("token:{}", token.name), format!("issued-{}", token.name));
    }
    secrets
}

/// Whether a text holds one of the secrets. Where things are is none.
pub fn leaks(secrets: &Secrets, text: &str) -> bool {
    secrets
        .names()
        .filter(|name| !matches!(*name, "aws:region" | "aws:table"))
        .filter_map(|name| secrets.get(name))
        .any(|secret| text.contains(SecretString::from(secret).expose_secret()))
}
