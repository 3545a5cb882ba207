//! OpenAI's protocol.

use super::files::items;
use super::*;

#[test]
fn a_completion_is_a_conversation_of_its_own() {
    let said = |role: &str, content: Value| json!({"role": role, "content": content});
    let ask = |messages: Value, user: Value| {
        let body = json!({"model": "gpt-5", "messages": messages, "user": user});
        match receive("/v1/chat/completions", "key-two", &body).unwrap() {
            Received::Events { ack, mut inbound, .. } => (ack.body_json(), inbound.remove(0)),
            other => panic!("{other:?}"),
        }
    };
    let (ack, one) = ask(json!([said("user", json!("hello"))]), Value::Null);
    assert_eq!((one.text(), one.sender.id.as_str(), one.sender.home), ("hello", "api:client", Home::Yes));
    assert_eq!(ack["session"], json!(one.conversation.chat));
    let parts = json!([{"type": "text", "text": "what is it?"},
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}]);
    let history = json!([
        said("system", json!("Be brief.")),
        said("user", json!("hi")),
        said("assistant", json!("Hello.")),
        said("user", parts)
    ]);
    let (other, two) = ask(history, json!("u-7"));
    let expected = "[Please follow this:]\nBe brief.\n\n[What was said before:]\nuser: hi\nassistant: Hello.\n\n[Now:]\nwhat is it?";
    assert_eq!((two.text(), two.sender.id.as_str(), two.attachments.len()), (expected, "api:u-7", 1));
    assert_ne!(ack["session"], other["session"]);

    for (body, why) in [
        (json!({"messages": []}), "role user"),
        (json!({"messages": [said("user", json!(" "))]}), "is empty"),
        (json!({"messages": "x"}), "no chat completion request"),
        (
            json!({"messages": [said("user", json!([{"type": "image_url", "image_url": {"url": "http://a.example/1.png"}}]))]}),
            "https address",
        ),
    ] {
        let Received::Nothing(ack, _) = receive("/v1/chat/completions", "key-one", &body).unwrap() else {
            panic!()
        };
        let error = ack.body_json();
        assert!(error["error"]["message"].as_str().unwrap().contains(why), "{error}");
    }
    let long = json!([
        said("user", json!("old ".repeat(9_000))),
        said("user", json!("new ".repeat(9_000))),
        said("user", json!("now"))
    ]);
    let (_, cut) = ask(long, Value::Null);
    assert!(cut.text().ends_with("now") && cut.text().contains("new ") && !cut.text().contains("old "));
    for (path, status) in
        [("/v1/models", 200), ("/v1/models/crabhook", 200), ("/v1/models/gpt-5", 404), ("/v1/files", 404)]
    {
        let answer = receive(path, "key-one", &Value::Null);
        assert!(
            matches!(&answer, Ok(Received::Handshake(answer)) if answer.status == status),
            "{path} {answer:?}"
        );
    }
    assert!(matches!(receive("/v1/models", "key-three", &Value::Null), Err(Reject::Forged(_))));
}

#[test]
fn a_repeated_completion_with_a_key_is_the_same_one() {
    let ask = |key: Option<&str>, now: i64| {
        let body = json!({"messages": [{"role": "user", "content": "hi"}]});
        let mut request =
            request("POST", "/v1/chat/completions", &[("authorization", "Bearer key-one")], &body);
        if let Some(key) = key {
            request.headers.set("idempotency-key", key);
        }
        match with(now, |ctx| Web.receive(&request, ctx)).unwrap() {
            Received::Events { inbound, .. } => inbound[0].id.clone(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(ask(Some("k"), NOW), ask(Some("k"), NOW + 5));
    assert_ne!(ask(Some("k"), NOW), ask(Some("l"), NOW));
    assert_ne!(ask(None, NOW), ask(None, NOW + 5));
}

/// What counts on more than an assistant does is refused; what it can do without is not.
#[test]
fn a_completion_that_cannot_be_as_wanted_is_refused() {
    let check = |more: Value, refused: Option<(&str, &str)>| {
        let mut body = json!({"messages": [{"role": "user", "content": "hi"}]});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let received = receive("/v1/chat/completions", "key-one", &body).unwrap();
        let error = match received {
            Received::Nothing(answer, _) => answer.body_json()["error"].clone(),
            _ => Value::Null,
        };
        let found = refused.map(|(code, param)| (json!(code), json!(param)));
        assert_eq!(
            (error != Value::Null).then(|| (error["code"].clone(), error["param"].clone())),
            found,
            "{more}"
        );
    };
    let tools = json!([{"type": "function", "function": {"name": "f"}}]);
    check(json!({"n": 2}), Some(("unsupported_parameter", "n")));
    check(json!({"tools": tools, "tool_choice": "required"}), Some(("unsupported_parameter", "tool_choice")));
    check(json!({"tool_choice": {"type": "function"}}), Some(("unsupported_parameter", "tool_choice")));
    let schema = json!({"type": "json_schema", "json_schema": {}});
    check(json!({"response_format": schema}), Some(("unsupported_parameter", "response_format")));
    let system = |bytes: usize| {
        let system = json!({"role": "system", "content": "x".repeat(bytes)});
        json!({"messages": [system, {"role": "user", "content": "now"}]})
    };
    check(system(70_000), Some(("context_length_exceeded", "messages")));
    check(system(65_000), None);
    let null = json!({"n": null, "stream": null, "stream_options": null, "tool_choice": null, "response_format": null});
    check(null, None);
    let usual = json!({"n": 1, "tools": tools, "tool_choice": "auto", "response_format": {"type": "text"}, "seed": 7});
    check(usual, None);
}

#[test]
fn a_program_gets_the_models_words_as_they_are() {
    let outcome = |end| channel::Outcome { end, input: 7, output: 3, cached: 2, reasoning: 1 };
    let whole = |text: &str, end| {
        let parts = [Part::Text(text.to_owned()), Part::Outcome(outcome(end))];
        items(&parts, "v1-s").whole().unwrap()
    };
    let odd = "  {\"a\": \"<b>**half\"}\n* one\n* two\nhttps://example.com/a_(b)!\n";
    let answer = whole(odd, channel::End::Whole);
    assert_eq!((answer.text.as_str(), answer.reason(), answer.fault()), (odd, "stop", None));
    let usage = answer.usage();
    assert_eq!(
        (&usage["prompt_tokens"], &usage["completion_tokens"], &usage["total_tokens"]),
        (&json!(7), &json!(3), &json!(10))
    );
    assert_eq!(usage["prompt_tokens_details"]["cached_tokens"], 2);
    let long = "x é".repeat(20_000);
    assert_eq!(whole(&long, channel::End::Cut).text, long, "joined without a seam");
    assert_eq!(whole("more", channel::End::Cut).reason(), "length");
    assert_eq!(whole("no", channel::End::Declined).reason(), "content_filter");
    let draft = Part::Draft { text: "This is **bol".to_owned(), posted: None, grown: channel::Grown::Edited };
    assert_eq!(items(&[draft], "v1-s").draft(), "This is **bol");
}

#[test]
fn a_program_is_told_by_status_that_there_is_no_answer() {
    let check = |part: Part, status: u16, code: Value, retry: Option<&str>| {
        let view = items(&[Part::Text("Sorry.".to_owned()), part], "v1-s");
        let fault = view.whole().unwrap().fault().unwrap();
        let answer = fault.response();
        assert_eq!((answer.status, &answer.body_json()["error"]["code"]), (status, &code));
        assert_eq!((answer.headers.get("x-should-retry"), fault.why.as_str()), (retry, "Sorry."));
    };
    let end = |end| Part::Outcome(channel::Outcome { end, ..channel::Outcome::default() });
    check(end(channel::End::Capped), 429, json!("insufficient_quota"), Some("false"));
    check(end(channel::End::TooLong), 400, json!("context_length_exceeded"), Some("false"));
    check(end(channel::End::Failed), 503, Value::Null, None);
    let refused = items(&[Part::Dismiss], "v1-s").whole().unwrap().fault().unwrap();
    assert_eq!((refused.status, refused.json()["error"]["code"].clone()), (403, json!("access_denied")));
}

#[test]
fn answers_to_programs_are_in_their_words() {
    let (id, model) = ("s".to_owned(), "gpt-5".to_owned());
    let head = openai::Head { id, model, created: 1_795_000_000_999, usage: true };
    let usage = openai::usage(&channel::Outcome { input: 7, output: 3, ..channel::Outcome::default() });
    let whole = head.completion("Hello.", "length", &usage);
    assert_eq!(
        (&whole["choices"][0]["message"]["content"], &whole["created"], &whole["usage"]["total_tokens"]),
        (&json!("Hello."), &json!(1_795_000_000), &json!(10))
    );
    let stream = head.piece("Hel", true) + &head.piece("lo.", false) + &head.end("stop", &usage);
    let events: Vec<&str> =
        stream.split_terminator("\n\n").map(|event| event.strip_prefix("data: ").unwrap()).collect();
    let [first, second, end, took, "[DONE]"] = events.as_slice() else { panic!("{stream}") };
    let [first, second, end, took] =
        [first, second, end, took].map(|text| serde_json::from_str::<Value>(text).unwrap());
    assert_eq!(first["choices"][0]["delta"], json!({"role": "assistant", "content": "Hel"}));
    assert_eq!(
        (&second["choices"][0]["delta"], &second["object"]),
        (&json!({"content": "lo."}), &json!("chat.completion.chunk"))
    );
    assert_eq!((&end["choices"][0]["finish_reason"], &end["usage"]), (&json!("stop"), &Value::Null));
    assert_eq!((&took["choices"], &took["usage"]["prompt_tokens"]), (&json!([]), &json!(7)));
    assert_eq!(openai::error(401, "no")["error"]["code"], "invalid_api_key");
    let manner = |body: &str| openai::manner(body.as_bytes());
    assert_eq!(
        (manner(r#"{"stream":true,"model":"m"}"#).stream, manner("x").model.as_str()),
        (true, "crabhook")
    );
}

/// What a client has in the end: what the pieces say, how often they say who speaks, why it ends or what went wrong.
fn streamed(views: &[View]) -> (String, usize, String) {
    let (id, model) = ("s".to_owned(), "m".to_owned());
    let mut pieces = openai::Pieces::new(openai::Head { id, model, created: 0, usage: false });
    let mut all = String::new();
    for view in views {
        match pieces.next(view) {
            openai::Next::Piece(piece) | openai::Next::End(piece) => all += &piece,
            openai::Next::Nothing => {}
        }
    }
    let (mut said, mut roles, mut end) = (String::new(), 0, String::new());
    let events = all.split_terminator("\n\n").filter_map(|event| event.strip_prefix("data: "));
    for event in
        events.filter(|event| *event != "[DONE]").map(|text| serde_json::from_str::<Value>(text).unwrap())
    {
        let choice = &event["choices"][0];
        said += choice["delta"]["content"].as_str().unwrap_or("");
        roles += usize::from(choice["delta"]["role"] == "assistant");
        let over = choice["finish_reason"].as_str().or(event["error"]["message"].as_str());
        end = over.map_or(end, str::to_owned);
    }
    (said, roles, end)
}

#[test]
fn what_a_program_joins_is_the_answer() {
    let draft = |text: &str| {
        items(&[Part::Draft { text: text.to_owned(), posted: None, grown: channel::Grown::Edited }], "v1-s")
    };
    let whole = |text: &str, end| {
        let outcome = Part::Outcome(channel::Outcome { end, ..channel::Outcome::default() });
        items(&[Part::Text(text.to_owned()), outcome], "v1-s")
    };
    let check = |drafts: &[&str], text: &str, said: &str, roles: usize, end: &str| {
        let drafts = drafts.iter().map(|text| draft(text));
        let views: Vec<View> = drafts.chain([whole(text, channel::End::Whole)]).collect();
        assert_eq!(streamed(&views), (said.to_owned(), roles, end.to_owned()), "{text}");
    };
    for (drafts, text) in [
        (&["This is **bol", "This is **bold** and"][..], "This is **bold** and more."),
        (&["See https://a.b/c for"], "See https://a.b/c for more."),
        (&["* one\n* t", "", "* one\n* two ["], "* one\n* two [x](https://a.b)\n"),
        // Begun anew by another process, and come as far again.
        (&["Hello, wor", "Hel", "Hello, world"], "Hello, world."),
        (&[], "at once"),
    ] {
        check(drafts, text, text, 1, "stop");
    }
    check(
        &["Hello, wor"],
        "Good evening.",
        "Hello, wor",
        1,
        "The answer was begun anew after it broke off. Please try again.",
    );
    let failed = [draft("Hel"), whole("Sorry.", channel::End::Failed)];
    assert_eq!(streamed(&failed), ("Hel".to_owned(), 1, "Sorry.".to_owned()));
}
