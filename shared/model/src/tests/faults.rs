//! Whatever models do, and in whatever order, a chain keeps its promises.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, UNIX_EPOCH};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{TestCaseResult, TestRunner};
use tokio::net::TcpListener;

use super::server::{Reply, read, write};
use super::{Paper, clients, config, question};
use crate::chat::{Chat, Provider};
use crate::stream::Limits;
use crate::{Chain, Cooldowns, Error, Model};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    /// 429, with the pause that is asked for in milliseconds.
    Limited(Option<u64>),
    Failing(u16),
    Silent,
    CutBefore,
    CutAfterText,
    KeyRefused,
}

/// One model: what it does call by call (then it answers), and how long it is to be left alone at first,
/// milliseconds.
type Script = (Vec<Fault>, Option<i64>);

/// Longer than anybody waits for a model.
const NEVER: i64 = 600_000;
/// Processes that ask, one after the other.
const ASKS: usize = 3;

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        2 => Just(Fault::None),
        2 => prop_oneof![Just(None), (1u64..60).prop_map(Some)].prop_map(Fault::Limited),
        2 => prop_oneof![Just(500), Just(503)].prop_map(Fault::Failing),
        1 => Just(Fault::Silent),
        1 => Just(Fault::CutBefore),
        1 => Just(Fault::CutAfterText),
        1 => Just(Fault::KeyRefused),
    ]
}

fn script() -> impl Strategy<Value = Script> {
    (vec(fault(), 0..5), prop_oneof![3 => Just(None), 1 => (1i64..80).prop_map(Some), 1 => Just(Some(NEVER))])
}

#[test]
fn whatever_happens_the_rules_are_kept() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let config = ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() };
    let cases = (vec(script(), 1..4), 1u32..9, any::<bool>());
    let run = |(scripts, calls, seen)| runtime.block_on(check(scripts, calls, seen));
    TestRunner::new(config).run(&cases, run).unwrap();
}

/// `seen`: people see an answer while it is written.
async fn check(scripts: Vec<Script>, calls: u32, seen: bool) -> TestCaseResult {
    let log = Arc::new(Mutex::new(Vec::new()));
    let mut models = Vec::new();
    let mut until = BTreeMap::new();
    for (number, (faults, left_alone)) in scripts.into_iter().enumerate() {
        if let Some(ms) = left_alone {
            until.insert(number.to_string(), now_ms() + ms);
        }
        let hasty = faults.contains(&Fault::Silent);
        models.push(Served { url: serve(number, faults, Arc::clone(&log)).await, hasty });
    }
    for _ in 0..ASKS {
        ask_once(&models, &mut until, calls, seen, &log).await?;
    }
    Ok(())
}

struct Served {
    url: String,
    /// Its silence is not borne for long; so on a slow machine it may be taken for silent when it is not.
    hasty: bool,
}

/// A call as the server saw it.
#[derive(Debug, Clone)]
struct Call {
    model: usize,
    at_ms: i64,
    fault: Fault,
}

type Log = Arc<Mutex<Vec<Call>>>;

/// Asks as a new process would, with what the last one left in the table.
async fn ask_once(
    models: &[Served],
    until: &mut BTreeMap<String, i64>,
    calls: u32,
    is_seen: bool,
    log: &Log,
) -> TestCaseResult {
    let model = |(number, served): (usize, &Served)| {
        let patience = if served.hasty { Duration::from_millis(100) } else { Duration::from_secs(5) };
        let limits = Limits { first: patience, idle: patience };
        let chat = Chat::new(Provider::Compatible, config("openai", "m", &served.url), &clients(), limits);
        (number.to_string(), Box::new(chat.unwrap()) as Box<dyn Model>)
    };
    let named = models.iter().enumerate().map(model).collect();
    let chain = Chain::new(named, Cooldowns { until: until.clone() }, calls);
    let chain = chain.with_backoff(Duration::from_millis(5));
    let deadline = Instant::now() + Duration::from_secs(8);
    let mut paper = Paper { seen: is_seen, ..Paper::default() };
    let started = now_ms();
    let result = chain.ask(&question(), deadline, &mut paper).await;
    let text = paper.text;
    let seen = std::mem::take(&mut *log.lock().unwrap());

    prop_assert!(seen.len() <= calls as usize, "{} calls instead of {calls}: {seen:?}", seen.len());
    prop_assert_eq!(chain.calls_left(), calls - seen.len() as u32);
    for call in &seen {
        let free_at = until.get(&call.model.to_string()).copied().unwrap_or(0);
        prop_assert!(call.at_ms >= free_at, "{call:?} within its cooldown until {free_at}");
    }
    for (number, _) in models.iter().enumerate() {
        let calls: Vec<&Call> = seen.iter().filter(|call| call.model == number).collect();
        for pair in calls.windows(2) {
            let Fault::Limited(Some(pause)) = pair[0].fault else { continue };
            prop_assert!(pair[1].at_ms >= pair[0].at_ms + pause as i64, "sooner than it wanted: {pair:?}");
        }
    }
    let answered = |call: &&Call| call.fault == Fault::None && !models[call.model].hasty;
    prop_assert!(result.is_ok() || !seen.iter().any(|call| answered(&call)), "lost: {result:?} {seen:?}");
    if let Some(first) =
        seen.iter().position(|call| is_seen && call.fault == Fault::CutAfterText && !models[call.model].hasty)
    {
        prop_assert_eq!(first + 1, seen.len(), "asked again after the first text");
    }
    match &result {
        Ok(answer) => {
            prop_assert_eq!(&answer.text, &text);
            prop_assert_eq!(answer.calls_made as usize, seen.len());
        }
        Err(Error::Interrupted { partial, .. }) => prop_assert_eq!(&partial.0, &text),
        Err(Error::NotSetUp(_)) => prop_assert!(seen.iter().all(|call| call.fault == Fault::KeyRefused)),
        Err(Error::Busy { .. }) => {
            prop_assert_eq!(&text, "");
            let asked = |number: usize| seen.iter().any(|call| call.model == number);
            let in_reach =
                |number: usize| until.get(&number.to_string()).is_none_or(|until| *until <= started);
            let missed = (0..models.len()).any(|number| in_reach(number) && !asked(number));
            prop_assert!(
                chain.calls_left() == 0 || Instant::now() > deadline || !missed,
                "gave up early: {seen:?}"
            );
        }
        Err(other) => return Err(TestCaseError::fail(format!("{other:?}"))),
    }
    until.extend(chain.cooled());
    Ok(())
}

/// Serves one model, a connection a call, for as long as the test runs.
async fn serve(model: usize, faults: Vec<Fault>, log: Log) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let mut faults = VecDeque::from(faults);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            read(&mut stream).await;
            let fault = faults.pop_front().unwrap_or(Fault::None);
            log.lock().unwrap().push(Call { model, at_ms: now_ms(), fault });
            tokio::spawn(write(stream, reply(fault)));
        }
    });
    url
}

fn reply(fault: Fault) -> Reply {
    let text = ("", r#"{"choices":[{"index":0,"delta":{"content":"Hello"}}]}"#);
    let end = ("", r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#);
    match fault {
        Fault::None => Reply::sse(&[text, end, ("", "[DONE]")]),
        Fault::Limited(None) => Reply::json(429, &[], "{}"),
        Fault::Limited(Some(ms)) => Reply::json(429, &[("retry-after-ms", &ms.to_string())], "{}"),
        Fault::Failing(status) => Reply::json(status, &[], "{}"),
        Fault::Silent => Reply::new(200, &[]).after(Duration::from_secs(60), ""),
        Fault::CutBefore => Reply::sse(&[("", r#"{"choices":[{"index":0,"delta":{"role":"assistant"}}]}"#)]),
        Fault::CutAfterText => Reply::sse(&[text]),
        Fault::KeyRefused => Reply::json(401, &[], "{}"),
    }
}

fn now_ms() -> i64 {
    i64::try_from(UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap()
}
