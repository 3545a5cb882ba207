//! From a question to a Converse request.

use aws_sdk_bedrockruntime::operation::converse_stream::builders::ConverseStreamFluentBuilder;
use aws_sdk_bedrockruntime::types::{
    CachePointBlock, CachePointType, ContentBlock, ConversationRole, ImageBlock, ImageFormat, ImageSource,
    InferenceConfiguration, Message, ReasoningContentBlock, ReasoningTextBlock, SystemContentBlock, Tool,
    ToolConfiguration, ToolInputSchema, ToolResultBlock, ToolResultContentBlock, ToolSpecification,
    ToolUseBlock,
};
use aws_smithy_types::Blob;
use aws_smithy_types::error::operation::BuildError;
use data_encoding::BASE64;
use serde_json::Value;

use super::document::document;
use super::family::Family;
use crate::prompt::{self, Call, Returned, Turn, own};
use crate::{Ask, Error, Image, ModelConfig};

pub(super) fn fill(
    request: ConverseStreamFluentBuilder,
    config: &ModelConfig,
    title: &str,
    ask: &Ask,
) -> Result<ConverseStreamFluentBuilder, Error> {
    let model = config.model_name()?;
    let family = Family::of(model);
    let turns = prompt::turns(ask);
    let mut messages = messages(turns, title).map_err(|_| incomplete())?;
    let mut request = request.model_id(model);
    if !ask.system.trim().is_empty() {
        request = request.system(SystemContentBlock::Text(ask.system.clone()));
        if family.caches_system() {
            request = request.system(SystemContentBlock::CachePoint(cache_point()?));
        }
    }
    if family.caches_messages() && messages.len() > 1 {
        keep(&mut messages)?;
    }
    for (role, content) in messages {
        let message = Message::builder().role(role).set_content(Some(content)).build();
        request = request.messages(message.map_err(|_| incomplete())?);
    }
    if let Some(tools) = tools(ask).map_err(|_| incomplete())? {
        request = request.tool_config(tools);
    }
    let thinking = family.thinking().filter(|_| config.reasoning);
    // Models take no temperature while they think.
    let temperature = ask.temperature.filter(|_| thinking.is_none());
    let most = config.most_tokens(ask.max_output_tokens);
    let most = most.map(|most| i32::try_from(most).unwrap_or(i32::MAX));
    let inference =
        InferenceConfiguration::builder().set_max_tokens(most).set_temperature(temperature).build();
    let fields = thinking.as_ref().map(document);
    Ok(request.inference_config(inference).set_additional_model_request_fields(fields))
}

type Contents = Vec<(ConversationRole, Vec<ContentBlock>)>;

/// What the user says after results stands in one message with them: Converse wants roles to alternate.
fn messages(turns: Vec<Turn<'_>>, title: &str) -> Result<Contents, BuildError> {
    let mut messages: Contents = Vec::new();
    for turn in turns {
        let (role, content) = match turn {
            Turn::User { text, images } => (ConversationRole::User, user(text, &images)?),
            Turn::Assistant { text, calls } => (ConversationRole::Assistant, assistant(text, calls, title)?),
            Turn::Results(results) => {
                let content: Result<_, _> = results.into_iter().map(result).collect();
                (ConversationRole::User, content?)
            }
        };
        match messages.last_mut() {
            Some((last, earlier)) if *last == role => earlier.extend(content),
            _ => messages.push((role, content)),
        }
    }
    Ok(messages)
}

/// Marks what is worth keeping in the cache: all of it, for the rounds of this answer; and what comes before the
/// question, for the next answer, because the question itself may come again without what only holds now.
fn keep(messages: &mut Contents) -> Result<(), Error> {
    let asks = |(role, content): &(ConversationRole, Vec<ContentBlock>)| {
        *role == ConversationRole::User && !content.iter().all(ContentBlock::is_tool_result)
    };
    let question = messages.iter().rposition(asks);
    let places = [question.and_then(|at| at.checked_sub(1)), messages.len().checked_sub(1)];
    for place in places.into_iter().flatten() {
        if let Some((_, content)) = messages.get_mut(place) {
            content.push(ContentBlock::CachePoint(cache_point()?));
        }
    }
    Ok(())
}

fn user(text: String, images: &[&Image]) -> Result<Vec<ContentBlock>, BuildError> {
    let mut content = images.iter().filter_map(|image| self::image(image)).collect::<Result<Vec<_>, _>>()?;
    if !text.trim().is_empty() {
        content.push(ContentBlock::Text(text));
    }
    if content.is_empty() {
        content.push(ContentBlock::Text("[a picture that cannot be shown]".into()));
    }
    Ok(content)
}

/// `None`: Converse does not take this kind.
fn image(image: &Image) -> Option<Result<ContentBlock, BuildError>> {
    let format = match image.media_type.as_str() {
        "image/png" => ImageFormat::Png,
        "image/jpeg" => ImageFormat::Jpeg,
        "image/gif" => ImageFormat::Gif,
        "image/webp" => ImageFormat::Webp,
        _ => return None,
    };
    let source = ImageSource::Bytes(Blob::new(image.bytes.clone()));
    Some(ImageBlock::builder().format(format).source(source).build().map(ContentBlock::Image))
}

/// Thoughts first, then the text, then the calls: the order in which they came.
fn assistant(text: String, calls: Vec<Call<'_>>, title: &str) -> Result<Vec<ContentBlock>, BuildError> {
    let mut content = Vec::new();
    for thought in
        calls.iter().filter_map(|call| own(call.signature, title)).filter_map(Value::as_array).flatten()
    {
        content.extend(self::thought(thought)?);
    }
    if !text.trim().is_empty() {
        content.push(ContentBlock::Text(text));
    }
    for call in calls {
        let block =
            ToolUseBlock::builder().tool_use_id(call.id).name(call.name).input(document(&call.arguments));
        content.push(ContentBlock::ToolUse(block.build()?));
    }
    Ok(content)
}

/// As [`super::answer`] kept it.
fn thought(kept: &Value) -> Result<Option<ContentBlock>, BuildError> {
    let field = |name: &str| kept.get(name).and_then(Value::as_str).map(str::to_owned);
    if let Some(hidden) = field("redacted").and_then(|hidden| BASE64.decode(hidden.as_bytes()).ok()) {
        return Ok(Some(ContentBlock::ReasoningContent(ReasoningContentBlock::RedactedContent(Blob::new(
            hidden,
        )))));
    }
    let Some(text) = field("text") else { return Ok(None) };
    let block = ReasoningTextBlock::builder().text(text).set_signature(field("signature")).build()?;
    Ok(Some(ContentBlock::ReasoningContent(ReasoningContentBlock::ReasoningText(block))))
}

fn result(result: Returned<'_>) -> Result<ContentBlock, BuildError> {
    let text = ToolResultContentBlock::Text(result.text.to_owned());
    ToolResultBlock::builder().tool_use_id(result.id).content(text).build().map(ContentBlock::ToolResult)
}

fn tools(ask: &Ask) -> Result<Option<ToolConfiguration>, BuildError> {
    let specs = prompt::tools(ask);
    if specs.is_empty() {
        return Ok(None);
    }
    let mut tools = ToolConfiguration::builder();
    for spec in specs {
        // An empty description is refused.
        let description = Some(spec.description).filter(|description| !description.is_empty());
        let schema = ToolInputSchema::Json(document(&spec.schema));
        let tool =
            ToolSpecification::builder().name(spec.name).set_description(description).input_schema(schema);
        tools = tools.tools(Tool::ToolSpec(tool.build()?));
    }
    tools.build().map(Some)
}

fn cache_point() -> Result<CachePointBlock, Error> {
    CachePointBlock::builder().r#type(CachePointType::Default).build().map_err(|_| incomplete())
}

fn incomplete() -> Error {
    Error::Refused("a message is incomplete".into())
}
