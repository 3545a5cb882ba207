//! What lies on the queue.

use channel::{INBOUND_VERSION, Inbound, Shape, shape};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The shape of a job as written today; readers accept this one and the one before.
pub const JOB_VERSION: u32 = 1;

/// One thing for the invoker to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Job {
    /// Somebody wrote.
    Message {
        inbound: Box<Inbound>,
        /// The request id of the webhook function that took it, for following a message through the logs. It is there
        /// without X-Ray, which costs money. X-Ray's own header needs nothing of ours: the SDK sends it along and SQS
        /// keeps it as `AWSTraceHeader`, which Lambda links to the invoker's trace. A `traceparent` would have no reader.
        /// <https://docs.aws.amazon.com/xray/latest/devguide/xray-services-sqs.html>
        trace: Option<String>,
    },
    /// Written by a later release: to be hidden for an hour, its tries untouched, until an invoker comes that knows it.
    Newer { v: u64, kind: String },
}

/// No job of ours, nor of a later release: it can only be buried.
#[derive(Debug, thiserror::Error)]
#[error("not a job: {0}")]
pub struct Unreadable(String);

#[derive(Serialize, Deserialize)]
struct Message {
    v: u32,
    kind: String,
    inbound: Box<Inbound>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    trace: Option<String>,
}

const MESSAGE: &str = "message";

impl Job {
    /// The body of a queue message for an inbound message.
    pub fn message(inbound: &Inbound, trace: Option<&str>) -> String {
        let job = Message {
            v: JOB_VERSION,
            kind: MESSAGE.to_owned(),
            inbound: Box::new(inbound.clone()),
            trace: trace.map(str::to_owned),
        };
        // Every field is a string, a number or a list of them: this cannot fail.
        serde_json::to_string(&job).unwrap_or_default()
    }

    /// Reads the body of a queue message.
    ///
    /// # Errors
    /// [`Unreadable`]: it is not JSON, or not a job in this or an earlier shape.
    pub fn parse(body: &str) -> Result<Job, Unreadable> {
        let value: Value =
            serde_json::from_str(body).map_err(|_| Unreadable("its body is not JSON".to_owned()))?;
        let version = |value: &Value| value.get("v").and_then(Value::as_u64);
        let Some(v) = version(&value) else { return Err(Unreadable("it has no version".to_owned())) };
        let kind = value.get("kind").and_then(Value::as_str).unwrap_or_default().to_owned();
        let inbound = value.get("inbound").and_then(version).unwrap_or(0);
        match (shape(v, JOB_VERSION), shape(inbound, INBOUND_VERSION)) {
            (Shape::Newer, _) | (_, Shape::Newer) => return Ok(Job::Newer { v, kind }),
            _ if kind != MESSAGE => return Ok(Job::Newer { v, kind }),
            (Shape::Known, Shape::Known) => {}
            _ => return Err(Unreadable("its release is too old for this one".to_owned())),
        }
        // The text of serde's error may quote the message: only where it is wrong is told.
        let job: Message = serde_json::from_value(value)
            .map_err(|error| Unreadable(format!("a field is wrong ({:?})", error.classify())))?;
        Ok(Job::Message { inbound: job.inbound, trace: job.trace })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use channel::{Address, Content, Conversation, Home, Kind, Sender};

    use super::*;

    pub fn inbound(id: &str, text: &str) -> Inbound {
        Inbound {
            v: INBOUND_VERSION,
            id: id.into(),
            channel: "telegram".into(),
            account: "main".into(),
            conversation: Conversation { chat: "1".into(), thread: None },
            kind: Kind::Dm,
            sender: Sender {
                id: "7".into(),
                name: "Ana".into(),
                home: Home::Unknown,
                bot: false,
                lookup: None,
            },
            addressed: true,
            content: Content::Text(text.into()),
            attachments: vec![],
            at: 5,
            address: Address::default(),
            echo_of: None,
            due: false,
        }
    }

    #[test]
    fn a_message_survives_the_queue() {
        let body = Job::message(&inbound("1", "hello"), Some("r-1"));
        assert!(body.starts_with(r#"{"v":1,"kind":"message","inbound":{"#), "{body}");
        let job = Job::parse(&body).unwrap();
        assert_eq!(job, Job::Message { inbound: Box::new(inbound("1", "hello")), trace: Some("r-1".into()) });
    }

    #[test]
    fn later_releases_are_recognised_and_unknown_fields_ignored() {
        let newer = |body: &str| matches!(Job::parse(body).unwrap(), Job::Newer { .. });
        assert!(newer(r#"{"v":2,"kind":"message","anything":1}"#));
        assert!(newer(r#"{"v":1,"kind":"due"}"#));
        let body = Job::message(&inbound("1", "hello"), None);
        assert!(newer(&body.replace(r#""inbound":{"v":1"#, r#""inbound":{"v":2"#)));
        assert!(!newer(&body.replace(r#""kind""#, r#""extra":{"a":1},"kind""#)));
    }

    #[test]
    fn what_is_no_job_is_named_without_its_text() {
        for body in
            ["", "not json", "{}", "[1]", r#"{"v":1,"kind":"message","inbound":{"v":1,"id":"secret words"}}"#]
        {
            let error = Job::parse(body).unwrap_err().to_string();
            assert!(!error.contains("secret words"), "{error}");
        }
    }
}
