//! What servers say, in our words. The SDK's own quote bodies and addresses, which may hold secrets: they go no further.

use channel::sign;
use rmcp::ServiceError;
use rmcp::model::{CallToolResult, ContentBlock, ResourceContents};
use rmcp::service::ClientInitializeError;
use rmcp::transport::DynamicTransportError;
use rmcp::transport::streamable_http_client::StreamableHttpError;

use crate::{Error, File, ToolResult};

type HttpError = StreamableHttpError<reqwest::Error>;

/// The result: text, and what is none. That is named in the text, where it stood.
pub(super) fn result(result: CallToolResult) -> ToolResult {
    let mut files = Vec::new();
    let mut parts: Vec<String> = result.content.iter().map(|content| block(content, &mut files)).collect();
    if parts.is_empty()
        && let Some(structured) = &result.structured_content
    {
        parts.push(structured.to_string());
    }
    ToolResult { text: parts.join("\n\n"), is_error: result.is_error.unwrap_or(false), files }
}

fn block(block: &ContentBlock, files: &mut Vec<File>) -> String {
    let mut file = |name: &str, media_type: &str, base64: &str| {
        files.extend(sign::from_base64(base64).map(|bytes| File::new(name, media_type, bytes)));
    };
    match block {
        ContentBlock::Text(text) => text.text.clone(),
        ContentBlock::Image(image) => {
            file("", &image.mime_type, &image.data);
            format!("[a picture, {}]", image.mime_type)
        }
        ContentBlock::Audio(audio) => {
            file("", &audio.mime_type, &audio.data);
            format!("[a recording, {}]", audio.mime_type)
        }
        ContentBlock::Resource(embedded) => match &embedded.resource {
            ResourceContents::TextResourceContents { uri, text, .. } => format!("{uri}:\n{text}"),
            ResourceContents::BlobResourceContents { uri, mime_type, blob, .. } => {
                file(uri, mime_type.as_deref().unwrap_or_default(), blob);
                format!("[a file, {uri}]")
            }
            _ => "[a resource]".to_owned(),
        },
        ContentBlock::ResourceLink(link) => format!("{}: {}", link.name, link.uri),
        _ => "[something that is no text]".to_owned(),
    }
}

/// Whether a server may be one that is greeted another way: it understood the request and not the method.
pub(super) fn knows_no_initialize(error: &ClientInitializeError) -> bool {
    match error {
        ClientInitializeError::JsonRpcError(_)
        | ClientInitializeError::UncorrelatedErrorResponse { .. }
        | ClientInitializeError::NoCompatibleProtocolVersion { .. } => true,
        ClientInitializeError::TransportError { error, .. } => {
            matches!(http(error), Some(HttpError::UnexpectedServerResponse(_)))
        }
        _ => false,
    }
}

pub(super) fn greeting_error(error: &ClientInitializeError) -> Error {
    match error {
        ClientInitializeError::TransportError { error, .. } => transport(error),
        // In the server's own words, which stay out of the log.
        ClientInitializeError::JsonRpcError(error) => Error::Refused(error.message.to_string()),
        ClientInitializeError::ConnectionClosed(_) => Error::NotDone("it closed the connection".to_owned()),
        _ => Error::NotSetUp("it does not speak MCP as we do".to_owned()),
    }
}

pub(super) fn service_error(error: &ServiceError) -> Error {
    match error {
        ServiceError::McpError(error) => Error::Refused(error.message.to_string()),
        ServiceError::TransportSend(error) => transport(error),
        ServiceError::Timeout { .. } => Error::InDoubt("no answer in time".to_owned()),
        ServiceError::TransportClosed => Error::InDoubt("the connection was lost".to_owned()),
        _ => Error::Refused("its answer is none that we know".to_owned()),
    }
}

fn transport(error: &DynamicTransportError) -> Error {
    match http(error) {
        Some(HttpError::Client(error)) if error.is_connect() => {
            Error::NotDone("it cannot be reached".to_owned())
        }
        Some(HttpError::Client(error)) => match error.status().map(|status| status.as_u16()) {
            Some(status) => of_status(status),
            None => Error::InDoubt("the connection was lost".to_owned()),
        },
        Some(HttpError::HttpStatus(error)) => of_status(error.status),
        Some(HttpError::AuthRequired(_) | HttpError::InsufficientScope(_)) => of_status(401),
        Some(HttpError::UnexpectedServerResponse(text)) => {
            // `HTTP 404 Not Found: …` is all that is left of the status.
            let status = text.strip_prefix("HTTP ").and_then(|rest| rest.get(..3)?.parse().ok());
            of_status(status.unwrap_or(0))
        }
        Some(HttpError::ReservedHeaderConflict(name)) => {
            Error::NotSetUp(format!("the header {name} is set by the protocol: leave it out of `headers`"))
        }
        Some(HttpError::ResponseBodyTooLarge { .. }) => Error::InDoubt("its answer is too large".to_owned()),
        Some(HttpError::SessionExpired) => Error::NotDone("it ended the session".to_owned()),
        _ => Error::InDoubt("the connection was lost".to_owned()),
    }
}

fn http(error: &DynamicTransportError) -> Option<&HttpError> {
    error.error.downcast_ref()
}

fn of_status(status: u16) -> Error {
    match status {
        401 | 403 => Error::NotSetUp(format!(
            "it does not accept our credentials ({status}): check its `headers` and their secrets"
        )),
        404 | 405 => Error::NotSetUp(format!("there is no MCP server at its address ({status})")),
        429 | 503 => Error::NotDone(format!("it is overloaded ({status})")),
        500..=599 => Error::InDoubt(format!("it failed ({status})")),
        _ => Error::Refused("its answer is none that we know".to_owned()),
    }
}
