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
