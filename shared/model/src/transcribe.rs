//! Speech as text.

use data_encoding::BASE64;
use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::chat::Provider;
use crate::embed::{bearer, with_key};
use crate::{Clients, Error, ModelConfig, Usage, direct};

/// Parts the fields of the form; longer than any chance in the bytes of a recording.
const BOUNDARY: &str = "crabhook-7d1f0b9c5a3e48f6b2d4-part";

/// What was said in a recording, and what finding out took.
#[derive(Debug, Clone, PartialEq)]
pub struct Transcript {
    /// In the language it was said in. Empty when nothing was.
    pub text: String,
    /// Zero where the provider counts time, or nothing.
    pub usage: Usage,
    /// How long the recording is, where the provider counts that.
    pub seconds: Option<f64>,
}

/// Writes down what is said in a recording.
///
/// `media_type` is the platform's: `audio/ogg; codecs=opus`. Providers tell the format by the name of the file,
/// which is made from it.
///
/// # Errors
/// See [`Error`]; [`Error::Unfit`] when the provider does not take the format or size.
pub async fn transcribe(
    config: &ModelConfig,
    clients: &Clients,
    audio: &[u8],
    media_type: &str,
) -> Result<Transcript, Error> {
    let provider = match config.provider.as_str() {
        "bedrock" => return Err(cannot(config)),
        _ => Provider::of(config)?,
    };
    provider.auth(config)?;
    let answer = match provider {
        Provider::Gemini => direct::json(gemini(config, clients, audio, media_type)?).await?,
        Provider::Anthropic | Provider::DeepSeek | Provider::OpenRouter | Provider::Ollama => {
            return Err(cannot(config));
        }
        _ => direct::json(form(provider, config, clients, audio, media_type)?).await?,
    };
    let text = match provider {
        Provider::Gemini => spoken(&answer),
        _ => answer.get("text").and_then(Value::as_str).map(str::to_owned),
    };
    let text = text.ok_or(direct::unreadable())?.trim().to_owned();
    let (usage, seconds) = counted(&answer);
    Ok(Transcript { text, usage, seconds })
}

/// Tokens or seconds, as OpenAI (<https://platform.openai.com/docs/api-reference/audio/json-object>), Mistral
/// (<https://docs.mistral.ai/api/endpoint/audio/transcriptions>) and Gemini (<https://ai.google.dev/api/generate-content#UsageMetadata>)
/// name them.
fn counted(answer: &Value) -> (Usage, Option<f64>) {
    let count = |names: &[&str]| {
        let counts = names.iter().filter_map(|name| answer.pointer(name)?.as_u64());
        counts.fold(0_u32, |sum, count| sum.saturating_add(u32::try_from(count).unwrap_or(u32::MAX)))
    };
    let usage = Usage {
        input: count(&["/usage/input_tokens", "/usage/prompt_tokens", "/usageMetadata/promptTokenCount"]),
        output: count(&[
            "/usage/output_tokens",
            "/usage/completion_tokens",
            "/usageMetadata/candidatesTokenCount",
            "/usageMetadata/thoughtsTokenCount",
        ]),
        ..Usage::default()
    };
    let seconds = ["/usage/seconds", "/usage/prompt_audio_seconds"];
    (usage, seconds.iter().find_map(|name| answer.pointer(name)?.as_f64()))
}

/// <https://platform.openai.com/docs/api-reference/audio/createTranscription>
fn form(
    provider: Provider,
    config: &ModelConfig,
    clients: &Clients,
    audio: &[u8],
    media_type: &str,
) -> Result<RequestBuilder, Error> {
    let file = format!("voice.{}", extension(media_type));
    let mut body = Vec::with_capacity(audio.len() + 512);
    let field = |name: &str| format!("--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"{name}\"");
    body.extend(format!("{}\r\n\r\n{}\r\n", field("model"), config.model_name()?).into_bytes());
    body.extend(format!("{}\r\n\r\njson\r\n", field("response_format")).into_bytes());
    let kind = plain(media_type);
    body.extend(
        format!("{}; filename=\"{file}\"\r\ncontent-type: {kind}\r\n\r\n", field("file")).into_bytes(),
    );
    body.extend_from_slice(audio);
    body.extend(format!("\r\n--{BOUNDARY}--\r\n").into_bytes());
    let url = format!("{}audio/transcriptions", provider.endpoint(config)?);
    let request = bearer(clients.http.post(url), config);
    Ok(request.header("content-type", format!("multipart/form-data; boundary={BOUNDARY}")).body(body))
}

fn gemini(
    config: &ModelConfig,
    clients: &Clients,
    audio: &[u8],
    media_type: &str,
) -> Result<RequestBuilder, Error> {
    let url =
        format!("{}models/{}:generateContent", Provider::Gemini.endpoint(config)?, config.model_name()?);
    let recording = json!({"inline_data": {"mime_type": plain(media_type), "data": BASE64.encode(audio)}});
    let task = json!({"text": "Write down word for word what is said. Write nothing else, and nothing if nobody speaks."});
    let body = json!({"contents": [{"role": "user", "parts": [task, recording]}]});
    Ok(with_key(clients.http.post(url), "x-goog-api-key", config).json(&body))
}

/// Gemini's answer without its thoughts. A stop without any text says that nobody spoke.
fn spoken(answer: &Value) -> Option<String> {
    let candidate = answer.pointer("/candidates/0")?;
    let parts = candidate.pointer("/content/parts").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let said = parts.iter().filter(|part| part.get("thought").is_none());
    Some(said.filter_map(|part| part.get("text")?.as_str()).collect())
}

/// Without parameters, of which a header must not be made: the type comes from a stranger.
fn plain(media_type: &str) -> &'static str {
    match extension(media_type) {
        "mp3" => "audio/mpeg",
        "m4a" => "audio/mp4",
        "wav" => "audio/wav",
        "webm" => "audio/webm",
        "flac" => "audio/flac",
        _ => "audio/ogg",
    }
}

/// What platforms record in, by the names that providers know. Voice messages are Opus in Ogg where they are not
/// something else.
fn extension(media_type: &str) -> &'static str {
    let kind = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match kind.rsplit('/').next().unwrap_or_default() {
        "mpeg" | "mp3" | "mpga" => "mp3",
        "mp4" | "m4a" | "x-m4a" | "aac" => "m4a",
        "wav" | "x-wav" | "wave" => "wav",
        "webm" => "webm",
        "flac" | "x-flac" => "flac",
        _ => "ogg",
    }
}

fn cannot(config: &ModelConfig) -> Error {
    Error::NotSetUp(format!(
        "provider `{}` does not transcribe: use openai, azure, groq, mistral or gemini for voice messages",
        config.provider
    ))
}
