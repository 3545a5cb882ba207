use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, UNIX_EPOCH};

use super::server::{Reply, Server};
use super::{LIMITS, Outcome, Paper, ask, clients, config, interrupted, openai, question};
use crate::chat::{Chat, Provider};
use crate::{Answer, Ask, Chain, Cooldowns, Error, Model, OnText, Partial};

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

    async fn ask(&self, _: &Ask, _: Instant, on_text: OnText<'_>) -> Result<Answer, Error> {
        self.asked.lock().unwrap().push(self.name);
        let scripted = self.script.lock().unwrap().pop_front().unwrap();
        if let Err(Error::Interrupted { partial, .. }) = &scripted {
            on_text.push(&partial.0);
        }
        scripted?;
        on_text.push(self.name);
        let model = self.name.to_owned();
        Ok(Answer { text: model.clone(), model, ..Answer::default() })
    }
}

type Script = (&'static str, Vec<Result<(), Error>>);

async fn run(scripts: Vec<Script>) -> (Outcome, Vec<&'static str>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let chain = Chain::new(models(scripts, &asked), Cooldowns::default(), 4);
    let outcome = ask(&chain.with_backoff(Duration::from_millis(20))).await;
    let asked = asked.lock().unwrap().clone();
    (outcome, asked)
}

fn models(scripts: Vec<Script>, asked: &Arc<Mutex<Vec<&'static str>>>) -> Vec<(String, Box<dyn Model>)> {
    let model = |(name, script): Script| {
        let script = Mutex::new(script.into());
        let scripted = Scripted { name, script, asked: Arc::clone(asked) };
        (name.to_owned(), Box::new(scripted) as Box<dyn Model>)
    };
    scripts.into_iter().map(model).collect()
}

/// Names of the models that `chain` wants left alone, and for about how many tens of seconds.
fn cooled(chain: &Chain) -> Vec<(String, i64)> {
    let now = i64::try_from(UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap();
    chain.cooled().into_iter().map(|(name, until)| (name, (until - now + 5_000) / 10_000)).collect()
}

fn busy() -> Result<(), Error> {
    Err(Error::busy("it is overloaded"))
}

fn wants(pause: Duration) -> Result<(), Error> {
    Err(Error::Busy { retry_after: Some(pause), why: "it limits our rate" })
}

fn broken(text: &str) -> Result<(), Error> {
    Err(Error::Interrupted { partial: Partial(text.into()), why: "it failed" })
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
    let (outcome, asked) = run(vec![("a", vec![broken("Hel")]), ("b", vec![])]).await;
    assert_eq!(interrupted(outcome.result), "Hel");
    assert_eq!(asked, ["a"]);
}

/// Where nobody has seen any of it, another answer takes its place; where there is none, it is better than nothing.
#[tokio::test]
async fn half_an_answer_that_nobody_saw_is_asked_anew() {
    let check = async |scripts: Vec<Script>, seen: bool, says: &str, order: &[&str]| {
        let asked = Arc::default();
        let chain = Chain::new(models(scripts, &asked), Cooldowns::default(), 4);
        let chain = chain.with_backoff(Duration::from_millis(2));
        let mut paper = Paper { seen, ..Paper::default() };
        let result = chain.ask(&question(), Instant::now() + Duration::from_secs(3), &mut paper).await;
        assert_eq!((paper.text.as_str(), &**asked.lock().unwrap()), (says, order));
        result
    };
    let scripts = || vec![("a", vec![broken("Hello"), broken("Hi")]), ("b", vec![Ok(())])];
    let answer = check(scripts(), false, "b", &["a", "a", "b"]).await.unwrap();
    assert_eq!((answer.entry.as_str(), answer.calls_made), ("b", 3));
    assert_eq!(answer.usage.output, 3, "what broke off may have cost something");
    assert!(answer.usage.input > 0);
    assert_eq!(interrupted(check(scripts(), true, "Hello", &["a"]).await), "Hello");
    let scripts = vec![("a", vec![broken("Hello"), busy()]), ("b", vec![busy(), busy()])];
    assert_eq!(interrupted(check(scripts, false, "Hello", &["a", "a", "b", "b"]).await), "Hello");
}

/// The next is asked, and nobody is left alone for it.
#[tokio::test]
async fn a_model_that_cannot_take_the_question_is_passed_over_once() {
    let unfit = |why: &str| Err(Error::Unfit(why.to_owned()));
    let asked = Arc::default();
    let scripts = vec![("a", vec![unfit("x"), Ok(())]), ("b", vec![Ok(())])];
    let chain = Chain::new(models(scripts, &asked), Cooldowns::default(), 4);
    assert_eq!(ask(&chain).await.result.unwrap().model, "b");
    assert_eq!(chain.cooled(), []);
    assert_eq!(ask(&chain).await.result.unwrap().model, "a");
    let (outcome, asked) = run(vec![("a", vec![unfit("x")]), ("b", vec![unfit("y")])]).await;
    assert!(matches!(outcome.result, Err(Error::Unfit(why)) if why == "x"));
    assert_eq!(asked, ["a", "b"]);
    let (outcome, _) = run(vec![("a", vec![unfit("x")]), ("b", vec![not_set_up("y")])]).await;
    assert!(matches!(outcome.result, Err(Error::Unfit(_))));
    let (outcome, _) = run(vec![("a", vec![unfit("x")]), ("b", vec![busy(), busy()])]).await;
    busy_error(&outcome);
}

#[tokio::test]
async fn models_that_failed_are_left_alone_by_this_chain_and_by_the_next() {
    let asked = Arc::default();
    let day = Duration::from_secs(86_400);
    let scripts = vec![("a", vec![wants(day)]), ("b", vec![busy(), busy()]), ("c", vec![Ok(()), Ok(())])];
    let chain = Chain::new(models(scripts, &asked), Cooldowns::default(), 8);
    let chain = chain.with_backoff(Duration::from_millis(2));
    let outcome = ask(&chain).await.result.unwrap();
    assert_eq!((outcome.calls_made, chain.calls_left()), (4, 4));
    assert_eq!(cooled(&chain), [("a".into(), 360), ("b".into(), 3)]);
    assert_eq!(ask(&chain).await.result.unwrap().calls_made, 1);

    let until = chain.cooled().into_iter().collect();
    let scripts = vec![("a", vec![]), ("b", vec![]), ("c", vec![Ok(())])];
    let next = Chain::new(models(scripts, &asked), Cooldowns { until }, 8);
    assert_eq!(ask(&next).await.result.unwrap().calls_made, 1);
    assert_eq!(next.cooled(), []);
    assert_eq!(*asked.lock().unwrap(), ["a", "b", "b", "c", "c", "c"]);
}

#[tokio::test]
async fn the_only_model_is_left_alone_only_when_it_asks_for_that() {
    let asked = Arc::default();
    let scripts = vec![("a", vec![busy(), busy()])];
    let chain = Chain::new(models(scripts, &asked), Cooldowns::default(), 8);
    busy_error(&ask(&chain.with_backoff(Duration::from_millis(2))).await);
    let chain = Chain::new(
        models(vec![("a", vec![wants(Duration::from_secs(20))])], &asked),
        Cooldowns::default(),
        8,
    );
    busy_error(&ask(&chain).await);
    assert_eq!(cooled(&chain), [("a".into(), 2)]);
}

#[tokio::test]
async fn when_all_are_left_alone_the_first_that_is_free_again_is_waited_for() {
    let asked = Arc::default();
    let in_ms = |ms: i64| i64::try_from(UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap() + ms;
    let until = [("a".to_owned(), in_ms(60_000)), ("b".to_owned(), in_ms(100))].into();
    let scripts = || vec![("a", vec![]), ("b", vec![Ok(())])];
    let chain = Chain::new(models(scripts(), &asked), Cooldowns { until }, 8);
    assert_eq!(ask(&chain).await.result.unwrap().model, "b");
    let until = [("a".to_owned(), in_ms(60_000)), ("b".to_owned(), in_ms(30_000))].into();
    let chain = Chain::new(models(scripts(), &asked), Cooldowns { until }, 8);
    let pause = super::busy(&ask(&chain).await.result).unwrap();
    assert!(pause > Duration::from_secs(20), "{pause:?}");
    assert_eq!(*asked.lock().unwrap(), ["b"]);
}

fn busy_error(outcome: &Outcome) {
    assert!(matches!(outcome.result, Err(Error::Busy { .. })), "{:?}", outcome.result);
}

#[tokio::test]
async fn without_models_it_says_so() {
    let (outcome, _) = run(vec![]).await;
    assert!(matches!(outcome.result, Err(Error::NotSetUp(_))));
}

#[tokio::test]
async fn over_http_a_limited_model_answers_after_its_pause_and_a_failing_one_gives_way() {
    let chat = |server: &Server| -> Box<dyn Model> {
        Box::new(
            Chat::new(Provider::Compatible, config("openai", "m", &server.url), &clients(), LIMITS).unwrap(),
        )
    };
    let limited = Reply::json(429, &[("retry-after-ms", "100")], "{}");
    let server = Server::start(vec![limited, openai::answer()]).await;
    let chain = |models: Vec<Box<dyn Model>>| {
        let named = models.into_iter().enumerate().map(|(number, model)| (number.to_string(), model));
        Chain::new(named.collect(), Cooldowns::default(), 8)
    };
    let outcome = ask(&chain(vec![chat(&server)])).await;
    assert_eq!(outcome.result.unwrap().text, "Hello ☃");
    assert!(outcome.took >= Duration::from_millis(100));

    let failing = Server::start(vec![Reply::json(500, &[], "{}"); 2]).await;
    let fallback = Server::start(vec![openai::answer()]).await;
    let chain = chain(vec![chat(&failing), chat(&fallback)]).with_backoff(Duration::from_millis(10));
    assert_eq!(ask(&chain).await.result.unwrap().text, "Hello ☃");
    assert_eq!((failing.requests().len(), fallback.requests().len()), (2, 1));
}
