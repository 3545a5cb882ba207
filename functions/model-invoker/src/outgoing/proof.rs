//! Signatures that cover the whole request.

use std::time::{Duration, UNIX_EPOCH};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::identity::Identity;
use channel::{Request, jwt};
use serde::Deserialize;
use serde_json::json;

use super::request::{Filling, NotSetUp, form};

/// How long an assertion counts: the most that Google allows, seconds.
const ASSERTION_S: i64 = 3_600;

/// Signs for a service of AWS with the credentials of the process.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html>
pub(super) fn sign_v4(request: &mut Request, service: &str, filling: &Filling<'_>) -> Result<(), NotSetUp> {
    let session = filling.secrets.get("aws:session_token").map(str::to_owned);
    let id = filling.get("aws:access_key_id")?;
    let credentials = Credentials::new(id, filling.get("aws:secret_access_key")?, session, None, "process");
    let identity: Identity = credentials.into();
    let mut settings = SigningSettings::default();
    if service == "s3" {
        // S3 takes paths as they stand and wants the hash of the body.
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    }
    let malformed = || NotSetUp::Malformed("aws:access_key_id".to_owned());
    let now = UNIX_EPOCH + Duration::from_millis(u64::try_from(filling.now).unwrap_or(0));
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(filling.get("aws:region")?)
        .name(service)
        .time(now)
        .settings(settings)
        .build()
        .map_err(|_| malformed())?;
    let signable = SignableRequest::new(
        &request.method,
        &request.url,
        request.headers.iter(),
        SignableBody::Bytes(&request.body),
    );
    let signed = sign(signable.map_err(|_| malformed())?, &params.into()).map_err(|_| malformed())?;
    let (instructions, _) = signed.into_parts();
    for (name, value) in instructions.headers() {
        request.headers.set(name, value);
    }
    Ok(())
}

/// What of Google's key file is used.
#[derive(Deserialize)]
struct KeyFile {
    client_email: String,
    private_key: String,
    #[serde(default)]
    private_key_id: String,
    #[serde(default = "token_uri")]
    token_uri: String,
}

fn token_uri() -> String {
    "https://oauth2.googleapis.com/token".to_owned()
}

/// Makes the body the form that Google trades for an access token.
pub(super) fn service_account(
    request: &mut Request,
    secret: &str,
    scope: &str,
    filling: &Filling<'_>,
) -> Result<(), NotSetUp> {
    let malformed = || NotSetUp::Malformed(secret.to_owned());
    let file: KeyFile = serde_json::from_str(filling.get(secret)?).map_err(|_| malformed())?;
    let now = filling.now.div_euclid(1_000);
    let claims = json!({
        "iss": file.client_email, "scope": scope, "aud": file.token_uri, "iat": now, "exp": now + ASSERTION_S,
    });
    let assertion =
        jwt::sign_rs256(&file.private_key, &file.private_key_id, &claims).ok_or_else(malformed)?;
    let fields = [("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"), ("assertion", &assertion)];
    let (content_type, body) = form(fields.into_iter());
    request.headers.set("content-type", content_type.unwrap_or_default());
    request.body = body;
    Ok(())
}

#[cfg(test)]
mod tests {
    use channel::{Headers, Secrets};

    use super::*;

    /// `get-vanilla` of AWS's own test suite for version 4.
    /// <https://github.com/awslabs/aws-c-auth/tree/main/tests/aws-signing-test-suite/v4/get-vanilla>
    #[test]
    fn signature_version_4_known_answer() {
        let secrets: Secrets = [
            ("aws:region", "us-east-1"),
            ("aws:access_key_id", "AKIDEXAMPLE"),
            ("aws:secret_access_key", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into_iter()
        .collect();
        let mut request = Request::new("GET", "https://example.amazonaws.com/", Headers::default(), "");
        sign_v4(&mut request, "service", &Filling::of(&secrets, 1_440_938_160_000)).unwrap();
        assert_eq!(request.headers.get("x-amz-date"), Some("20150830T123600Z"));
        let expected = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
                        SignedHeaders=host;x-amz-date, \
                        Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";
        assert_eq!(request.headers.get("authorization"), Some(expected));
        let nobody = Secrets::default();
        let missing = sign_v4(&mut request, "ses", &Filling::of(&nobody, 0));
        assert_eq!(missing, Err(NotSetUp::Secret("aws:access_key_id".into())));
    }

    #[test]
    fn a_service_account_signs_its_assertion() {
        let (_, public) = channel::local::platform_key();
        let file = channel::local::key_file();
        let secrets: Secrets = [("account".to_owned(), file)].into_iter().collect();
        let mut request = Request::new("POST", "https://example.com/", Headers::default(), "");
        let filling = Filling::of(&secrets, 1_795_000_000_000);
        service_account(&mut request, "account", "https://x/chat.bot", &filling).unwrap();
        let body = String::from_utf8(request.body.clone()).unwrap();
        let assertion = body.split_once("assertion=").unwrap().1;
        let checks = jwt::Checks {
            issuers: &["crabhook@local.iam.gserviceaccount.com"],
            audiences: &["https://oauth2.googleapis.com/token"],
            now: 1_795_000_000_000,
            skew_s: 0,
        };
        let keys = channel::Keys::from([("keys".to_owned(), public.to_string())]);
        let token = jwt::verify(assertion, "keys", &keys, &checks).unwrap();
        assert_eq!(token.claims["scope"], "https://x/chat.bot");
        assert!(service_account(&mut request, "other", "s", &filling).is_err());
    }
}
