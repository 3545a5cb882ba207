//! Where files are put: the stack's bucket, by addresses that are signed for one file each. The bytes do not come through this
//! function, so its 6 MB a request are no bound.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html>

use std::time::{Duration, UNIX_EPOCH};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::identity::Identity;
use channel::encode::segment;
use egress::{Call, Egress, HeaderMap, HeaderValue, Method, Trust};
use ingress::{Error, aws};

/// An address takes its file for so long: a large one on a slow line begins in time.
const OPEN: Duration = Duration::from_secs(600);
/// A file of a program's is put there within this time.
const PUT_TIME_OUT: Duration = Duration::from_secs(10);
/// Answers say only what went wrong, bytes.
const MAX_ANSWER: usize = 64 << 10;

pub struct Bucket {
    name: String,
    region: String,
    /// The local cloud's, in place of AWS's own.
    endpoint: Option<String>,
    credentials: Credentials,
}

impl Bucket {
    /// Touches no network. `None` in a stack of an older template, which names no bucket: no files are taken then.
    ///
    /// # Errors
    /// The environment is not that of a function; the text names the variable.
    pub fn from_env() -> Result<Option<Bucket>, Error> {
        let Ok(name) = aws::variable("BUCKET") else { return Ok(None) };
        Ok(Some(Bucket {
            name,
            region: aws::variable("AWS_REGION")?,
            endpoint: aws::variable("AWS_ENDPOINT_URL").ok(),
            credentials: aws::credentials()?,
        }))
    }

    /// The address that takes exactly so many bytes under this key, by a PUT that says the same media type. `now` is Unix
    /// milliseconds. `None`: it cannot be signed.
    pub fn address(&self, key: &str, media_type: &str, size: u64, now: i64) -> Option<String> {
        let size = size.to_string();
        self.signed(
            "PUT",
            &self.object(key),
            &[("content-length", &size), ("content-type", media_type)],
            OPEN,
            now,
        )
    }

    /// Puts a file there.
    ///
    /// # Errors
    /// It is not there; the text says why, and names no address.
    pub async fn put(&self, key: &str, media_type: &str, bytes: Vec<u8>, now: i64) -> Result<(), String> {
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let url = self.address(key, media_type, size, now).ok_or("the request cannot be signed")?;
        let mut headers = HeaderMap::new();
        headers.insert("content-type", HeaderValue::try_from(media_type).map_err(|error| error.to_string())?);
        let egress = Egress::new().map_err(|error| error.to_string())?;
        let call = Call {
            method: Method::PUT,
            url: &url,
            headers,
            body: bytes,
            time_out: PUT_TIME_OUT,
            max_bytes: MAX_ANSWER,
            trust: Trust::Configured,
        };
        match egress.send(call).await {
            Ok(answer) if answer.status == 200 => Ok(()),
            Ok(answer) => Err(format!("the bucket answers {}", answer.status)),
            Err(error) => Err(error.to_string()),
        }
    }

    /// The local cloud knows buckets by path only. <https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html>
    fn object(&self, key: &str) -> String {
        let Bucket { name, region, .. } = self;
        let domain = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
        match &self.endpoint {
            Some(endpoint) => format!("{}/{name}/{key}", endpoint.trim_end_matches('/')),
            None => format!("https://{name}.s3.{region}.{domain}/{key}"),
        }
    }

    fn signed(
        &self,
        method: &str,
        url: &str,
        headers: &[(&str, &str)],
        open: Duration,
        now: i64,
    ) -> Option<String> {
        let mut settings = SigningSettings::default();
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        settings.signature_location = SignatureLocation::QueryParams;
        settings.expires_in = Some(open);
        let identity: Identity = self.credentials.clone().into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name("s3")
            .time(UNIX_EPOCH + Duration::from_millis(u64::try_from(now).unwrap_or(0)))
            .settings(settings)
            .build()
            .ok()?;
        let body = SignableBody::UnsignedPayload;
        let request = SignableRequest::new(method, url, headers.iter().copied(), body).ok()?;
        let (instructions, _) = sign(request, &params.into()).ok()?.into_parts();
        let query = instructions.params().iter().map(|(name, value)| format!("{name}={}", segment(value)));
        Some(format!("{url}?{}", query.collect::<Vec<_>>().join("&")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket(endpoint: Option<&str>) -> Bucket {
        let (id, secret) = ("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
        Bucket {
            name: "files".into(),
            region: "us-east-1".into(),
            endpoint: endpoint.map(str::to_owned),
            credentials: Credentials::new(id, secret, None, None, "test"),
        }
    }

    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html#query-string-auth-v4-signing-example>
    #[test]
    fn signature_of_an_address_known_answer() {
        let url = "https://examplebucket.s3.amazonaws.com/test.txt";
        let signed =
            bucket(None).signed("GET", url, &[], Duration::from_secs(86_400), 1_369_353_600_000).unwrap();
        let signature = "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";
        assert!(signed.starts_with(url) && signed.contains(signature), "{signed}");
        assert!(
            signed.contains("&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"),
            "{signed}"
        );
    }

    /// Another size, kind, key or time is another signature, so nothing else can be put there.
    #[test]
    fn an_address_is_for_one_file() {
        let address =
            |key: &str, kind: &str, size: u64, now: i64| bucket(None).address(key, kind, size, now).unwrap();
        let one = address("media/web/main/s/1", "image/png", 5, 0);
        assert!(
            one.starts_with("https://files.s3.us-east-1.amazonaws.com/media/web/main/s/1?X-Amz-"),
            "{one}"
        );
        assert!(
            one.contains("X-Amz-SignedHeaders=content-length%3Bcontent-type%3Bhost")
                && one.contains("X-Amz-Expires=600")
        );
        let signature = |url: &str| url.split_once("X-Amz-Signature=").unwrap().1.to_owned();
        for other in [
            address("media/web/main/s/2", "image/png", 5, 0),
            address("media/web/main/s/1", "image/gif", 5, 0),
            address("media/web/main/s/1", "image/png", 6, 0),
            address("media/web/main/s/1", "image/png", 5, 1_000),
        ] {
            assert_ne!(signature(&one), signature(&other));
        }
        let local = bucket(Some("http://127.0.0.1:1/")).address("k", "image/png", 5, 0).unwrap();
        assert!(local.starts_with("http://127.0.0.1:1/files/k?"), "{local}");
    }
}
