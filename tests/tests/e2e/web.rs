//! The channel whose platform is our own table: what is posted is read back by the page that asked.

use reqwest::{Client, Response};
use serde_json::{Value, json};
use tests::world::World;

use crate::alone;

pub(crate) const SITE: &str = "https://www.example.com";
pub(crate) const VISITOR: &str = "0123456789abcdef0123456789abcdef";

/// Everybody who visits the one site may talk, three times a day.
pub(crate) const CONFIG: &str = "
version: 1
models:
  default: {provider: openai, model: scripted, base_url: '{platform}/model/v1', key: openai}
assistants:
  default: {disclosure: never}
channels:
  web: {access: open, origins: ['https://www.example.com']}
limits: {per_person: 3, per_stack: 100}
";

/// A page of a site, with a session or without.
pub(crate) struct Page<'a> {
    pub world: &'a World,
    pub http: Client,
    pub origin: &'a str,
    pub token: String,
}

impl<'a> Page<'a> {
    pub fn new(world: &'a World, origin: &'a str) -> Page<'a> {
        let http = egress::Egress::new().expect("clients").configured_client();
        Page { world, http, origin, token: String::new() }
    }

    pub async fn post(&self, path: &str, body: Value) -> Response {
        let request = self.http.post(self.url(path)).json(&body);
        request
            .header("origin", self.origin)
            .bearer_auth(&self.token)
            .send()
            .await
            .expect("the function answers")
    }

    pub async fn get(&self, path: &str) -> Response {
        let request = self.http.get(self.url(path)).header("origin", self.origin).bearer_auth(&self.token);
        request.send().await.expect("the function answers")
    }

    fn url(&self, path: &str) -> String {
        format!("{}main/{path}", self.world.cloud.endpoints().channels["web"])
    }

    pub async fn begin(&mut self, asked: Value) {
        let answer = self.post("session", asked).await;
        assert_eq!(answer.headers()["access-control-allow-origin"], self.origin);
        let answer: Value = answer.json().await.expect("JSON");
        self.token = answer["token"].as_str().expect("a token").to_owned();
    }

    pub async fn say(&self, id: &str, text: &str) {
        let answer = self.post("messages", json!({"id": id, "text": text})).await;
        assert_eq!(answer.status(), 202);
        let answer: Value = answer.json().await.expect("JSON");
        assert_eq!((&answer["status"], &answer["id"]), (&json!("queued"), &json!(id)));
    }

    /// The replies, once there are so many.
    pub async fn replies(&self, count: usize) -> Vec<String> {
        texts(&self.until(|view| texts(view).len() >= count).await)
    }

    /// Asks until the outbox is as wanted, each time only for what is new.
    pub async fn until(&self, enough: impl Fn(&Value) -> bool) -> Value {
        let mut state = String::new();
        loop {
            let view = self.get(&format!("messages?wait=20&state={state}")).await;
            let view: Value = view.json().await.expect("JSON");
            if enough(&view) {
                return view;
            }
            state = view["state"].as_str().expect("a state").to_owned();
        }
    }
}

pub(crate) fn texts(view: &Value) -> Vec<String> {
    let messages = view["messages"].as_array().expect("messages").iter();
    messages.map(|message| message["text"].as_str().expect("a text").to_owned()).collect()
}

pub(crate) fn only_web(options: &mut local::Options) {
    options.channels = vec!["web".into()];
    options.auth = true;
}

/// With the template's roles enforced: the invoker writes the outbox, and its reader reads nothing but it.
#[test]
fn a_page_reads_its_replies_back() {
    alone("web", CONFIG, only_web, async |world| {
        let mut page = Page::new(world, SITE);
        page.begin(json!({"visitor": VISITOR})).await;
        page.say("m-1", "hello").await;
        assert_eq!(page.replies(1).await, ["You said: hello"]);
        page.say("m-1", "hello").await;
        page.say("m-2", "and again").await;
        assert_eq!(
            page.replies(2).await,
            ["You said: hello", "You said: and again"],
            "a repetition is no message"
        );

        // A reload is another session of the same visitor.
        let mut reloaded = Page::new(world, SITE);
        reloaded.begin(json!({"visitor": VISITOR})).await;
        let stream = reloaded.get("events?wait=5").await;
        assert_eq!(stream.headers()["content-type"], "text/event-stream; charset=utf-8");
        let stream = stream.text().await.expect("events");
        let event =
            stream.split("\n\n").next().and_then(|event| event.strip_prefix("data: ")).expect("an event");
        let view: Value = serde_json::from_str(event).expect("JSON");
        assert_eq!(texts(&view).len(), 2);
        let last = view["messages"][1]["at"].as_i64().expect("a time");
        let newer = page.get(&format!("messages?from={last}")).await.json::<Value>().await.expect("JSON");
        assert_eq!(texts(&newer), ["You said: and again"]);

        let mut other = Page::new(world, SITE);
        other.begin(json!({"visitor": VISITOR.replace('0', "9")})).await;
        let view = other.get("messages").await.json::<Value>().await.expect("JSON");
        assert!(texts(&view).is_empty(), "another visitor's replies");
        // Both come from one address, which has used three turns then.
        other.say("m-1", "third").await;
        assert_eq!(other.replies(1).await, ["You said: third"]);
        other.say("m-2", "fourth").await;
        let said = other.replies(2).await;
        assert!(said[1].contains("today's limit"), "{said:?}");
    });
}

/// The sign is there while the model thinks, and gone with the answer.
#[test]
fn a_page_sees_that_an_answer_is_being_written() {
    alone("writing", CONFIG, only_web, async |world| {
        world.think(60_000).await;
        let mut page = Page::new(world, SITE);
        page.begin(json!({"visitor": VISITOR})).await;
        page.say("m-1", "think about it").await;
        let view = page.until(|view| !view["writing"].is_null()).await;
        assert!(texts(&view).is_empty() && view["writing"]["text"] == "", "{view}");
        page.say("m-2", "/stop").await;
        let view = page.until(|view| view["writing"].is_null() && !texts(view).is_empty()).await;
        assert_eq!(texts(&view), ["Stopped."]);
    });
}

#[test]
fn other_sites_and_strangers_get_nothing() {
    alone("strangers", CONFIG, only_web, async |world| {
        let mut page = Page::new(world, SITE);
        let code = page.get("widget.js").await;
        assert_eq!(
            (code.status().as_u16(), code.headers()["content-type"].to_str().unwrap()),
            (200, "text/javascript; charset=utf-8")
        );
        assert_eq!(page.get("messages").await.status(), 401, "without a session");
        assert_eq!(page.get("events").await.status(), 401);
        assert_eq!(page.post("messages", json!({"id": "1", "text": "hi"})).await.status(), 401);
        page.begin(json!({"visitor": VISITOR})).await;

        let evil = Page { origin: "https://evil.example", token: page.token.clone(), ..Page::new(world, "") };
        let refused = evil.post("session", json!({"visitor": VISITOR})).await;
        assert_ne!(
            refused.headers().get("access-control-allow-origin").map(|to| to.as_bytes()),
            Some(&b"https://evil.example"[..])
        );
        assert_eq!(refused.status(), 403);
        assert!(refused.text().await.unwrap().contains("channels.web.origins"));
        assert_eq!(evil.get("messages").await.status(), 401, "a copied session");
        assert_eq!(evil.post("messages", json!({"id": "1", "text": "hi"})).await.status(), 401);
        assert!(world.questions().await.is_empty());

        // A flood from one address is turned away by each process. A new minute may begin meanwhile, and count anew.
        let mut statuses = Vec::new();
        while statuses.len() < 400 && !statuses.contains(&429) {
            statuses.push(page.post("session", json!({"visitor": VISITOR})).await.status().as_u16());
        }
        assert!(statuses.contains(&429) && statuses[0] == 200, "{statuses:?}");
    });
}

/// Without `open`, visitors are answered only when the site's server says who they are.
#[test]
fn whom_the_site_knows_is_answered_and_others_are_not() {
    let config = CONFIG.replace("access: open, ", "access: workspace, ");
    alone("known", &config, only_web, async |world| {
        let stranger = Page::new(world, SITE);
        let refused = stranger.post("session", json!({"visitor": VISITOR})).await;
        assert_eq!(refused.status(), 403);
        assert!(refused.text().await.unwrap().contains("signed in"));

        let encode = |value: &Value| channel::sign::base64url(value.to_string().as_bytes());
        let exp = model_invoker::now() / 1_000 + 600;
        let signed = format!(
            "{}.{}",
            encode(&json!({"alg": "HS256"})),
            encode(&json!({"sub": "u-7", "name": "Ada", "exp": exp}))
        );
        let keys = world.cloud.secrets("web", "main");
        let mac =
            channel::sign::hmac_sha256(keys.get("identity_key").unwrap().as_bytes(), &[signed.as_bytes()]);
        let mut ada = Page::new(world, SITE);
        ada.begin(json!({"identity": format!("{signed}.{}", channel::sign::base64url(&mac))})).await;
        ada.say("m-1", "hello").await;
        assert_eq!(ada.replies(1).await, ["You said: hello"]);
    });
}

/// OpenAI's protocol without a client of its own; `tests/web.rs` has theirs.
#[test]
fn a_program_gets_its_completion() {
    alone("program", &CONFIG.replace("access: open, ", ""), only_web, async |world| {
        let keys = world.cloud.secrets("web", "main");
        let mut program = Page::new(world, "");
        let ask = |stream: bool| json!({"model": "m", "stream": stream, "messages": [{"role": "user", "content": "hello"}]});
        let refused = program.post("v1/chat/completions", ask(false)).await;
        assert_eq!(refused.status(), 401);
        assert_eq!(refused.json::<Value>().await.unwrap()["error"]["code"], "invalid_api_key");
        program.token = keys.get("api_key").unwrap().to_owned();
        let whole = program.post("v1/chat/completions", ask(false)).await.json::<Value>().await.unwrap();
        assert_eq!(whole["choices"][0]["message"]["content"], "You said: hello");
        let stream = program.post("v1/chat/completions", ask(true)).await.text().await.unwrap();
        assert!(stream.contains("You said: hello") && stream.ends_with("data: [DONE]\n\n"), "{stream}");
        let bad = program.post("v1/chat/completions", json!({"messages": []})).await;
        assert_eq!(bad.status(), 400);
        assert!(bad.text().await.unwrap().contains("role user"));
        let models = program.get("v1/models").await.json::<Value>().await.unwrap();
        assert_eq!(models["data"][0]["id"], "crabhook");
    });
}
