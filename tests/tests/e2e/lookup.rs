//! What the model looks up: the operator's documents, a page, a function in another language.

use serde_json::{Value, json};
use tests::programs::Programs;
use tests::world::{Words, World};

use crate::alone;
use crate::operations::crabhook;

/// A zip of `tool.py`: a handler that gives {"text": event["arguments"]["item"] + ": three are left"}.
const FUNCTION: &str = "UEsDBBQAAAAAAAAAIVyG3PrtYgAAAGIAAAAHAAAAdG9vbC5weWRlZiBoYW5kbGVyKGV2ZW50LCBjb250ZXh0KToKICAgIHJldHVybiB7InRleHQiOiBldmVudFsiYXJndW1lbnRzIl1bIml0ZW0iXSArICI6IHRocmVlIGFyZSBsZWZ0In0KUEsBAhQDFAAAAAAAAAAhXIbc+u1iAAAAYgAAAAcAAAAAAAAAAAAAAKQBAAAAAHRvb2wucHlQSwUGAAAAAAEAAQA1AAAAhwAAAAAA";

/// Vectors that know east from everything else, and a page.
fn programs() -> Programs {
    Programs::start(|path, asked| match path {
        "/v1/embeddings" => {
            let texts = asked["input"].as_array().cloned().unwrap_or_default();
            let vector =
                |text: &Value| if text.to_string().contains("east") { [1.0, 0.1] } else { [0.1, 1.0] };
            let one = |(index, text)| json!({"index": index, "embedding": vector(text)});
            (200, json!({"data": texts.iter().enumerate().map(one).collect::<Vec<_>>()}))
        }
        "/pages/hours" => (200, json!("We open at nine.")),
        _ => (404, json!({})),
    })
}

fn config(programs: &Programs) -> String {
    let url = &programs.url;
    format!(
        "
version: 1
models:
  default: {{provider: openai, model: scripted, base_url: '{{platform}}/model/v1', key: openai}}
  vectors: {{provider: openai, model: small, base_url: '{url}/v1/', key: openai}}
assistants:
  default: {{disclosure: never, tools: [search_knowledge, page, stock]}}
knowledge:
  castle: {{model: vectors, about: the castle, results: 1}}
tools:
  page: {{kind: web_fetch, url: '{url}/pages/'}}
  stock: {{kind: lambda, function: stock, description: 'What is in stock.',
    arguments: {{type: object, properties: {{item: {{type: string}}}}, required: [item]}}}}
"
    )
}

/// The model calls the tool; what it is told of the call.
async fn told(world: &World, tool: &str, arguments: Value) -> String {
    let done = format!("That was question {}.", world.questions().await.len());
    let answers = json!([{"calls": [{"name": tool, "arguments": arguments}]}, done]);
    world.tell("/model/answers", json!({ "answers": answers })).await;
    let sent = world.send(Words::of("telegram", "7", "look it up")).await;
    world.until(&sent, |said| said.contains(&done)).await;
    world.at_rest(&sent).await;
    let question = world.questions().await.pop().expect("a question with the result");
    let result = question["messages"].as_array().and_then(|messages| messages.last().cloned());
    result.unwrap_or_default()["content"].to_string()
}

#[test]
fn documents_pages_and_functions() {
    let programs = programs();
    alone(
        "lookup",
        &config(&programs),
        |options| options.channels = vec!["telegram".into()],
        async |world| {
            let nothing = told(world, "search_knowledge", json!({"query": "the east?"})).await;
            assert!(nothing.contains("crabhook knowledge push castle"), "{nothing}");

            let folder = std::env::temp_dir().join(format!("crabhook-castle-{}", std::process::id()));
            std::fs::create_dir_all(&folder).expect("a folder for the documents");
            std::fs::write(
                folder.join("guide.md"),
                "# Gate\n\nThe gate is in the east.\n\n# Tower\n\nIt is high.",
            )
            .expect("the document can be written");
            let unknown = crabhook("lookup", &["knowledge", "push", "palace", &folder.display().to_string()]);
            assert!(unknown.contains("no entry palace") && unknown.contains("castle"), "{unknown}");
            let pushed = crabhook("lookup", &["knowledge", "push", "castle", &folder.display().to_string()]);
            assert!(pushed.contains("castle has 2 passages"), "{pushed}");
            let found = told(world, "search_knowledge", json!({"query": "what is in the east?"})).await;
            assert!(found.contains("[guide.md]") && found.contains("The gate is in the east."), "{found}");
            assert!(!found.contains("It is high."), "{found}");

            let page = told(world, "page", json!({"url": format!("{}/pages/hours", programs.url)})).await;
            assert!(page.contains("We open at nine.") && page.contains("from a stranger"), "{page}");
            let inside = told(world, "page", json!({"url": format!("{}/v1/embeddings", programs.url)})).await;
            assert!(inside.contains("refused"), "{inside}");

            let missing = told(world, "stock", json!({"item": "tea"})).await;
            assert!(missing.contains("no function stock"), "{missing}");
            create_function(world, "stock", FUNCTION).await;
            let stock = told(world, "stock", json!({"item": "tea"})).await;
            assert!(stock.contains("tea: three are left"), "{stock}");
            std::fs::remove_dir_all(&folder).expect("the folder can be removed");
        },
    );
}

/// Creates a function of that name from a zip of `tool.py`, in Base64.
/// <https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html>
pub async fn create_function(world: &World, name: &str, zip: &str) {
    let function = json!({
        "FunctionName": name, "Runtime": "python3.12", "Handler": "tool.handler",
        "Role": format!("arn:aws:iam::000000000000:role/{name}"), "Code": {"ZipFile": zip},
    });
    let url = format!("{}/2015-03-31/functions", world.cloud.endpoints().aws.trim_end_matches('/'));
    let credential = "Credential=test/20260101/us-east-1/lambda/aws4_request";
    let request = egress::Egress::new()
        .expect("TLS can be set up")
        .configured_client()
        .post(url)
        .body(function.to_string());
    let request = request
        .header("content-type", "application/json")
        .header("authorization", format!("AWS4-HMAC-SHA256 {credential}, SignedHeaders=host, Signature=0"));
    let answer = request.send().await.expect("the local cloud answers");
    assert!(answer.status().is_success(), "{}", answer.status());
}
