//! Putting something on the stack's queue later, by EventBridge Scheduler.
//! <https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html>

use std::time::Duration;

use egress::{Answer, Method};
use jiff::Timestamp;
use serde_json::json;

use crate::cloud::Request;
use crate::error::successful;
use crate::{Error, Tools};

const TIME_OUT: Duration = Duration::from_secs(5);
const MAX_ANSWER: usize = 64 * 1024;

/// What to put on the queue, and when.
pub struct Schedule<'a> {
    /// Names the schedule, so that it is made once however often it is asked for: at most 64 of `[0-9a-zA-Z-_.]`.
    pub key: &'a str,
    /// Unix milliseconds; the service knows seconds and delivers within a minute.
    pub at: i64,
    /// The body of the queue's message.
    pub body: &'a str,
    /// The message's group: the conversation.
    pub group: &'a str,
}

impl Tools {
    /// Makes a schedule that delivers once and is gone. One of the same key that is there already is as good.
    ///
    /// # Errors
    /// It was not made, or may have been: the same key may be tried again.
    pub async fn schedule(&self, schedule: &Schedule<'_>) -> Result<(), Error> {
        let at =
            Timestamp::from_millisecond(schedule.at).map_err(|error| Error::Refused(error.to_string()))?;
        let body = json!({
            "ClientToken": schedule.key,
            "GroupName": self.cloud.schedule_group,
            "ScheduleExpression": format!("at({})", at.strftime("%Y-%m-%dT%H:%M:%S")),
            "ScheduleExpressionTimezone": "UTC",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "ActionAfterCompletion": "DELETE",
            "Target": {
                "Arn": self.cloud.queue_arn,
                "RoleArn": self.cloud.schedule_role,
                "Input": schedule.body,
                "SqsParameters": {"MessageGroupId": schedule.group},
            },
        });
        let path = channel::encode::segment(schedule.key);
        let answer = self.ask_scheduler(Method::POST, &path, body.to_string().into_bytes()).await?;
        // There is one of this name: an earlier try's.
        if answer.status == 409 { Ok(()) } else { successful(answer).map(drop) }
    }

    /// Takes the schedule of that key back. One that is not there any more is as good.
    /// <https://docs.aws.amazon.com/scheduler/latest/APIReference/API_DeleteSchedule.html>
    ///
    /// # Errors
    /// It may still be there.
    pub async fn unschedule(&self, key: &str) -> Result<(), Error> {
        let segment = channel::encode::segment;
        let path = format!("{}?groupName={}", segment(key), segment(&self.cloud.schedule_group));
        let answer = self.ask_scheduler(Method::DELETE, &path, Vec::new()).await?;
        if answer.status == 404 { Ok(()) } else { successful(answer).map(drop) }
    }

    async fn ask_scheduler(&self, method: Method, path: &str, body: Vec<u8>) -> Result<Answer, Error> {
        let request = Request {
            service: "scheduler",
            method,
            url: format!("{}/schedules/{path}", self.cloud.base("scheduler")),
            headers: vec![("content-type", "application/json".to_owned())],
            body,
            time_out: TIME_OUT,
            max_bytes: MAX_ANSWER,
        };
        self.cloud.send(&self.egress, request).await
    }
}
