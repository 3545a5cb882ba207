//! Recorded requests, rendered replies and Meta's answers, each in its table.

use channel::local::recorded::{self, NOW, body, named, request};
use channel::local::{Local, Message};
use channel::{
    Body, Channel, Connect, Headers, Inbound, Kind, Part, Received, Reject, Request, Response, Secrets,
    Settled, Step, Target, Way,
};
use serde_json::{Value, json};

use crate::WhatsApp;

fn read(path: &str) -> Value {
    recorded::read("whatsapp", path)
}

fn secrets() -> Secrets {
    named(&json!({"app_secret": "s3cret", "verify_token": "tok"}))
}

fn receive(request: &Request, secrets: &Secrets, settings: &Value) -> Result<Received, Reject> {
    recorded::receive(&WhatsApp, request, secrets, settings)
}

#[test]
fn judges_the_vectors() {
    for vector in read("vectors.json").as_array().unwrap() {
        let secret = vector["secrets"]["app_secret"].as_str().unwrap();
        let secrets = named(&json!({"app_secret": secret}));
        let judged = receive(&request(&vector["request"]), &secrets, &Value::Null);
        assert_eq!(judged.is_ok(), vector["expected"]["valid"].as_bool().unwrap(), "{}", vector["name"]);
    }
    let unsigned = request(&read("receive/dm_text.json")["request"]);
    assert_eq!(receive(&unsigned, &secrets(), &Value::Null), Err(Reject::Forged("no signature")));
    assert_eq!(receive(&unsigned, &Secrets::default(), &Value::Null), Err(Reject::NotSetUp("app_secret")));
}

#[test]
fn the_handshake_is_answered_with_the_challenge() {
    let get = |token: &str| {
        let url = format!(
            "https://x.example/?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token={token}"
        );
        receive(&Request::new("GET", &url, Headers::default(), ""), &secrets(), &Value::Null)
    };
    assert_eq!(get("tok"), Ok(Received::Handshake(Response::text(200, "1158201444"))));
    assert_eq!(get("other"), Err(Reject::Forged("verify token")));
}

/// What a recorded request comes to.
fn came_to(case: &str) -> Result<Vec<Inbound>, &'static str> {
    recorded::came_to(&WhatsApp, case, &secrets())
}

#[test]
fn reads_recorded_requests() {
    for (case, text, kind, addressed) in [
        ("dm_text", "Olá 👋 https://example.com", Kind::Dm, true),
        ("dm_image", "what is this?", Kind::Dm, true),
        ("dm_location", "[location: my location, 1-3 Kioicho, 35.67966, 139.73669]", Kind::Dm, true),
        ("dm_contacts", "[contact: Bob, +1 650 555 0000]", Kind::Dm, true),
        ("button_reply", "/new", Kind::Dm, true),
        ("list_reply", "choice 2", Kind::Dm, true),
        ("template_button", "Tell me more", Kind::Dm, true),
        ("group_mention", "what is this?", Kind::Group, true),
        ("group_name", "hey @helper, what is this?", Kind::Group, true),
        ("group_name_first", "/new", Kind::Group, true),
        ("group_reply", "why?", Kind::Group, true),
        ("group_command", "/allow", Kind::Group, true),
        ("group_chatter", "hi Bob", Kind::Group, false),
        ("operator", "I take over here", Kind::OperatorSaid, true),
        ("operator_bot_on", "/bot on", Kind::OperatorSaid, true),
    ] {
        let inbound = came_to(case).unwrap().remove(0);
        assert_eq!((inbound.text(), inbound.kind, inbound.addressed), (text, kind, addressed), "{case}");
    }
    assert_eq!(came_to("several").unwrap().len(), 2);
    for (case, kind) in [
        ("status", "receipt"),
        ("status_failed", "failed delivery"),
        ("reaction", "reaction"),
        ("unsupported", "unknown message"),
        ("operator_revoked", "unknown message"),
        ("history", "history"),
        ("template_news", "other news"),
        ("not_json", "unknown body"),
    ] {
        assert_eq!(came_to(case).unwrap_err(), kind, "{case}");
    }
}

#[test]
fn a_person_is_the_same_with_and_without_a_number() {
    let one = |case: &str| came_to(case).unwrap().remove(0);
    let (known, hidden) = (one("dm_text"), one("dm_without_number"));
    assert_eq!((&known.sender.id, known.sender.name.as_str()), (&hidden.sender.id, "Renée"));
    assert_eq!(known.conversation_key(), hidden.conversation_key());
    assert_eq!(known.address.data["phone"], "16505551234");
    assert_eq!(hidden.address.data.get("phone"), None);
    assert_eq!(one("dm_without_id").sender.id, "16505551234");
}

#[test]
fn an_operators_words_belong_to_the_customers_chat() {
    let (customer, operator) =
        (came_to("dm_text").unwrap().remove(0), came_to("operator").unwrap().remove(0));
    assert_eq!(operator.conversation_key(), customer.conversation_key());
    assert_eq!(operator.echo_of.as_deref(), Some("wamid.ECHO="));
    assert_eq!(operator.sender.id, "15550783881");
}

#[test]
fn a_file_is_two_calls_away() {
    let voice = came_to("dm_voice").unwrap().remove(0).attachments.remove(0);
    assert_eq!((voice.name.as_str(), voice.media_type.as_str()), ("audio.ogg", "audio/ogg"));
    let steps = WhatsApp.fetch(&voice.fetch).steps;
    assert!(format!("{:?}", steps[0].target).contains("/2754859441498130?phone_number_id=106540352242922"));
    let url = "https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=1";
    let found = WhatsApp.settle(&steps[0], &Response::json(200, &json!({"url": url})));
    assert_eq!(found, Settled::Posted(Some(url.into())));
    assert_eq!(steps[1].target, Target::Answer);
    assert_eq!(WhatsApp.settle(&steps[1], &Response::text(200, "x")), Settled::Fetched(b"x".to_vec()));
    assert_eq!(WhatsApp.settle(&steps[0], &Response::json(200, &json!({}))), Settled::Gone);
}

fn posted(case: &str, part: Part, way: Way, settings: &Value) -> Vec<Step> {
    let to = came_to(case).unwrap().remove(0).address;
    let ctx = recorded::context(way, settings);
    WhatsApp.post(&[part], &to, &ctx).steps
}

#[test]
fn a_day_later_only_the_template_goes_out() {
    let settings = json!({"template": "late_answer", "template_length": 10});
    let text = || Part::Text("**word** ".repeat(2_000));
    let (reply, push) =
        (posted("dm_text", text(), Way::Reply, &settings), posted("dm_text", text(), Way::Push, &settings));
    // As many steps in both ways, so that a reply refused midway goes on as a push.
    assert!(reply.len() > 1 && reply.len() == push.len());
    assert_eq!(body(&reply[0])["type"], "text");
    let variable = body(&push[0])["template"]["components"][0]["parameters"][0]["text"].as_str().unwrap();
    assert!(variable.ends_with('…') && variable.chars().count() <= 10, "{variable}");
    let window = came_to("dm_text").unwrap().remove(0).address.window.unwrap();
    assert!(window.is_open(NOW) && !window.is_open(NOW + 24 * 3_600_000));
}

#[test]
fn buttons_keep_their_limits() {
    let choice = |label: &str, says: &str| channel::Choice { label: label.to_owned(), says: says.to_owned() };
    let kind = |choices: Vec<channel::Choice>| {
        let part = Part::Buttons { text: "Which?".to_owned(), choices };
        let steps = posted("dm_text", part, Way::Reply, &Value::Null);
        let body = body(&steps[0]).clone();
        body["interactive"]["type"].as_str().unwrap_or("text").to_owned()
    };
    let choices = |count: usize| (0..count).map(|n| choice(&format!("{n}"), "x")).collect::<Vec<_>>();
    assert_eq!([kind(choices(1)), kind(choices(3)), kind(choices(4))], ["button", "button", "list"]);
    assert_eq!([kind(choices(10)), kind(choices(11)), kind(choices(0))], ["list", "text", "text"]);
    let same_start = "a long label that differs";
    let twins = vec![choice(&format!("{same_start} 1"), "1"), choice(&format!("{same_start} 2"), "2")];
    assert_eq!(kind(twins), "text");
    assert_eq!(kind(vec![choice("a", &"x".repeat(257))]), "text");
}

#[test]
fn answers_of_the_cloud_api_are_understood() {
    let post = posted("dm_text", Part::Text("hi".into()), Way::Reply, &Value::Null).remove(0);
    let check = |status: u16, code: u64, expected: &str| {
        let error = json!({"error": {"message": "words", "code": code}});
        let settled = format!("{:?}", WhatsApp.settle(&post, &Response::json(status, &error)));
        assert!(settled.starts_with(expected), "{status} {code}: {settled}");
    };
    check(400, 131_047, "Gone");
    check(400, 130_429, "Later");
    check(400, 131_056, "Later");
    check(400, 131_030, "Broken(\"131030: the app is not published");
    check(404, 132_001, "Broken(\"132001: WhatsApp does not take the template");
    check(401, 190, "Broken(\"190: Meta does not take the access token");
    check(400, 131_026, "Broken(\"131026: words");
    let sent = json!({"messaging_product": "whatsapp", "messages": [{"id": "wamid.OUT"}]});
    let settled = WhatsApp.settle(&post, &Response::json(200, &sent));
    assert_eq!(settled, Settled::Posted(Some("wamid.OUT".into())));
}

#[test]
fn connecting_begins_with_the_terms() {
    let Connect::Terms(terms, Connect::Call(steps, _)) = crate::spec::SPEC.connect else { panic!("terms") };
    assert!(terms.starts_with("Read first") && terms.contains("Checked on 2026-11-21"));
    let told = |settings| {
        steps(&channel::Registration { url: "https://x.example/", settings: &settings, commands: &[] })
    };
    assert!(told(json!({"app_id": "1"})).is_empty());
    let steps = told(json!({"app_id": 12, "business_account": "34/5"}));
    let Body::JsonWithSecrets { value, fill } = &steps[0].body else { panic!("with the verify token") };
    assert_eq!(value["callback_url"], "https://x.example/");
    assert_eq!(fill[0], ("/verify_token".to_owned(), "verify_token".to_owned()));
    assert!(format!("{:?}", steps[1].target).contains("/34%2F5/subscribed_apps"));
}

#[test]
fn the_stand_in_answers_what_the_room_sends() {
    for conversation in [None, Some("team")] {
        let secrets = secrets();
        let message = Message {
            url: "https://x.example/",
            account: "main",
            text: "héllo / 👋",
            user: "ana",
            conversation,
            id: "7",
            secrets: &secrets,
            platform: "http://127.0.0.1:1",
            now: NOW,
        };
        let event = WhatsApp.event(&message);
        assert!(event.request.body.is_ascii());
        let received = receive(&event.request, &secrets, &Value::Null);
        let Ok(Received::Events { inbound, .. }) = received else { panic!("taken") };
        assert_eq!((inbound[0].text(), inbound[0].addressed), ("héllo / 👋", true));
        let ctx = recorded::context(Way::Reply, &Value::Null);
        let step = WhatsApp.post(&[Part::Text("**yes**".into())], &inbound[0].address, &ctx).steps.remove(0);
        let Target::Base { base, path } = &step.target else { panic!("a path") };
        let headers: Headers = [("authorization", "Bearer x")].into_iter().collect();
        let call =
            |headers| Request::new("POST", &format!("/{base}{path}"), headers, body(&step).to_string());
        let answer = WhatsApp.answer(&call(headers));
        assert!(matches!(WhatsApp.settle(&step, &answer.response), Settled::Posted(Some(_))));
        let said = (answer.said[0].reply_key.as_str(), answer.said[0].text.as_str());
        assert_eq!(said, (event.reply_key.as_str(), "*yes*"));
        let stranger = WhatsApp.answer(&call(Headers::default()));
        assert!(matches!(WhatsApp.settle(&step, &stranger.response), Settled::Broken(_)));
    }
}
