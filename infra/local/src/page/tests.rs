use serde_json::json;

use crate::platform::Platform;

async fn get(url: &str, headers: &[(&str, &str)]) -> reqwest::Response {
    let client = egress::Egress::new().unwrap().configured_client();
    let request =
        headers.iter().fold(client.get(url), |request, (name, value)| request.header(*name, *value));
    request.send().await.unwrap()
}

#[tokio::test]
async fn the_page_is_there_and_lets_nothing_strange_in() {
    let platform = Platform::start(0, |_| {}).unwrap();
    let page = get(&format!("{}/", platform.url), &[]).await;
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    let text = page.text().await.unwrap();
    for place in text.split("/page/").skip(1).map(|rest| rest.split('"').next().unwrap()) {
        let file = get(&format!("{}/page/{place}", platform.url), &[]).await;
        assert_eq!(file.status(), 200, "{place}");
        assert!(!file.text().await.unwrap().contains("innerHTML"), "{place}");
    }
    assert_eq!(get(&format!("{}/page/../secrets.json", platform.url), &[]).await.status(), 404);
    let about: serde_json::Value =
        get(&format!("{}/page/about", platform.url), &[]).await.json().await.unwrap();
    assert_eq!(about["channels"], json!([]), "no cloud yet");
}

#[tokio::test]
async fn nobody_is_led_to_the_page_from_elsewhere() {
    let platform = Platform::start(0, |_| {}).unwrap();
    let url = format!("{}/page/about", platform.url);
    let port = platform.url.rsplit(':').next().unwrap();
    for (header, value, status) in [
        ("origin", platform.url.clone(), 200),
        ("origin", "https://evil.example".to_owned(), 403),
        ("origin", "null".to_owned(), 403),
        ("origin", "http://127.0.0.1:1".to_owned(), 403),
        ("host", format!("localhost:{port}"), 200),
        ("host", format!("evil.example:{port}"), 403),
        ("host", format!("127.0.0.1.evil.example:{port}"), 403),
    ] {
        assert_eq!(get(&url, &[(header, &value)]).await.status(), status, "{header}: {value}");
    }
    let client = egress::Egress::new().unwrap().configured_client();
    let chat = json!({"channel": "telegram", "user": "ana", "conversation": null});
    let body = json!({"promise": "kill", "chat": chat}).to_string();
    // A form of another site sends no JSON, and without its type nothing is read.
    let form = client.post(format!("{}/page/promise", platform.url)).header("content-type", "text/plain");
    assert_eq!(form.body(body).send().await.unwrap().status(), 415);
}

#[test]
fn a_process_is_known_by_what_it_was_given_whichever_is_told_first() {
    use super::record::Record;
    let record = Record::default();
    let tell = |told: serde_json::Value| record.told(&serde_json::from_value(told).unwrap(), 1);
    let pids = || record.with(|all| all.given.iter().map(|given| given.pid).collect::<Vec<_>>());
    let inbound = channel::Inbound::new(
        "telegram",
        &channel::Context {
            account: "main",
            secrets: &channel::Secrets::default(),
            settings: &serde_json::Value::Null,
            keys: &channel::Keys::new(),
            now: 1,
        },
        "m".into(),
        "7",
        channel::Sender::new("7", ""),
        "hello".into(),
    );
    let started = |pid| json!({"what": "started", "function": "s-model-invoker", "worker": 1, "pid": pid});
    let given = || json!({"what": "given", "function": "s-model-invoker", "worker": 1, "job": "j", "group": "g", "receipt": "r", "receives": 1, "body": queue::Job::message(&inbound, None)});
    let over = |whole| json!({"what": "over", "function": "s-model-invoker", "worker": 1, "job": "j", "whole": whole});
    tell(given());
    assert_eq!(pids(), [0]);
    tell(started(7));
    assert_eq!(pids(), [7], "told after what it was given");
    tell(over(true));
    tell(given());
    assert_eq!(pids(), [7, 7], "the same process once more");
    tell(json!({"what": "ended", "function": "s-model-invoker", "pid": 7, "signal": 9}));
    tell(over(false));
    tell(given());
    assert_eq!(pids(), [7, 7, 0], "a dead one takes nothing");
    tell(started(8));
    assert_eq!(pids(), [7, 7, 8]);
}
