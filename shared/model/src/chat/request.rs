//! From a question to genai's request.

use data_encoding::BASE64;
use genai::Headers;
use genai::adapter::AdapterKind;
use genai::chat::{
    CacheControl, ChatMessage, ChatOptions, ChatRequest, ContentPart, MessageContent, Tool, ToolCall,
    ToolChoice, ToolResponse,
};
use secrecy::ExposeSecret;
use serde_json::json;

use super::{Provider, thought};
use crate::prompt::{self, Call, Returned, Turn, own};
use crate::{Ask, ModelConfig};

pub(super) fn options(provider: Provider, config: &ModelConfig, ask: &Ask) -> ChatOptions {
    let mut options = ChatOptions::default()
        .with_capture_usage(true)
        .with_capture_tool_calls(true)
        .with_capture_reasoning_content(provider.keeps_thoughts(config.reasoning));
    options.reasoning_effort = provider.effort(config.reasoning);
    options.max_tokens = config.most_tokens(ask.max_output_tokens);
    if provider.takes_temperature(config.reasoning) {
        options.temperature = ask.temperature.map(f64::from);
    }
    // genai switches the caching of OpenAI's newer models off unless somebody wants it; this word for wanting it
    // leaves it to OpenAI and adds nothing to the request.
    if provider.kind() == AdapterKind::OpenAI || provider.kind() == AdapterKind::OpenAIResp {
        options.cache_control = Some(CacheControl::Ephemeral5m);
    }
    if may_not_call(provider, ask) {
        options.tool_choice = Some(ToolChoice::None);
    }
    let key = config.key.as_ref().map(|key| key.expose_secret());
    match (provider, key) {
        // genai sends Ollama no key; one behind a proxy, or ollama.com, wants it.
        (Provider::Ollama, Some(key)) => {
            options.with_extra_headers(Headers::from(("Authorization".to_owned(), format!("Bearer {key}"))))
        }
        // A deployment's name does not say which model it is; all of them take the newer field.
        (Provider::Azure, _) => match options.max_tokens.take() {
            Some(most) => options.with_extra_body(json!({ "max_completion_tokens": most })),
            None => options,
        },
        // genai asks for a summary of the thoughts, which OpenAI gives verified organisations only. The thoughts
        // themselves, encrypted, do.
        // Claude behind OpenRouter keeps what it is told to keep: everything, here.
        // https://openrouter.ai/docs/guides/best-practices/prompt-caching#anthropic-claude
        (Provider::OpenRouter, _) if config.model.starts_with("anthropic/") => {
            options.with_extra_body(json!({ "cache_control": { "type": "ephemeral" } }))
        }
        (Provider::Responses | Provider::AzureResponses, _) if config.reasoning => {
            options.with_extra_body(json!({ "reasoning": { "summary": null } }))
        }
        _ => options,
    }
}

pub(super) fn request(provider: Provider, title: &str, ask: &Ask) -> ChatRequest {
    let turns = prompt::turns(ask);
    let marked = cached(provider, &turns);
    let mut messages = Vec::new();
    if !ask.system.trim().is_empty() && marks(provider) {
        messages.push(mark(ChatMessage::system(&ask.system)));
    }
    for (position, turn) in turns.into_iter().enumerate() {
        match turn {
            Turn::User { text, images } => messages.push(user(text, &images)),
            Turn::Assistant { text, calls } => messages.push(assistant(text, calls, title)),
            // genai keeps one result of a message for Ollama, and Anthropic wants all of them in one.
            Turn::Results(results) if provider == Provider::Ollama => {
                messages.extend(results.into_iter().map(|result| ChatMessage::from(response(result))));
            }
            Turn::Results(results) => {
                let responses: Vec<ToolResponse> = results.into_iter().map(response).collect();
                messages.push(ChatMessage::from(responses));
            }
        }
        if marked.contains(&position)
            && let Some(last) = messages.pop()
        {
            messages.push(mark(last));
        }
    }
    let request = ChatRequest::from_messages(messages);
    let request = if ask.system.trim().is_empty() || marks(provider) {
        request
    } else {
        request.with_system(&ask.system)
    };
    let tools: Vec<Tool> = offered(provider, ask);
    if tools.is_empty() { request } else { request.with_tools(tools) }
}

/// Whether the provider wants to be told what to keep in its cache; the others find out by themselves.
fn marks(provider: Provider) -> bool {
    provider == Provider::Anthropic
}

/// The turns up to which the conversation is worth keeping in the provider's cache, if there is more than the
/// question: the newest, for the rounds of this answer; and the one before the question, for the next answer, because
/// the question itself may come again without what only holds now.
fn cached(provider: Provider, turns: &[Turn<'_>]) -> Vec<usize> {
    if turns.len() < 2 || !marks(provider) {
        return Vec::new();
    }
    let question = turns.iter().rposition(|turn| matches!(turn, Turn::User { .. }));
    [question.and_then(|at| at.checked_sub(1)), Some(turns.len() - 1)].into_iter().flatten().collect()
}

fn mark(message: ChatMessage) -> ChatMessage {
    message.with_options(CacheControl::Ephemeral)
}

/// Anthropic wants tools to be offered where the conversation holds calls.
fn may_not_call(provider: Provider, ask: &Ask) -> bool {
    let called = || ask.messages.iter().any(|message| !message.calls.is_empty());
    provider == Provider::Anthropic && ask.tools.is_empty() && called()
}

fn offered(provider: Provider, ask: &Ask) -> Vec<Tool> {
    let specs = if may_not_call(provider, ask) { prompt::tools(ask) } else { ask.tools.clone() };
    let tool = |spec: crate::ToolSpec| {
        let tool = Tool::new(spec.name).with_description(spec.description).with_schema(spec.schema);
        match provider {
            // Strict there means that every property is required, which schemas of others do not expect.
            Provider::Responses | Provider::AzureResponses => tool.with_strict(false),
            _ => tool,
        }
    };
    specs.into_iter().map(tool).collect()
}

fn user(text: String, images: &[&crate::Image]) -> ChatMessage {
    if images.is_empty() {
        return ChatMessage::user(text);
    }
    let image = |image: &&crate::Image| {
        ContentPart::from_binary_base64(&image.media_type, BASE64.encode(&image.bytes), None)
    };
    let mut parts: Vec<ContentPart> = images.iter().map(image).collect();
    if !text.trim().is_empty() {
        parts.push(ContentPart::Text(text));
    }
    ChatMessage::user(MessageContent::from_parts(parts))
}

/// Thoughts first, then the text, then the calls: the order in which they came.
fn assistant(text: String, calls: Vec<Call<'_>>, title: &str) -> ChatMessage {
    let mut parts: Vec<ContentPart> = Vec::new();
    for call in &calls {
        let thoughts = own(call.signature, title).and_then(|thoughts| thoughts.get("parts")?.as_array());
        parts.extend(thoughts.into_iter().flatten().filter_map(thought::given_back));
    }
    if !text.trim().is_empty() {
        parts.push(ContentPart::Text(text));
    }
    parts.extend(calls.into_iter().map(|call| {
        let thoughts = own(call.signature, title).and_then(|thoughts| thoughts.get("signatures"));
        ContentPart::ToolCall(ToolCall {
            call_id: call.id,
            fn_name: call.name.to_owned(),
            fn_arguments: call.arguments,
            thought_signatures: thoughts
                .and_then(|signatures| serde_json::from_value(signatures.clone()).ok()),
        })
    }));
    ChatMessage::assistant(MessageContent::from_parts(parts))
}

fn response(result: Returned<'_>) -> ToolResponse {
    ToolResponse::new(result.id, result.text).with_fn_name(result.name)
}
