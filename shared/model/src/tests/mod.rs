//! Every provider's API, played by a scripted server on this machine, error by error.

mod anthropic;
mod bedrock;
mod chain;
mod faults;
mod ollama;
mod openai;
mod other;
mod pictures;
mod recorded;
mod server;

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use aws_credential_types::Credentials;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use secrecy::SecretString;

use crate::stream::Limits;
use crate::{Answer, Ask, Aws, Clients, Error, Message, Model, ModelConfig, PROVIDERS, Role, Sink};

/// Short, so that tests of silence are.
const LIMITS: Limits = Limits { first: Duration::from_millis(600), idle: Duration::from_millis(600) };

/// What must never show up in an error or a log line.
const QUESTION: &str = "canary-question";
const KEY: &str = "canary-key";

struct Outcome {
    result: Result<Answer, Error>,
    pieces: Vec<String>,
    took: Duration,
}

async fn ask(model: &dyn Model) -> Outcome {
    ask_for(model, &question()).await
}

/// Takes an answer, and back again what nobody has seen.
#[derive(Default)]
struct Paper {
    text: String,
    seen: bool,
}

impl Sink for Paper {
    fn push(&mut self, piece: &str) {
        self.text.push_str(piece);
    }

    fn take_back(&mut self) -> bool {
        if !self.seen {
            self.text.clear();
        }
        !self.seen
    }
}

/// Asks, and checks that neither errors nor logs give question or key away.
async fn ask_for(model: &dyn Model, question: &Ask) -> Outcome {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::DEBUG)
        .with_writer(move || writer.clone())
        .finish();
    let guard = tracing::subscriber::set_default(subscriber);
    let started = Instant::now();
    let mut pieces = Vec::new();
    let mut on_text = |piece: &str| pieces.push(piece.to_owned());
    let result = model.ask(question, started + Duration::from_secs(3), &mut on_text).await;
    let took = started.elapsed();
    drop(guard);
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let shown = result.as_ref().err().map(|error| format!("{error} {error:?}")).unwrap_or_default();
    for canary in [QUESTION, KEY] {
        assert!(!log.contains(canary), "{log}");
        assert!(!shown.contains(canary), "{shown}");
    }
    Outcome { result, pieces, took }
}

fn question() -> Ask {
    let message = |role, text: &str| Message { role, text: text.into(), ..Message::default() };
    Ask {
        system: "be brief".into(),
        messages: vec![
            message(Role::User, "hi"),
            message(Role::Assistant, "hello"),
            message(Role::User, QUESTION),
        ],
        max_output_tokens: 100,
        ..Ask::default()
    }
}

fn config(provider: &str, model: &str, base_url: &str) -> ModelConfig {
    ModelConfig {
        provider: provider.into(),
        model: model.into(),
        base_url: Some(base_url.into()),
        key: Some(SecretString::from(KEY)),
        ..ModelConfig::default()
    }
}

fn clients() -> Clients {
    let tls =
        rustls::ClientConfig::builder_with_provider(rustls::crypto::aws_lc_rs::default_provider().into())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth();
    let http =
        reqwest::Client::builder().tls_backend_preconfigured(tls).redirect(reqwest::redirect::Policy::none());
    let aws = Aws {
        http: Builder::new().tls_provider(Provider::Rustls(CryptoMode::AwsLc)).build_https(),
        region: "us-east-1".into(),
        credentials: Credentials::from_keys("AKIDEXAMPLE", KEY, None),
    };
    Clients { http: http.build().unwrap(), aws: Some(aws) }
}

fn busy(result: &Result<Answer, Error>) -> Option<Duration> {
    match result {
        Err(Error::Busy { retry_after, .. }) => *retry_after,
        other => panic!("not busy: {other:?}"),
    }
}

fn interrupted(result: Result<Answer, Error>) -> String {
    match result {
        Err(Error::Interrupted { partial, .. }) => partial.0,
        other => panic!("not interrupted: {other:?}"),
    }
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_configuration_that_cannot_work_says_what_to_change() {
    let check = |config: ModelConfig, says: &str| match crate::build(config, &clients()) {
        Err(Error::NotSetUp(why)) => assert!(why.contains(says), "{why}"),
        other => panic!("{says}: built {:?}", other.map(|model| model.name().to_owned()).ok()),
    };
    let named = |provider: &str| ModelConfig {
        provider: provider.into(),
        model: "m".into(),
        ..ModelConfig::default()
    };
    check(named("gemeni"), "use one of openai, anthropic, gemini");
    for provider in PROVIDERS.iter().filter(|name| !["ollama", "bedrock", "echo", "azure"].contains(name)) {
        check(named(provider), &format!("crabhook secrets set model {provider}"));
    }
    let elsewhere = ModelConfig { key_name: Some("work".into()), ..named("openai") };
    check(elsewhere, "crabhook secrets set model work");
    check(named("azure"), "base_url: https://<resource>");
    check(
        ModelConfig { base_url: Some("https://h".into()), ..named("azure") },
        "crabhook secrets set model azure",
    );
    check(ModelConfig { api: Some("responses".into()), ..named("groq") }, "no `api: responses`");
    check(ModelConfig { model: " ".into(), ..named("bedrock") }, "needs a `model`");
    check(ModelConfig { base_url: Some("localhost:8080".into()), ..named("ollama") }, "http:// or https://");
    let without_aws = Clients { aws: None, ..clients() };
    assert!(matches!(crate::build(named("bedrock"), &without_aws), Err(Error::NotSetUp(_))));
    assert_eq!(crate::build(named("bedrock"), &clients()).unwrap().name(), "bedrock m");
}

#[tokio::test]
async fn echo_repeats_the_last_question() {
    let config = ModelConfig { provider: "echo".into(), ..ModelConfig::default() };
    let outcome = ask(crate::build(config, &clients()).unwrap().as_ref()).await;
    assert_eq!(outcome.result.unwrap().text, format!("[no model set up] You said: {QUESTION}"));
    assert_eq!(outcome.pieces.len(), 1);
}
