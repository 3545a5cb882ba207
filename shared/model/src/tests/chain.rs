use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::server::{Reply, Server};
use super::{LIMITS, Outcome, ask, clients, config, interrupted, openai};
use crate::chat::{Chat, Dialect};
use crate::{Answer, Ask, Chain, Error, Model, OnText, Partial};

/// Answers by a script; the text is its own name. Panics when it is asked too often.
struct Scripted {
    name: &'static str,
    script: Mutex<VecDeque<Result<(), Error>>>,
    asked: Arc<Mutex<Vec<&'static str>>>,
}

#[async_trait::async_trait]
impl Model for Scripted {
    fn name(&self) -> &str {
        self.name
    }

    async fn ask(&self, _: &Ask, _: Instant, _: OnText<'_>) -> Result<Answer, Error> {
        self.asked.lock().unwrap().push(self.name);
        self.script.lock().unwrap().pop_front().unwrap()?;
        let model = self.name.to_owned();
        Ok(Answer { text: model.clone(), model, ..Answer::default() })
    }
}

type Script = (&'static str, Vec<Result<(), Error>>);

async fn run(scripts: Vec<Script>) -> (Outcome, Vec<&'static str>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let model = |(name, script): Script| {
        Box::new(Scripted { name, script: Mutex::new(script.into()), asked: Arc::clone(&asked) })
            as Box<dyn Model>
    };
    let models = scripts.into_iter().map(model).collect();
    let outcome = ask(&Chain::new(models).with_backoff(Duration::from_millis(20))).await;
    let asked = asked.lock().unwrap().clone();
    (outcome, asked)
}

fn busy() -> Result<(), Error> {
    Err(Error::busy("it is overloaded"))
}

fn wants(pause: Duration) -> Result<(), Error> {
    Err(Error::Busy { retry_after: Some(pause), why: "it limits our rate" })
}

fn not_set_up(why: &str) -> Result<(), Error> {
    Err(Error::NotSetUp(why.into()))
}

#[tokio::test]
async fn a_busy_model_is_asked_once_more_then_its_fallback() {
    let (outcome, asked) = run(vec![("a", vec![busy(), Ok(())]), ("b", vec![])]).await;
    assert_eq!((outcome.result.unwrap().model.as_str(), asked), ("a", vec!["a", "a"]));
    let (outcome, asked) = run(vec![("a", vec![busy(), busy()]), ("b", vec![Ok(())])]).await;
    assert_eq!((outcome.result.unwrap().model.as_str(), asked), ("b", vec!["a", "a", "b"]));
}

#[tokio::test]
async fn never_more_than_four_calls() {
    let always = || vec![busy(), busy(), busy()];
    let (outcome, asked) = run(vec![("a", always()), ("b", always()), ("c", always())]).await;
    assert!(matches!(outcome.result, Err(Error::Busy { .. })));
    assert_eq!(asked, ["a", "a", "b", "b"]);
}

#[tokio::test]
async fn a_model_that_is_not_set_up_is_passed_over_and_the_first_is_the_one_to_repair() {
    let (outcome, asked) = run(vec![("a", vec![not_set_up("x")]), ("b", vec![Ok(())])]).await;
    assert_eq!((outcome.result.unwrap().model.as_str(), asked), ("b", vec!["a", "b"]));
    let (outcome, _) = run(vec![("a", vec![not_set_up("x")]), ("b", vec![not_set_up("y")])]).await;
    assert!(matches!(outcome.result, Err(Error::NotSetUp(why)) if why == "x"));
    let (outcome, _) = run(vec![("a", vec![busy(), busy()]), ("b", vec![not_set_up("y")])]).await;
    assert!(matches!(outcome.result, Err(Error::Busy { .. })));
}

#[tokio::test]
async fn the_wanted_pause_is_kept_if_it_fits() {
    let pause = Duration::from_millis(150);
    let (outcome, asked) = run(vec![("a", vec![wants(pause), Ok(())])]).await;
    assert!(outcome.result.is_ok() && outcome.took >= pause, "{:?}", outcome.took);
    assert_eq!(asked, ["a", "a"]);
    // 5 s do not fit into the 3 s that the test gives.
    let (outcome, asked) = run(vec![("a", vec![wants(Duration::from_secs(5))]), ("b", vec![Ok(())])]).await;
    assert_eq!((outcome.result.unwrap().model.as_str(), asked), ("b", vec!["a", "b"]));
    let (outcome, asked) = run(vec![("a", vec![wants(Duration::from_secs(5))])]).await;
    assert_eq!(super::busy(&outcome.result), Some(Duration::from_secs(5)));
    assert_eq!(asked, ["a"]);
    assert!(outcome.took < Duration::from_secs(2));
}

#[tokio::test]
async fn refusals_and_broken_answers_are_not_asked_again() {
    let (outcome, asked) = run(vec![("a", vec![Err(Error::Refused("no".into()))]), ("b", vec![])]).await;
    assert!(matches!(outcome.result, Err(Error::Refused(_))));
    assert_eq!(asked, ["a"]);
    let (outcome, asked) = run(vec![("a", vec![Err(Error::TooLong)]), ("b", vec![])]).await;
    assert!(matches!(outcome.result, Err(Error::TooLong)));
    assert_eq!(asked, ["a"]);
    let broken = Error::Interrupted { partial: Partial("Hel".into()), why: "it failed" };
    let (outcome, asked) = run(vec![("a", vec![Err(broken)]), ("b", vec![])]).await;
    assert_eq!(interrupted(outcome.result), "Hel");
    assert_eq!(asked, ["a"]);
}

#[tokio::test]
async fn without_models_it_says_so() {
    let (outcome, _) = run(vec![]).await;
    assert!(matches!(outcome.result, Err(Error::NotSetUp(_))));
}

#[tokio::test]
async fn over_http_a_limited_model_answers_after_its_pause_and_a_failing_one_gives_way() {
    let chat = |server: &Server| -> Box<dyn Model> {
        Box::new(Chat::new(Dialect::OpenAi, config("openai", "m", &server.url), &clients(), LIMITS).unwrap())
    };
    let limited = Reply::json(429, &[("retry-after-ms", "100")], "{}");
    let server = Server::start(vec![limited, openai::answer()]).await;
    let outcome = ask(&Chain::new(vec![chat(&server)])).await;
    assert_eq!(outcome.result.unwrap().text, "Hello ☃");
    assert!(outcome.took >= Duration::from_millis(100));

    let failing = Server::start(vec![Reply::json(500, &[], "{}"); 2]).await;
    let fallback = Server::start(vec![openai::answer()]).await;
    let chain = Chain::new(vec![chat(&failing), chat(&fallback)]).with_backoff(Duration::from_millis(10));
    assert_eq!(ask(&chain).await.result.unwrap().text, "Hello ☃");
    assert_eq!((failing.requests().len(), fallback.requests().len()), (2, 1));
}
