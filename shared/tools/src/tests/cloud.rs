//! Reminders at EventBridge Scheduler, files in S3.

use serde_json::json;

use super::{Reply, Stand, tools};
use crate::{Error, Schedule};

async fn scheduled(status: u16) -> (Result<(), Error>, super::Seen) {
    let stand = Stand::new(move |_, _| Reply::new(status, "{}")).await;
    let schedule = Schedule { key: "0a1b", at: 1_795_262_400_999, body: r#"{"v":1}"#, group: "abc" };
    let made = tools(Some(&stand.url)).schedule(&schedule).await;
    (made, stand.seen().remove(0))
}

#[tokio::test]
async fn a_schedule_puts_one_message_on_the_queue() {
    let (made, seen) = scheduled(200).await;
    assert_eq!(made, Ok(()));
    assert_eq!((seen.method.as_str(), seen.path.as_str()), ("POST", "/schedules/0a1b"));
    assert!(seen.header("authorization").contains("/us-east-1/scheduler/aws4_request"));
    assert_eq!(
        seen.json(),
        json!({
            "ClientToken": "0a1b",
            "GroupName": "crabhook",
            "ScheduleExpression": "at(2026-11-21T12:00:00)",
            "ScheduleExpressionTimezone": "UTC",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "ActionAfterCompletion": "DELETE",
            "Target": {
                "Arn": "arn:aws:sqs:us-east-1:000000000000:messages",
                "RoleArn": "arn:aws:iam::000000000000:role/reminder",
                "Input": "{\"v\":1}",
                "SqsParameters": {"MessageGroupId": "abc"},
            },
        })
    );
}

#[tokio::test]
async fn one_that_is_there_already_is_as_good() {
    assert_eq!(scheduled(409).await.0, Ok(()));
    assert!(matches!(scheduled(403).await.0, Err(Error::NotSetUp(_))));
    assert!(matches!(scheduled(500).await.0, Err(Error::InDoubt(_))));
}

#[tokio::test]
async fn a_schedule_is_taken_back() {
    let unscheduled = async |status: u16| {
        let stand = Stand::new(move |_, _| Reply::new(status, "{}")).await;
        let done = tools(Some(&stand.url)).unschedule("0a1b-7").await;
        (done, stand.seen().remove(0))
    };
    let (done, seen) = unscheduled(200).await;
    assert_eq!(done, Ok(()));
    assert_eq!(
        (seen.method.as_str(), seen.path.as_str()),
        ("DELETE", "/schedules/0a1b-7?groupName=crabhook")
    );
    assert_eq!(unscheduled(404).await.0, Ok(()), "it has come already");
    assert!(matches!(unscheduled(500).await.0, Err(Error::InDoubt(_))));
}

#[tokio::test]
async fn files_are_kept_and_read_until_they_are_forgotten() {
    let kept: std::sync::Mutex<Vec<u8>> = std::sync::Mutex::default();
    let stand = Stand::new(move |seen, _| match (seen.method.as_str(), seen.path.as_str()) {
        ("PUT", "/documents/media/a") => {
            kept.lock().unwrap().clone_from(&seen.body);
            Reply::new(200, "")
        }
        ("GET", "/documents/media/a") => Reply::new(200, kept.lock().unwrap().clone()),
        ("GET", "/documents/media/busy") => Reply::new(503, ""),
        _ => Reply::new(403, "<Error/>"),
    })
    .await;
    let tools = tools(Some(&stand.url));
    tools.keep_file("media/a", "image/png", b"PNG".to_vec()).await.unwrap();
    assert_eq!(stand.seen()[0].header("content-type"), "image/png");
    assert!(stand.seen()[0].header("authorization").contains("/us-east-1/s3/aws4_request"));
    assert_eq!(tools.kept_file("media/a", 10).await, Ok(Some(b"PNG".to_vec())));
    assert_eq!(tools.kept_file("media/b", 10).await, Ok(None));
    assert!(tools.kept_file("media/a", 2).await.is_err(), "it is larger");
    assert!(matches!(tools.kept_file("media/busy", 10).await, Err(Error::NotDone(_))));
}
