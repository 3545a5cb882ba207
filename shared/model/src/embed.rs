//! Texts as vectors, for searching by meaning.

use reqwest::RequestBuilder;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::chat::Provider;
use crate::{Clients, Error, ModelConfig, bedrock, direct};

/// Texts a request: what the strictest of the providers takes, Gemini.
/// <https://ai.google.dev/api/embeddings#method:-models.batchembedcontents>
const BATCH: usize = 100;

/// One vector for each text, in their order. All vectors of one model have the same length and can be compared
/// with each other, not with those of another model.
///
/// # Errors
/// See [`Error`]. Nothing is asked twice: that is the caller's to decide.
pub async fn embed(
    config: &ModelConfig,
    clients: &Clients,
    texts: &[String],
) -> Result<Vec<Vec<f32>>, Error> {
    if config.provider == "bedrock" {
        return bedrock::embed(config, clients, texts).await;
    }
    let provider = Provider::of(config)?;
    let mut vectors = Vec::with_capacity(texts.len());
    for batch in texts.chunks(BATCH) {
        let answer = direct::json(request(provider, config, clients, batch)?).await?;
        vectors.extend(read(provider, answer, batch.len()).ok_or(direct::unreadable())?);
    }
    Ok(vectors)
}

fn request(
    provider: Provider,
    config: &ModelConfig,
    clients: &Clients,
    texts: &[String],
) -> Result<RequestBuilder, Error> {
    let model = config.model_name()?;
    let base = provider.endpoint(config)?;
    provider.auth(config)?;
    Ok(match provider {
        Provider::Anthropic | Provider::Groq | Provider::DeepSeek => {
            return Err(Error::NotSetUp(format!(
                "provider `{}` has no embeddings: use another one for them",
                config.provider
            )));
        }
        Provider::Gemini => {
            let model = format!("models/{model}");
            let one = |text: &String| json!({"model": model, "content": {"parts": [{"text": text}]}});
            let requests: Vec<Value> = texts.iter().map(one).collect();
            let request = clients.http.post(format!("{base}{model}:batchEmbedContents"));
            with_key(request, "x-goog-api-key", config).json(&json!({ "requests": requests }))
        }
        Provider::Ollama => bearer(clients.http.post(format!("{base}v1/embeddings")), config)
            .json(&json!({ "model": model, "input": texts })),
        _ => bearer(clients.http.post(format!("{base}embeddings")), config)
            .json(&json!({ "model": model, "input": texts })),
    })
}

/// `None`: not one vector for each text.
fn read(provider: Provider, mut answer: Value, texts: usize) -> Option<Vec<Vec<f32>>> {
    let vectors: Vec<Vec<f32>> = if provider == Provider::Gemini {
        let list = answer.get_mut("embeddings")?.as_array_mut()?;
        list.iter_mut().map(|one| vector(one.get_mut("values")?)).collect::<Option<_>>()?
    } else {
        let list = answer.get_mut("data")?.as_array_mut()?;
        list.sort_by_key(|one| one.get("index").and_then(Value::as_u64));
        list.iter_mut().map(|one| vector(one.get_mut("embedding")?)).collect::<Option<_>>()?
    };
    let length = vectors.first().map_or(0, Vec::len);
    let sound = vectors.len() == texts && length > 0 && vectors.iter().all(|vector| vector.len() == length);
    sound.then_some(vectors)
}

fn vector(numbers: &mut Value) -> Option<Vec<f32>> {
    serde_json::from_value(numbers.take()).ok()
}

pub(crate) fn bearer(request: RequestBuilder, config: &ModelConfig) -> RequestBuilder {
    match &config.key {
        Some(key) => request.bearer_auth(key.expose_secret()),
        None => request,
    }
}

pub(crate) fn with_key(request: RequestBuilder, header: &str, config: &ModelConfig) -> RequestBuilder {
    match &config.key {
        Some(key) => request.header(header, key.expose_secret()),
        None => request,
    }
}
