//! Pictures and files that tools answer with.

use std::sync::atomic::{AtomicUsize, Ordering};

use channel::sign;
use serde_json::{Value, json};

use super::toolbox::{budget, call, http, open};
use super::{Reply, Stand, tools};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n of a chart";

fn file(name: &str, media_type: &str, bytes: &[u8]) -> Value {
    json!({"name": name, "media_type": media_type, "data": sign::base64(bytes)})
}

/// A bucket, and programs that answer with files.
async fn stand() -> Stand {
    let count = AtomicUsize::new(0);
    Stand::new(move |seen, _| match (seen.method.as_str(), seen.path.as_str()) {
        ("PUT", path) if path.starts_with("/documents/media/abc/") => Reply::new(200, ""),
        ("PUT", _) => Reply::new(403, ""),
        (_, "/chart") => {
            Reply::json(json!({"text": "sales of May", "files": [file("may.png", "image/png", PNG)]}))
        }
        (_, "/report") => Reply::json(json!({"pages": 2, "files": [file("r.csv", "text/csv", b"a,b")]})),
        (_, "/plain") => Reply::new(200, PNG),
        (_, "/failed") => {
            Reply::json(json!({"text": "no data", "error": true, "files": [file("a.png", "", PNG)]}))
        }
        (_, "/odd") => Reply::json(json!({"text": "two", "files": ["a.png"]})),
        (_, "/large") => Reply::json(json!({"files": [file("a.bin", "", &vec![7; (4 << 20) + 1])]})),
        _ => Reply::new(200, [PNG, count.fetch_add(1, Ordering::Relaxed).to_string().as_bytes()].concat()),
    })
    .await
}

#[tokio::test]
async fn what_tools_make_is_kept_for_the_person_and_the_model_is_told() {
    let stand = stand().await;
    let tools = tools(Some(&stand.url));
    let names = ["chart", "report", "plain", "failed", "odd", "large", "more"];
    let entries = names.map(|name| (name, http(&format!("{}/{name}", stand.url)))).to_vec();
    let toolbox = open(&tools, entries, budget()).await;
    let told = async |name: &str| call(&toolbox, name, json!({})).await.text;
    assert_eq!(told("chart").await, "[The person gets may.png with your answer.]\nsales of May");
    assert_eq!(told("report").await, "[The person gets r.csv with your answer.]\n{\"pages\":2}");
    // The same picture once more, and none.
    assert_eq!(told("plain").await, "[The person gets picture.png with your answer.]\n");
    assert_eq!(told("failed").await, "no data");
    assert_eq!(told("odd").await, "two");
    assert_eq!(told("large").await, "[The person does not get a.bin: it is larger than 4 MiB.]\n{}");
    let made = toolbox.made();
    let named: Vec<&str> = made.iter().map(|kept| kept.name.as_str()).collect();
    assert_eq!(named, ["may.png", "r.csv"]);
    let hash = &sign::sha256_hex(PNG)[..32];
    assert_eq!(made[0].key, format!("media/abc/{hash}"));
    let put: Vec<_> = stand.seen().into_iter().filter(|seen| seen.method == "PUT").collect();
    assert_eq!((put.len(), put[0].body.as_slice(), put[0].header("content-type")), (2, PNG, "image/png"));
    // Four go with an answer.
    for _ in 0..2 {
        assert!(told("more").await.contains("The person gets"));
    }
    assert!(told("more").await.contains("4 files go with an answer at most"));
    assert_eq!(toolbox.made().len(), 4);
}

#[tokio::test]
async fn links_to_what_was_made_are_signed_and_name_what_is_saved() {
    let tools = tools(None);
    let kept = |name: &str, media_type: &str| turn::Kept {
        name: name.into(),
        media_type: media_type.into(),
        key: "media/abc/1f".into(),
    };
    let picture = tools.link(&kept("may.png", "image/png")).unwrap();
    assert!(
        picture.starts_with("https://documents.s3.us-east-1.amazonaws.com/media/abc/1f?X-Amz-"),
        "{picture}"
    );
    assert!(picture.contains("&X-Amz-Expires=43200&") && picture.contains("&X-Amz-Signature="), "{picture}");
    let report = tools.link(&kept("Bericht \"ä\".csv", "text/csv")).unwrap();
    let saved = "?response-content-disposition=attachment%3B%20filename%3D%22Bericht%20___.csv%22&X-Amz-";
    assert!(report.contains(saved), "{report}");
    assert_eq!(tools.files_base(), "https://documents.s3.us-east-1.amazonaws.com/media");
}

#[tokio::test]
async fn a_bucket_that_does_not_answer_costs_the_file_only() {
    let program = Stand::new(|_, _| Reply::new(200, PNG)).await;
    let tools = tools(Some("http://127.0.0.1:1"));
    let toolbox = open(&tools, vec![("chart", http(&program.url))], budget()).await;
    let result = call(&toolbox, "chart", json!({})).await;
    assert_eq!(result.text, "[The person does not get picture.png: it cannot be sent at the moment.]\n");
    assert!(!result.is_error && toolbox.made().is_empty());
}
