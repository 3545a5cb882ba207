//! Searching over HTTP: a bucket that knows versions, a model that makes vectors.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use channel::SecretString;
use model::ModelConfig;
use serde_json::json;
use turn::config::Tool;

use super::index::{Passage, write};
use super::{Knowledge, model_name};
use crate::tests::toolbox::{budget, check};
use crate::tests::{Reply, Stand, context, secrets, tools};
use crate::{Given, Toolbox, Tools};

/// East or north, as the text says.
fn vector(text: &str) -> Vec<f32> {
    if text.contains("east") { vec![1.0, 0.1] } else { vec![0.1, 1.0] }
}

fn config(model: &str, base_url: &str) -> ModelConfig {
    ModelConfig {
        provider: "openai".into(),
        model: model.into(),
        base_url: Some(format!("{base_url}/v1/")),
        key: Some(SecretString::from("k")),
        ..ModelConfig::default()
    }
}

/// The bucket `documents` and the provider in one. `version` is that of the index.
async fn stand(version: Arc<AtomicUsize>) -> Stand {
    Stand::new(move |seen, _| match seen.path.as_str() {
        "/documents/knowledge/guide/index.json" => {
            let etag = format!("\"{}\"", version.load(Ordering::Relaxed));
            if seen.header("if-none-match") == etag {
                return Reply::new(304, "");
            }
            let passage = |text: &str| Passage { source: "guide.md".into(), text: format!("{text} {etag}") };
            let passages = ["the east gate", "the north tower"].map(|text| (passage(text), vector(text)));
            Reply::new(200, write("openai small", passages.into()).unwrap()).header("etag", etag)
        }
        "/v1/embeddings" => {
            let question = seen.json();
            let texts: Vec<&str> = match &question["input"] {
                serde_json::Value::Array(texts) => texts.iter().filter_map(|text| text.as_str()).collect(),
                text => text.as_str().into_iter().collect(),
            };
            let data: Vec<_> = texts.iter().enumerate().map(|(index, text)| json!({"object": "embedding", "index": index, "embedding": vector(text)})).collect();
            Reply::json(json!({"object": "list", "model": "small", "data": data, "usage": {"prompt_tokens": 3, "total_tokens": 3}}))
        }
        _ => Reply::new(403, "<Error><Code>AccessDenied</Code></Error>"),
    })
    .await
}

async fn open<'t>(tools: &'t Tools, knowledge: Vec<Knowledge>) -> Toolbox<'t> {
    let entries = vec![("search_knowledge".to_owned(), Tool::built_in("search_knowledge").unwrap())];
    Toolbox::open(tools, Given { tools: entries, secrets: &secrets(), knowledge }, context(), budget()).await
}

fn guide(name: &str, model: &str, url: &str) -> Knowledge {
    Knowledge { name: name.into(), about: Some("the castle".into()), results: 1, model: config(model, url) }
}

#[tokio::test]
async fn the_nearest_passages_are_found_and_the_bucket_is_asked_once() {
    let stand = stand(Arc::default()).await;
    let tools = tools(Some(&stand.url));
    let toolbox = open(&tools, vec![guide("guide", "small", &stand.url)]).await;
    assert!(toolbox.specs()[0].description.contains("the castle"));
    let asked = |query: &str| json!({"query": query});
    check(&toolbox, "search_knowledge", asked("what is in the east?"), Ok("[guide.md]\nthe east gate \"0\""))
        .await;
    check(&toolbox, "search_knowledge", asked("and else?"), Ok("[guide.md]\nthe north tower \"0\"")).await;
    check(&toolbox, "search_knowledge", json!({}), Err("missing field `query`")).await;
    let seen = stand.seen();
    let fetched: Vec<_> = seen.iter().filter(|seen| seen.path.starts_with("/documents/")).collect();
    assert_eq!(fetched.len(), 1);
    assert!(fetched[0].header("authorization").contains("/us-east-1/s3/aws4_request"));
    assert_eq!(fetched[0].header("x-amz-content-sha256").len(), 64);
    assert_eq!(
        seen.iter().find(|seen| seen.path.starts_with("/v1")).unwrap().header("authorization"),
        "Bearer k"
    );
}

#[tokio::test]
async fn a_newer_index_is_noticed_after_a_while_and_an_older_one_outlives_the_bucket() {
    let version = Arc::new(AtomicUsize::new(0));
    let stand = stand(Arc::clone(&version)).await;
    let tools = tools(Some(&stand.url));
    let minute = std::time::Duration::from_secs(60);
    let read = async |now: i64| {
        let index = tools.shelf.index(&tools, "guide", minute, now).await.unwrap();
        index.nearest(&[1.0, 0.0], 1)[0].passage.text.clone()
    };
    assert_eq!(read(0).await, "the east gate \"0\"");
    assert_eq!(read(600_000).await, "the east gate \"0\"");
    assert_eq!(stand.seen()[1].header("if-none-match"), "\"0\"");
    version.store(1, Ordering::Relaxed);
    assert_eq!(read(600_001).await, "the east gate \"0\"");
    assert_eq!(read(1_200_000).await, "the east gate \"1\"");
    let gone = tools.shelf.index(&tools, "nowhere", minute, 0).await.err().unwrap();
    assert!(gone.to_string().contains("crabhook knowledge push nowhere"), "{gone}");
}

#[tokio::test]
async fn what_cannot_be_searched_is_said_unless_something_can() {
    let stand = stand(Arc::default()).await;
    let tools = tools(Some(&stand.url));
    let asked = json!({"query": "east?"});
    let other = open(&tools, vec![guide("guide", "large", &stand.url)]).await;
    check(
        &other,
        "search_knowledge",
        asked.clone(),
        Err("made searchable with openai small, not with openai large"),
    )
    .await;
    let missing = open(&tools, vec![guide("nowhere", "small", &stand.url)]).await;
    check(&missing, "search_knowledge", asked.clone(), Err("no documents under nowhere")).await;
    let both =
        open(&tools, vec![guide("nowhere", "small", &stand.url), guide("guide", "small", &stand.url)]).await;
    check(&both, "search_knowledge", asked, Ok("the east gate")).await;
    assert_eq!(model_name(&config("small", "")), "openai small");
}
