//! The payload of a function URL, format 2.0, and its answer; for a channel without an address, the event of an SNS topic.
//! <https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-payloads>
//! <https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html>

use std::collections::BTreeMap;

use channel::{Headers, Request, Response, sign};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The method of a request that is a notification: no HTTP request has it.
const NOTIFICATION: &str = "EVENT";

/// What of the payload is used.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Event {
    raw_path: String,
    raw_query_string: String,
    headers: BTreeMap<String, String>,
    request_context: RequestContext,
    body: Option<String>,
    is_base64_encoded: bool,
    /// Of anybody who may invoke the function: read by [`Event::notifications`] only.
    #[serde(rename = "Records")]
    records: Value,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct RequestContext {
    domain_name: String,
    http: Http,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Http {
    method: String,
    source_ip: String,
}

/// What goes back.
#[derive(Debug, Serialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Reply {
    pub status_code: u16,
    headers: BTreeMap<String, String>,
    body: String,
    is_base64_encoded: bool,
}

impl Event {
    /// The notifications of that topic, each as a request that the room can judge: `x-amz-sns-topic-arn` is set, the body is
    /// the message. Nothing for requests, whose top level Lambda writes itself, and for other topics.
    pub fn notifications(&self, topic: &str) -> Vec<Request> {
        let records = self.records.as_array().filter(|_| self.request_context.http.method.is_empty());
        let notification = |record: &Value| {
            let text = |at: &str| record.pointer(at).and_then(Value::as_str);
            let is_ours = text("/EventSource") == Some("aws:sns") && text("/Sns/TopicArn") == Some(topic);
            let headers = [("x-amz-sns-topic-arn", topic), ("x-amz-sns-message-type", "Notification")];
            let message = text("/Sns/Message").filter(|_| is_ours)?;
            Some(Request::new(NOTIFICATION, "/", headers.into_iter().collect(), message))
        };
        records.into_iter().flatten().filter_map(notification).collect()
    }

    /// The address that it came from, as Lambda saw it: headers are what a sender makes them.
    pub fn source(&self) -> &str {
        &self.request_context.http.source_ip
    }

    /// The request as it was sent, its body as raw bytes, its URL as the sender addressed it. `None` when Lambda's own
    /// encoding of the body is broken, or the method is none.
    pub fn into_request(self) -> Option<Request> {
        let body = self.body.unwrap_or_default();
        let body = if self.is_base64_encoded { sign::from_base64(&body)? } else { body.into_bytes() };
        let headers: Headers = self.headers.into_iter().collect();
        let host = headers.get("host").unwrap_or(&self.request_context.domain_name);
        // Function URLs are https only; the local cloud says when it is not.
        let scheme = headers.get("x-forwarded-proto").filter(|scheme| *scheme == "http").unwrap_or("https");
        let path = if self.raw_path.is_empty() { "/" } else { &self.raw_path };
        let mark = if self.raw_query_string.is_empty() { "" } else { "?" };
        let url = format!("{scheme}://{host}{path}{mark}{}", self.raw_query_string);
        let method = &self.request_context.http.method;
        (!method.eq_ignore_ascii_case(NOTIFICATION)).then(|| Request::new(method, &url, headers, body))
    }
}

impl From<Response> for Reply {
    fn from(response: Response) -> Reply {
        let headers = response.headers.into();
        let (body, is_base64_encoded) = match String::from_utf8(response.body) {
            Ok(text) => (text, false),
            Err(bytes) => (sign::base64(bytes.as_bytes()), true),
        };
        Reply { status_code: response.status, headers, body, is_base64_encoded }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::json;

    use super::*;

    pub fn post(path: &str, body: &str) -> Event {
        let payload = json!({
            "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": "a=1&b=%20",
            "headers": {"host": "abc.lambda-url.us-east-1.on.aws", "x-signature": body, "content-type": "text/plain"},
            "requestContext": {"accountId": "anonymous", "domainName": "abc.example", "http": {"method": "POST", "path": path}},
            "body": sign::base64(body.as_bytes()), "isBase64Encoded": true,
        });
        serde_json::from_value(payload).unwrap()
    }

    #[test]
    fn the_request_is_what_was_sent() {
        let request = post("/support/x", "{\"a\": 1}\r\n").into_request().unwrap();
        assert_eq!(request.method, "POST");
        assert_eq!(request.url, "https://abc.lambda-url.us-east-1.on.aws/support/x?a=1&b=%20");
        assert_eq!((request.path.as_str(), request.query.as_str()), ("/support/x", "a=1&b=%20"));
        assert_eq!(request.body, b"{\"a\": 1}\r\n");
        assert_eq!(request.headers.get("X-Signature"), Some("{\"a\": 1}\r\n"));
    }

    #[test]
    fn a_get_has_no_body_and_text_comes_as_it_is() {
        let get = json!({"requestContext": {"domainName": "d.example", "http": {"method": "GET"}}});
        let request = serde_json::from_value::<Event>(get).unwrap().into_request().unwrap();
        assert_eq!(
            (request.url.as_str(), request.path.as_str(), request.body.len()),
            ("https://d.example/", "/", 0)
        );
        let text =
            json!({"rawPath": "/", "body": "é", "headers": {"Host": "l:4566", "X-Forwarded-Proto": "http"}});
        let request = serde_json::from_value::<Event>(text).unwrap().into_request().unwrap();
        assert_eq!((request.url.as_str(), request.body.as_slice()), ("http://l:4566/", "é".as_bytes()));
        let broken = json!({"body": "%%", "isBase64Encoded": true});
        assert!(serde_json::from_value::<Event>(broken).unwrap().into_request().is_none());
    }

    #[test]
    fn notifications_come_from_the_own_topic_and_from_nowhere_else() {
        let record = |source: &str, topic: &str| json!({"EventSource": source, "Sns": {"TopicArn": topic, "Message": "m"}});
        let event = |value: Value| serde_json::from_value::<Event>(value).unwrap();
        let count = |value: Value| event(value).notifications("arn:t").len();
        let good = record("aws:sns", "arn:t");
        let taken = event(json!({"Records": [good]})).notifications("arn:t").remove(0);
        assert_eq!(
            (taken.method.as_str(), taken.path.as_str(), taken.body.as_slice()),
            ("EVENT", "/", &b"m"[..])
        );
        assert_eq!(taken.headers.get("x-amz-sns-topic-arn"), Some("arn:t"));
        assert_eq!(count(json!({"Records": [record("aws:sns", "arn:u")]})), 0);
        assert_eq!(count(json!({"Records": [record("aws:sqs", "arn:t")]})), 0);
        assert_eq!(count(json!({"Records": "x"})), 0);
        assert_eq!(count(json!({"body": json!({"Records": [good]}).to_string()})), 0, "a body says nothing");
        let request = json!({"Records": [good], "requestContext": {"http": {"method": "POST"}}});
        assert_eq!(count(request), 0);
        let posed = json!({"requestContext": {"http": {"method": "event"}}, "headers": {"x-amz-sns-topic-arn": "arn:t"}});
        assert!(event(posed).into_request().is_none(), "a request cannot pose as a notification");
    }

    #[test]
    fn an_answer_keeps_its_bytes() {
        let reply = Reply::from(Response::json(200, &json!({"type": 1})));
        let expected = json!({"statusCode": 200, "headers": {"content-type": "application/json"},
            "body": "{\"type\":1}", "isBase64Encoded": false});
        assert_eq!(serde_json::to_value(&reply).unwrap(), expected);
        let binary = Reply::from(Response { status: 200, headers: Headers::default(), body: vec![0xff] });
        assert_eq!((binary.body.as_str(), binary.is_base64_encoded), ("/w==", true));
    }
}
