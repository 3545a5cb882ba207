//! The services of AWS that tools use. Three requests are no reason to link three SDKs: they are made by hand, signed
//! with version 4.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation,
    SigningInstructions, SigningSettings, UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::identity::Identity;
use channel::encode;
use egress::{Answer, Call, Egress, HeaderMap, HeaderName, HeaderValue, Method, Trust};

use crate::Error;

/// The account and what of the stack tools need.
#[derive(Clone)]
pub struct Cloud {
    pub region: String,
    pub credentials: Credentials,
    /// In place of all services' own addresses: the local cloud's.
    pub endpoint: Option<String>,
    /// The bucket whose `knowledge/` holds what assistants look things up in.
    pub bucket: String,
    /// Where reminders go when their time has come.
    pub queue_arn: String,
    pub schedule_group: String,
    /// The role that puts them there.
    pub schedule_role: String,
}

/// A request to a service, not yet signed.
pub(crate) struct Request<'a> {
    pub service: &'a str,
    pub method: Method,
    pub url: String,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
    pub time_out: Duration,
    pub max_bytes: usize,
}

impl Cloud {
    /// The address of a service, without a `/` at the end.
    pub(crate) fn base(&self, service: &str) -> String {
        match &self.endpoint {
            Some(endpoint) => endpoint.trim_end_matches('/').to_owned(),
            None => format!("https://{service}.{}.{}", self.region, self.domain()),
        }
    }

    /// The address of an object. The local cloud knows buckets by path only; of AWS, newer buckets are promised by name
    /// of the host only: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html>
    pub(crate) fn object(&self, key: &str) -> String {
        let bucket = &self.bucket;
        match &self.endpoint {
            Some(endpoint) => format!("{}/{bucket}/{key}", endpoint.trim_end_matches('/')),
            None => format!("https://{bucket}.s3.{}.{}/{key}", self.region, self.domain()),
        }
    }

    /// <https://docs.aws.amazon.com/general/latest/gr/rande.html>
    fn domain(&self) -> &'static str {
        if self.region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" }
    }

    pub(crate) async fn send(&self, egress: &Egress, request: Request<'_>) -> Result<Answer, Error> {
        let headers = self.signed(&request, SystemTime::now())?;
        let call = Call {
            method: request.method,
            url: &request.url,
            headers,
            body: request.body,
            time_out: request.time_out,
            max_bytes: request.max_bytes,
            trust: Trust::Configured,
        };
        Ok(egress.send(call).await?)
    }

    /// The address of an object with a proof that whoever has it may read it for so long, if the credentials live that long.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/ShareObjectPreSignedURL.html>
    pub(crate) fn link(&self, url: &str, lives: Duration, now: SystemTime) -> Result<String, Error> {
        let mut settings = s3_settings();
        settings.signature_location = SignatureLocation::QueryParams;
        settings.expires_in = Some(lives);
        settings.payload_checksum_kind = PayloadChecksumKind::NoHeader;
        let signable = SignableRequest::new("GET", url, std::iter::empty(), SignableBody::UnsignedPayload)
            .map_err(unsigned)?;
        let proof = self.sign(signable, "s3", settings, now)?;
        let mut link = url.to_owned();
        for (name, value) in proof.params() {
            link.push(if link.contains('?') { '&' } else { '?' });
            link.push_str(&format!("{name}={}", encode::segment(value)));
        }
        Ok(link)
    }

    /// The request's headers with those that prove it.
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html>
    fn signed(&self, request: &Request<'_>, now: SystemTime) -> Result<HeaderMap, Error> {
        let settings = if request.service == "s3" { s3_settings() } else { SigningSettings::default() };
        let headers = request.headers.iter().map(|(name, value)| (*name, value.as_str()));
        let body = SignableBody::Bytes(&request.body);
        let signable =
            SignableRequest::new(request.method.as_str(), &request.url, headers, body).map_err(unsigned)?;
        let proof = self.sign(signable, request.service, settings, now)?;
        let given = request.headers.iter().map(|(name, value)| (*name, value.as_str()));
        let all = given.chain(proof.headers());
        Ok(all
            .filter_map(|(name, value)| {
                Some((HeaderName::try_from(name).ok()?, HeaderValue::try_from(value).ok()?))
            })
            .collect())
    }

    fn sign(
        &self,
        signable: SignableRequest<'_>,
        service: &str,
        settings: SigningSettings,
        now: SystemTime,
    ) -> Result<SigningInstructions, Error> {
        let identity: Identity = self.credentials.clone().into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(service)
            .time(now)
            .settings(settings)
            .build()
            .map_err(unsigned)?;
        Ok(sign(signable, &params.into()).map_err(unsigned)?.into_parts().0)
    }
}

/// S3 takes paths as they stand and wants the hash of the body.
fn s3_settings() -> SigningSettings {
    let mut settings = SigningSettings::default();
    settings.percent_encoding_mode = PercentEncodingMode::Single;
    settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
    settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    settings
}

fn unsigned(why: impl std::fmt::Display) -> Error {
    Error::NotSetUp(format!("the request cannot be signed: {why}"))
}

#[cfg(test)]
pub(crate) mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    pub fn cloud(endpoint: Option<String>) -> Cloud {
        Cloud {
            region: "us-east-1".into(),
            credentials: Credentials::new(
                "AKIDEXAMPLE",
                "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
                None,
                None,
                "test",
            ),
            endpoint,
            bucket: "documents".into(),
            queue_arn: "arn:aws:sqs:us-east-1:000000000000:messages".into(),
            schedule_group: "crabhook".into(),
            schedule_role: "arn:aws:iam::000000000000:role/reminder".into(),
        }
    }

    /// `get-vanilla` of AWS's own test suite for version 4.
    /// <https://github.com/awslabs/aws-c-auth/tree/main/tests/aws-signing-test-suite/v4/get-vanilla>
    #[test]
    fn signature_version_4_known_answer() {
        let request = Request {
            service: "service",
            method: Method::GET,
            url: "https://example.amazonaws.com/".into(),
            headers: vec![],
            body: vec![],
            time_out: Duration::ZERO,
            max_bytes: 0,
        };
        let now = UNIX_EPOCH + Duration::from_secs(1_440_938_160);
        let headers = cloud(None).signed(&request, now).unwrap();
        let expected = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
                        SignedHeaders=host;x-amz-date, \
                        Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";
        assert_eq!(headers["authorization"], expected);
    }

    /// The example of <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html>.
    #[test]
    fn a_links_signature_is_the_known_one() {
        let credentials = Credentials::new(
            "AKIAIOSFODNN7EXAMPLE",
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            None,
            None,
            "test",
        );
        let cloud = Cloud { credentials, ..cloud(None) };
        let now = UNIX_EPOCH + Duration::from_secs(1_369_353_600);
        let url = "https://examplebucket.s3.amazonaws.com/test.txt";
        let link = cloud.link(url, Duration::from_secs(86_400), now).unwrap();
        let expected = "?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request\
                        &X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host\
                        &X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";
        assert_eq!(link, format!("{url}{expected}"));
        let session = Credentials::new("AK", "secret", Some("a/b+c".into()), None, "test");
        let cloud = Cloud { credentials: session, ..cloud };
        let link = cloud.link(&format!("{url}?a=b%20c"), Duration::from_secs(60), now).unwrap();
        assert!(link.starts_with(&format!("{url}?a=b%20c&X-Amz-")), "{link}");
        assert!(link.contains("&X-Amz-Security-Token=a%2Fb%2Bc"), "{link}");
    }

    #[test]
    fn addresses_are_the_regions_or_the_local_clouds() {
        let aws = cloud(None);
        assert_eq!(aws.base("lambda"), "https://lambda.us-east-1.amazonaws.com");
        assert_eq!(
            aws.object("knowledge/a/index.json"),
            "https://documents.s3.us-east-1.amazonaws.com/knowledge/a/index.json"
        );
        let china = Cloud { region: "cn-north-1".into(), ..cloud(None) };
        assert_eq!(china.base("scheduler"), "https://scheduler.cn-north-1.amazonaws.com.cn");
        let local = cloud(Some("http://127.0.0.1:4566/".into()));
        assert_eq!(local.base("lambda"), "http://127.0.0.1:4566");
        assert_eq!(local.object("k"), "http://127.0.0.1:4566/documents/k");
    }
}
