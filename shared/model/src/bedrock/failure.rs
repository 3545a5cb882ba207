//! From the AWS SDK's errors to ours.

use aws_sdk_bedrockruntime::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

use crate::Error;
use crate::error::{from_status, retry_after};

pub(super) fn unsent<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> Error {
    let response = error.raw_response();
    let pause =
        response.and_then(|response| retry_after(|name| response.headers().get(name).map(str::to_owned)));
    let status = response.map(|response| response.status().as_u16());
    match (judge(error, status), pause) {
        (Error::Busy { why, .. }, retry_after @ Some(_)) => Error::Busy { retry_after, why },
        (error, _) => error,
    }
}

/// <https://docs.aws.amazon.com/bedrock/latest/userguide/troubleshooting-api-error-codes.html>
pub(super) fn judge<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>, status: Option<u16>) -> Error {
    let SdkError::ServiceError(service) = error else {
        return match error {
            SdkError::TimeoutError(_) => Error::busy("it did not answer in time"),
            SdkError::DispatchFailure(_) => Error::busy("it cannot be reached, or the connection broke"),
            SdkError::ConstructionFailure(_) => {
                Error::NotSetUp("Bedrock cannot be asked: check `model` and the AWS region".into())
            }
            _ => Error::busy("it answered something unreadable"),
        };
    };
    let message = service.err().message().unwrap_or_default();
    match service.err().code().unwrap_or_default() {
        "ThrottlingException" | "ServiceQuotaExceededException" => Error::busy("it limits our rate"),
        "ServiceUnavailableException" | "ModelNotReadyException" => Error::busy("it is overloaded"),
        "InternalServerException" | "ModelErrorException" | "ModelStreamErrorException" => Error::busy("it failed"),
        "ModelTimeoutException" => Error::busy("it did not answer in time"),
        "AccessDeniedException" => Error::NotSetUp(
            "Bedrock denies access: the model must be available to this account and region, and the role needs \
             bedrock:InvokeModelWithResponseStream on it"
                .into(),
        ),
        "UnrecognizedClientException" | "InvalidSignatureException" | "ExpiredTokenException" => {
            Error::NotSetUp("AWS does not accept the credentials: renew them".into())
        }
        "ResourceNotFoundException" => from_status(404, None, ""),
        "ValidationException" => from_status(400, None, message),
        _ => from_status(status.unwrap_or(500), None, message),
    }
}
