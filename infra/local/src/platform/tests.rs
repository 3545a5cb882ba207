use std::time::Instant;

use super::*;

fn start() -> Platform {
    Platform::start(0, |_| {}).unwrap()
}

fn client() -> reqwest::Client {
    egress::Egress::new().unwrap().configured_client()
}

async fn get(url: String) -> reqwest::Result<reqwest::Response> {
    client().get(url).send().await
}

async fn call(platform: &Platform, path: &str, body: Value) -> reqwest::Result<reqwest::Response> {
    client().post(format!("{}{path}", platform.url)).json(&body).send().await
}

async fn calls(platform: &Platform, query: &str) -> Vec<Call> {
    let answer = get(format!("{}/calls?{query}", platform.url)).await.unwrap();
    let mut answer: Value = answer.json().await.unwrap();
    serde_json::from_value(answer["calls"].take()).unwrap()
}

const SEND: &str = "/telegram/api/bot1:A/sendMessage";

fn hello() -> Value {
    json!({"chat_id": 7, "text": "hello"})
}

#[tokio::test]
async fn calls_are_answered_by_the_room_and_remembered() {
    let platform = start();
    let answer = call(&platform, SEND, hello()).await.unwrap();
    assert_eq!(answer.status(), 200);
    let seen = calls(&platform, "channel=telegram").await;
    assert_eq!((seen.len(), seen[0].n, seen[0].path.as_str()), (1, 1, "/api/bot1:A/sendMessage"));
    assert_eq!(seen[0].said.as_ref().unwrap().text, "hello");
    assert_eq!(seen[0].body, hello());
    assert!(calls(&platform, "channel=slack").await.is_empty());
    assert!(calls(&platform, "since=1").await.is_empty());
    assert_eq!(call(&platform, "/pigeon/api", hello()).await.unwrap().status(), 404);
}

#[tokio::test]
async fn a_long_poll_ends_with_the_next_call() {
    let platform = start();
    let begun = Instant::now();
    let poll = calls(&platform, "since=0&wait=30");
    let post = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        call(&platform, SEND, hello()).await.unwrap()
    };
    let (seen, _) = tokio::join!(poll, post);
    assert_eq!(seen.len(), 1);
    assert!(begun.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn faults_hit_the_calls_they_are_for_and_no_others() {
    let platform = start();
    let fault =
        json!({"channel": "telegram", "status": 429, "retry_after": 3, "times": 2, "path": "sendMessage"});
    assert_eq!(call(&platform, "/fault", fault).await.unwrap().status(), 204);
    assert_eq!(
        call(&platform, "/telegram/api/bot1:A/sendChatAction", json!({})).await.unwrap().status(),
        200
    );
    for _ in 0..2 {
        let answer = call(&platform, SEND, hello()).await.unwrap();
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["retry-after"]),
            (429, &"3".parse().unwrap())
        );
    }
    assert_eq!(call(&platform, SEND, hello()).await.unwrap().status(), 200);
    let seen = calls(&platform, "").await;
    assert_eq!(seen.iter().filter(|call| call.said.is_some()).count(), 1);
}

#[tokio::test]
async fn a_fault_may_be_for_one_text() {
    let platform = start();
    let fault = json!({"channel": "telegram", "status": 503, "holds": "unlucky"});
    call(&platform, "/fault", fault).await.unwrap();
    assert_eq!(call(&platform, SEND, hello()).await.unwrap().status(), 200);
    let unlucky = json!({"chat_id": 7, "text": "an unlucky text"});
    assert_eq!(call(&platform, SEND, unlucky).await.unwrap().status(), 503);
}

#[tokio::test]
async fn answers_are_harmed_on_their_way() {
    let platform = start();
    let harmed = async |harm: &str| {
        call(&platform, "/fault", json!({"channel": "telegram", "harm": harm})).await.unwrap();
        call(&platform, SEND, hello()).await.unwrap()
    };
    let truncated = harmed("truncated").await.bytes().await.unwrap();
    assert!(serde_json::from_slice::<Value>(&truncated).unwrap_err().is_eof());
    assert!(harmed("huge").await.bytes().await.unwrap().len() > (1 << 20));
    for harm in ["broken", "short"] {
        let mut answer = harmed(harm).await;
        assert!(!answer.chunk().await.unwrap().unwrap().is_empty(), "{harm}: half of it comes");
        assert!(answer.bytes().await.is_err(), "{harm}");
    }
    let mut slow = harmed("slow").await;
    assert_eq!(slow.chunk().await.unwrap().unwrap().len(), 1, "a byte at a time");
    assert_eq!(calls(&platform, "").await.iter().filter(|call| call.said.is_some()).count(), 5);
}

#[tokio::test]
async fn a_platform_with_keys_shows_a_repetition_once() {
    let platform = start();
    let post = json!({"content": "hi", "nonce": "1", "enforce_nonce": true});
    for (body, seen) in
        [(&post, 1), (&post, 1), (&json!({"content": "hi", "nonce": "2", "enforce_nonce": true}), 2)]
    {
        let answer = call(&platform, "/discord/api/channels/7/messages", body.clone()).await.unwrap();
        assert_eq!(answer.status(), 200);
        let said = calls(&platform, "channel=discord").await;
        assert_eq!(said.iter().filter(|call| call.said.is_some()).count(), seen);
    }
}

#[tokio::test]
async fn a_connection_can_be_lost_before_and_after_the_platform_acted() {
    let platform = start();
    for done in [false, true] {
        let fault = json!({"channel": "telegram", "status": 0, "done": done});
        call(&platform, "/fault", fault).await.unwrap();
        let error = call(&platform, SEND, hello()).await.unwrap_err();
        assert!(!error.is_status() && !error.is_connect(), "{error:?}");
        let last = calls(&platform, "").await.pop().unwrap();
        assert_eq!((last.status, last.said.is_some()), (0, done));
    }
}

#[tokio::test]
async fn the_model_echoes_and_says_what_it_is_told() {
    let platform = start();
    let question = json!({"messages": [
        {"role": "user", "content": "old"}, {"role": "assistant", "content": "answer"},
        {"role": "user", "content": "one"}, {"role": "user", "content": "two"},
    ]});
    let ask = |stream: bool| {
        let mut question = question.clone();
        question["stream"] = stream.into();
        call(&platform, "/model/v1/chat/completions", question)
    };
    let whole: Value = ask(false).await.unwrap().json().await.unwrap();
    assert_eq!(whole["choices"][0]["message"]["content"], "You said: one\ntwo");
    call(&platform, "/model/answers", json!({"answers": ["as told"]})).await.unwrap();
    let streamed = ask(true).await.unwrap().text().await.unwrap();
    assert!(streamed.contains(r#""content":"as ""#) && streamed.ends_with("data: [DONE]\n\n"), "{streamed}");
    call(&platform, "/fault", json!({"channel": "model", "status": 503})).await.unwrap();
    assert_eq!(ask(true).await.unwrap().status(), 503);
    let asked: Value = get(format!("{}/model/calls", platform.url)).await.unwrap().json().await.unwrap();
    assert_eq!(asked["calls"].as_array().unwrap().len(), 3);
}
