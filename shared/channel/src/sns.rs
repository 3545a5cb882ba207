//! Messages of Amazon SNS, as it POSTs them to an address.
//! <https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html>

use aws_lc_rs::signature::{
    RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey,
};
use serde_json::{Map, Value};

use crate::{Keys, Reject, pem, sign};

/// Checks that SNS sent this message about that topic. `keys` holds certificates by address.
///
/// # Errors
/// [`Reject::Forged`], or [`Reject::NeedKey`] where the certificate is not among `keys`.
pub fn verify(message: &Map<String, Value>, topic: &str, keys: &Keys) -> Result<(), Reject> {
    let field = |name: &str| message.get(name).and_then(Value::as_str);
    if !sign::equal(field("TopicArn").unwrap_or("").as_bytes(), topic.as_bytes()) {
        return Err(Reject::Forged("another topic"));
    }
    let url = field("SigningCertURL")
        .filter(|url| is_of_sns(url))
        .ok_or(Reject::Forged("no certificate of SNS"))?;
    let signature = field("Signature").and_then(sign::from_base64).ok_or(Reject::Forged("no signature"))?;
    let algorithm = match field("SignatureVersion") {
        Some("1") => &RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY,
        Some("2") => &RSA_PKCS1_2048_8192_SHA256,
        _ => return Err(Reject::Forged("unknown version of the signature")),
    };
    let signed = signed(message).ok_or(Reject::Forged("unknown type"))?;
    let need = || Reject::NeedKey { url: url.to_owned(), kid: "certificate".to_owned() };
    let certificate = keys.get(url).and_then(|pem| pem::decode(pem)).ok_or_else(need)?;
    let key = pem::certificate_key(&certificate).ok_or(Reject::Forged("no certificate of SNS"))?;
    let key = UnparsedPublicKey::new(algorithm, key);
    key.verify(signed.as_bytes(), &signature).map_err(|_| Reject::Forged("signature"))
}

/// Names and values of the fields that a signature covers, in the order of their names.
fn signed(message: &Map<String, Value>) -> Option<String> {
    let names: &[&str] = match message.get("Type").and_then(Value::as_str)? {
        "Notification" => &["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"],
        "SubscriptionConfirmation" | "UnsubscribeConfirmation" => {
            &["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
        }
        _ => return None,
    };
    let line = |name: &&str| Some(format!("{name}\n{}\n", message.get(*name)?.as_str()?));
    Some(names.iter().filter_map(line).collect())
}

/// Whether a certificate lies where only SNS can put it: `https://sns.<region>.amazonaws.com/….pem`.
fn is_of_sns(url: &str) -> bool {
    let Some((host, path)) = url.strip_prefix("https://sns.").and_then(|rest| rest.split_once('/')) else {
        return false;
    };
    let region = host.strip_suffix(".amazonaws.com").or_else(|| host.strip_suffix(".amazonaws.com.cn"));
    let is_region = |region: &str| {
        region.len() >= 3 && region.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    region.is_some_and(is_region)
        && path
            .strip_suffix(".pem")
            .is_some_and(|name| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_lie_with_sns() {
        for (url, ok) in [
            ("https://sns.us-east-1.amazonaws.com/SimpleNotificationService-1a2b.pem", true),
            ("https://sns.cn-north-1.amazonaws.com.cn/x.pem", true),
            ("http://sns.us-east-1.amazonaws.com/x.pem", false),
            ("https://sns.us-east-1.amazonaws.com.evil.example/x.pem", false),
            ("https://sns.evil.example/sns.us-east-1.amazonaws.com/x.pem", false),
            ("https://sns.us-east-1.amazonaws.com@evil.example/x.pem", false),
            ("https://sns.us-east-1.amazonaws.com/x.pem?a=.pem", false),
            ("https://sns.us-east-1.amazonaws.com/../x.pem", false),
            ("https://sns.a.amazonaws.com/x.pem", false),
        ] {
            assert_eq!(is_of_sns(url), ok, "{url}");
        }
    }

    /// A message signed with a throw-away key, with its certificate.
    #[test]
    fn known_answers() {
        let vectors: Vec<Value> = serde_json::from_str(include_str!("sns/vectors.json")).unwrap();
        let mut judged = 0;
        for vector in vectors {
            let text = |name: &str| vector["secrets"][name].as_str().unwrap().to_owned();
            let body: Map<String, Value> =
                serde_json::from_str(vector["request"]["body"].as_str().unwrap()).unwrap();
            let url = body["SigningCertURL"].as_str().unwrap().to_owned();
            let keys = Keys::from([(url, text("cert_pem"))]);
            let verdict = verify(&body, &text("topic_arn"), &keys);
            assert_eq!(verdict.is_ok(), vector["expected"]["valid"], "{}: {verdict:?}", vector["name"]);
            if verdict.is_ok() {
                assert!(matches!(
                    verify(&body, &text("topic_arn"), &Keys::new()),
                    Err(Reject::NeedKey { .. })
                ));
            }
            judged += 1;
        }
        assert_eq!(judged, 4);
    }
}
