//! A stand-in for the Lambda Runtime API: <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>

use std::sync::Mutex;
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::server::{Reply, Request, serve};

/// The longest that anything may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// What the template gives the invoker, milliseconds.
const INVOCATION_MS: u128 = 300_000;

/// What the process asks of the runtime.
enum Call {
    Next(Sender<String>),
    Answered(Vec<u8>, Instant),
    Failed(String),
}

/// One process's side of the Runtime API.
pub struct Runtime {
    pub port: u16,
    calls: Receiver<Call>,
    waiting: Option<Sender<String>>,
}

/// How an event was answered.
pub struct Answered {
    pub body: Vec<u8>,
    /// From the event being handed out to its answer.
    pub took: Duration,
}

impl Runtime {
    pub fn start() -> Runtime {
        let (sender, calls) = mpsc::channel();
        let sender = Mutex::new(sender);
        let port = serve(None, move |request| {
            let sender = sender.lock().expect("no handler panics").clone();
            handle(request, &sender)
        });
        Runtime { port, calls, waiting: None }
    }

    /// Waits until the process asks for an event: it is done with everything before.
    pub fn wait(&mut self) -> Result<(), String> {
        while self.waiting.is_none() {
            match self.call()? {
                Call::Next(sender) => self.waiting = Some(sender),
                Call::Failed(why) => return Err(why),
                Call::Answered(..) => {}
            }
        }
        Ok(())
    }

    /// Hands out an event and waits for its answer.
    pub fn invoke(&mut self, event: String) -> Result<Answered, String> {
        self.wait()?;
        let begun = Instant::now();
        let process = self.waiting.take().ok_or("the process does not wait")?;
        process.send(event).map_err(|_| "the process has gone".to_owned())?;
        loop {
            match self.call()? {
                Call::Answered(body, at) => return Ok(Answered { body, took: at - begun }),
                Call::Failed(why) => return Err(why),
                Call::Next(sender) => self.waiting = Some(sender),
            }
        }
    }

    fn call(&self) -> Result<Call, String> {
        self.calls
            .recv_timeout(PATIENCE)
            .map_err(|_| "the process says nothing (--show prints its log)".to_owned())
    }
}

fn handle(request: Request, calls: &Sender<Call>) -> Option<Reply> {
    if request.path.ends_with("/next") {
        let (sender, event) = mpsc::channel();
        calls.send(Call::Next(sender)).ok()?;
        return Some(invocation(event.recv().ok()?));
    }
    let call = if request.path.ends_with("/response") {
        Call::Answered(request.body, Instant::now())
    } else {
        Call::Failed(format!("{} {}", request.path, String::from_utf8_lossy(&request.body)))
    };
    calls.send(call).ok()?;
    Some(Reply::new(202, "application/json", r#"{"status":"OK"}"#))
}

fn invocation(event: String) -> Reply {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let trace = "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0";
    let mut reply = Reply::new(200, "application/json", event);
    reply.headers = vec![
        ("Lambda-Runtime-Aws-Request-Id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd".to_owned()),
        ("Lambda-Runtime-Deadline-Ms", (now + INVOCATION_MS).to_string()),
        (
            "Lambda-Runtime-Invoked-Function-Arn",
            "arn:aws:lambda:us-east-1:123456789012:function:bench".to_owned(),
        ),
        ("Lambda-Runtime-Trace-Id", trace.to_owned()),
    ];
    reply
}
