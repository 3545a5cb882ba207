//! Recorded notifications, mails, answers and what SES says to them, each in its table.

use channel::local::recorded::{self, NOW, named};
use channel::local::{Local, Message};
use channel::{
    Body, Channel, Content, Fetch, Headers, Inbound, Part, Received, Reject, Request, Response, Secrets,
    Settled, Step, Way,
};
use serde_json::{Value, json};

use crate::{Email, mime, quotes, thread};

fn read(path: &str) -> Value {
    recorded::read("email", path)
}

fn secrets(topic: &str) -> Secrets {
    named(&json!({"topic_arn": topic}))
}

fn receive(request: &Request, secrets: &Secrets, settings: &Value) -> Result<Received, Reject> {
    recorded::receive(&Email, request, secrets, settings)
}

fn signed(case: &str) -> Request {
    let from = read(&format!("receive/{case}.json"));
    Email.sign(recorded::request(&from["request"]), &secrets("arn:t"), NOW)
}

#[test]
fn only_the_own_topic_is_believed() {
    let good = signed("new");
    assert!(receive(&good, &secrets("arn:t"), &Value::Null).is_ok());
    assert_eq!(receive(&good, &Secrets::default(), &Value::Null), Err(Reject::NotSetUp("topic_arn")));
    assert_eq!(receive(&good, &secrets("arn:u"), &Value::Null), Err(Reject::Forged("another topic")));
    let posted = Request { method: "POST".into(), ..good.clone() };
    assert!(receive(&posted, &secrets("arn:t"), &Value::Null).is_err(), "nobody can POST mail");
    let bare = Request { headers: Headers::default(), ..good };
    assert_eq!(receive(&bare, &secrets("arn:t"), &Value::Null), Err(Reject::Forged("no topic")));
}

/// What a recorded notification comes to.
fn came_to(case: &str) -> Result<Inbound, &'static str> {
    match receive(&signed(case), &secrets("arn:t"), &Value::Null).unwrap() {
        Received::Handshake(_) => Err("handshake"),
        Received::Nothing(ack, kind) => {
            assert_eq!(ack.status, 200, "{case}");
            Err(kind)
        }
        Received::Events { mut inbound, on_failure, .. } => {
            assert_eq!(on_failure.status, 503, "{case}");
            Ok(inbound.remove(0))
        }
    }
}

#[test]
fn reads_recorded_notifications() {
    for (case, thread, name, files, to) in [
        ("new", "<abc@mail.example.com>", "Ada Lovelace", 0, "bot@example.org"),
        ("reply", "<root@example.com>", "Ada Lovelace", 0, "bot@example.org"),
        ("reply_without_references", "<root@example.com>", "Ada Lovelace", 0, "bot@example.org"),
        ("attachment", "<abc@mail.example.com>", "Ada Lovelace", 1, "bot@example.org"),
        ("encoded_name", "<abc@mail.example.com>", "Adéla", 0, "bot@example.org"),
        ("several_recipients", "<abc@mail.example.com>", "Ada Lovelace", 0, "bot@example.org"),
        ("no_policy", "<abc@mail.example.com>", "Ada Lovelace", 0, "bot@example.org"),
        ("human_marked", "<abc@mail.example.com>", "Ada Lovelace", 0, "bot@example.org"),
    ] {
        let inbound = came_to(case).unwrap();
        let own = inbound.address.data["to"].as_str();
        let got = (
            inbound.conversation.thread.as_deref(),
            inbound.sender.name.as_str(),
            inbound.attachments.len(),
            own,
        );
        assert_eq!(got, (Some(thread), name, files, to), "{case}");
        assert_eq!((inbound.sender.id.as_str(), inbound.at), ("ada@example.com", NOW), "{case}");
        assert_eq!(inbound.address.chat, "ada@example.com", "{case}: to whom it is from, and nobody else");
        let expected =
            Fetch { account: "main".into(), id: "text:crabhook-mail-1a2b/in/o3vrnil0e2ic28".into() };
        assert_eq!(inbound.content, Content::Deferred(expected), "{case}");
    }
}

#[test]
fn mail_that_gets_no_answer() {
    for (case, kind) in [
        ("forged", "sender not proven"),
        ("not_aligned", "sender not proven"),
        ("spam", "spam"),
        ("virus", "spam"),
        ("automatic", "automatic"),
        ("suppressed", "automatic"),
        ("bulk", "bulk"),
        ("list", "list"),
        ("bounce", "bounce"),
        ("daemon", "bounce"),
        ("own", "own message"),
        ("two_authors", "no sender, or several"),
        ("sns_action", "not in a bucket"),
        ("delivery", "unknown notification"),
        ("set_up", "not json"),
    ] {
        assert_eq!(came_to(case).unwrap_err(), kind, "{case}");
    }
    let set = receive(&signed("new"), &secrets("arn:t"), &json!({"from": "ADA@example.com"})).unwrap();
    assert!(matches!(set, Received::Nothing(_, "own message")), "what answers come from is our own, too");
}

#[test]
fn headers_of_answers() {
    let vectors = read("vectors.json");
    for vector in vectors.as_array().unwrap() {
        let headers: Value = serde_json::from_str(vector["request"]["body"].as_str().unwrap()).unwrap();
        let (header, expected) =
            (|name: &str| headers[name].as_str().unwrap(), &vector["expected"]["normalised"]);
        let got = thread::thread(header("Message-ID"), header("In-Reply-To"), header("References"));
        assert_eq!(got.key, expected["thread_key"], "{}", vector["name"]);
        assert_eq!(got.in_reply_to.as_deref(), expected["In-Reply-To"].as_str(), "{}", vector["name"]);
        assert_eq!(got.references, expected["References"], "{}", vector["name"]);
        assert_eq!(thread::answered(header("Subject")), expected["Subject"], "{}", vector["name"]);
    }
    assert_eq!(vectors.as_array().unwrap().len(), 2);
    let odd = thread::thread("<a@b>\r\nBcc: <x@y>", "", "no-id <é@b> <>");
    assert_eq!(
        (odd.key.as_str(), odd.references.as_str()),
        ("<x@y>", "<x@y>"),
        "nothing but ids, no line ends"
    );
    assert_eq!(thread::answered(" "), "Re:");
}

#[test]
fn history_is_cut() {
    let check = |text: &str, expected: &str| assert_eq!(quotes::cut(text), expected, "{text}");
    check("yes\r\n\r\nOn Wed, 18 Nov 2026, Bot <bot@x>\r\nwrote:\r\n> old\r\n>> older\r\n", "yes");
    check("yes\nAm 18.11.2026 schrieb Bot:\n\n> old", "yes");
    check("On it: done\n> old", "On it: done");
    check("yes\n\n-----Original Message-----\nFrom: Bot\nold", "yes");
    check("yes\n________________________________\nVon: Bot", "yes");
    check("On Wed, Bot wrote:\n> old\n\nbelow it\n-- \nAda", "below it");
    check("> first?\nyes\n> second?\nno", "> first?\nyes\n> second?\nno");
    check("> only this", "> only this");
    check("-----Original Message-----\nold", "-----Original Message-----\nold");
    check("a\n--\nb", "a");
    check("", "");
    let html = |html: &str, expected: &str| assert_eq!(quotes::cut_html(html), expected, "{html}");
    html("<p>yes</p><div class=\"gmail_quote\"><p>old</p></div>", "<p>yes</p>");
    html("<p>yes</p><hr id=\"x\"><blockquote type=\"cite\">old</blockquote>", "<p>yes</p><hr id=\"x\">");
    html("<p>yes</p>", "<p>yes</p>");
}

#[test]
fn mail_becomes_text() {
    let check = |mail: &str, expected: &str| {
        assert_eq!(mime::text(mail.replace('\n', "\r\n").as_bytes()), expected, "{mail}");
    };
    check(
        "Subject: s\nContent-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\nGr=FC=DFe\n",
        "Grüße",
    );
    check(
        "Subject: s\nContent-Type: text/plain; charset=iso-2022-jp\nContent-Transfer-Encoding: base64\n\nGyRCRnxLXBsoQg==\n",
        "日本",
    );
    check("Subject: =?utf-8?q?Only_this=3F?=\n\n\n", "Only this?");
    let alternative = "Content-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/html\n\n<b>html</b>\n--b\nContent-Type: text/plain\n\nplain\n--b--\n";
    check(&alternative.replace("text/plain", "text/x"), "html\n[attached: without a name]");
    check(
        "Content-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain\n\nplain\n--b\nContent-Type: text/html\n\n<b>html</b>\n--b--\n",
        "plain",
    );
    check(
        "Content-Type: text/html\n\n<style>p{}</style><p>yes &amp; no</p><blockquote>old</blockquote>\n",
        "yes & no",
    );
    check(
        "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nsee file\n--b\nContent-Type: application/pdf; name=\"a.pdf\"\nContent-Disposition: attachment; filename=\"a.pdf\"\nContent-Transfer-Encoding: base64\n\nAAAA\n--b--\n",
        "see file\n[attached: a.pdf]",
    );
    check("Auto-Submitted: auto-generated\nSubject: s\n\nhello\n", "");
    check("List-Id: <x.example>\n\nhello\n", "");
    check("", "");
    // Cut anywhere, as a mail beyond what is read is.
    for end in 0..alternative.len() {
        mime::text(&alternative.as_bytes()[..end]);
    }
}

/// A mail as clients write it, and what files are in it: name, media type, content.
#[test]
fn the_files_of_a_mail() {
    let check = |mail: &str, expected: &[(&str, &str, &str)]| {
        let found = mime::files(mail.replace('\n', "\r\n").as_bytes());
        let found: Vec<_> = found
            .iter()
            .map(|file| (file.name.as_str(), file.media_type.as_str(), String::from_utf8_lossy(&file.bytes)))
            .collect();
        let found: Vec<_> =
            found.iter().map(|(name, kind, content)| (*name, *kind, content.as_ref())).collect();
        assert_eq!(found, expected, "{mail}");
    };
    let text = "--b\nContent-Type: text/plain\n\nsee files\n";
    let png = "--b\nContent-Type: image/png; name=\"a.png\"\nContent-Transfer-Encoding: base64\nContent-Disposition: attachment; filename=\"a.png\"\n\niVBO\nRw0K\n";
    let notes = "--b\nContent-Type: text/plain; charset=iso-8859-1; name=\"notes.txt\"\nContent-Transfer-Encoding: quoted-printable\nContent-Disposition: attachment; filename=\"notes.txt\"\n\ngr=F6=DFer\n";
    let mixed = |parts: &[&str]| {
        format!("Subject: s\nContent-Type: multipart/mixed; boundary=b\n\n{}--b--\n", parts.concat())
    };
    let picture = ("a.png", "image/png", "\u{FFFD}PNG\r\n");
    check(&mixed(&[text, png, notes]), &[picture, ("notes.txt", "text/plain", "größer")]);
    // The mail's own text in another form is no file, nor is a signature.
    let html = "--b\nContent-Type: text/html\n\n<p>see files</p>\n";
    let signature = "--b\nContent-Type: application/pkcs7-signature; name=\"smime.p7s\"\nContent-Transfer-Encoding: base64\n\nAAAA\n";
    check(&mixed(&[text, html, signature]).replace("mixed", "signed"), &[]);
    // A picture that the HTML shows; below the forms of the text, as some clients have it.
    let related = "--b\nContent-Type: multipart/related; boundary=c\n\n--c\nContent-Type: text/html\n\n<img src=\"cid:1\">\n--c\nContent-Type: image/png; name=\"a.png\"\nContent-ID: <1>\nContent-Disposition: inline\nContent-Transfer-Encoding: base64\n\niVBORw0K\n--c--\n";
    check(&mixed(&[text, related]).replace("multipart/mixed", "multipart/alternative"), &[picture]);
    // A mail in the mail is its text.
    let forwarded = "--b\nContent-Type: message/rfc822\nContent-Disposition: attachment; filename=\"old.eml\"\n\nFrom: Ada <ada@example.com>\nSubject: Order 41\nX-Long: header\n\nIt came late.\n";
    check(
        &mixed(&[text, forwarded]),
        &[("old.eml", "message/rfc822", "From: ada@example.com\nSubject: Order 41\n\nIt came late.")],
    );
    check("", &[]);
    let whole = mixed(&[text, png, related, forwarded]);
    for end in 0..whole.len() {
        mime::files(&whole.as_bytes()[..end]);
    }
}

#[test]
fn a_file_is_attached_and_is_a_link_where_it_is_refused() {
    let inbound = came_to("new").unwrap();
    let media = |caption: &str| {
        Part::Media(channel::Media {
            url: "https://e.x/a.png".into(),
            name: "a.png".into(),
            media_type: "image/png".into(),
            caption: caption.into(),
        })
    };
    let steps = |plain: bool| {
        let ctx = channel::PostContext { plain, ..recorded::context(Way::Reply, &Value::Null) };
        Email.post(&[Part::Text("**Here**".into()), media("sales"), media("")], &inbound.address, &ctx).steps
    };
    let (rich, plain) = (steps(false), steps(true));
    assert_eq!((rich.len(), plain.len()), (2, 2), "the first goes with the text");
    let (Body::JsonWithSecrets { value, fill }, Some(file)) = (&rich[0].body, &rich[0].file) else {
        panic!("a file")
    };
    assert_eq!(value["Content"]["Simple"]["Body"]["Text"]["Data"], "Here\n\nsales");
    assert_eq!((value.pointer(&fill[0].0), fill[0].1.as_str()), (Some(&json!("")), "file"));
    assert_eq!((file.url.as_str(), file.name.as_str()), ("https://e.x/a.png", "a.png"));
    let Body::Json(value) = &plain[0].body else { panic!("no file") };
    let text = value["Content"]["Simple"]["Body"]["Text"]["Data"].as_str().unwrap();
    assert!(text.ends_with("a.png (https://e.x/a.png)"), "{text}");
    let mut refused = Response::json(400, &json!({"message": "Unsupported attachment type"}));
    refused.headers.set("x-amzn-errortype", "BadRequestException");
    assert_eq!(Email.settle(&rich[0], &refused), Settled::Unformatted);
    assert!(matches!(Email.settle(&plain[0], &refused), Settled::Broken(_)));
}

fn reply(inbound: &Inbound, settings: &Value) -> Step {
    let ctx = recorded::context(Way::Reply, settings);
    Email.post(&[Part::Text("**yes**".into())], &inbound.address, &ctx).steps.remove(0)
}

#[test]
fn an_answer_stays_in_its_thread() {
    let step = reply(&came_to("reply").unwrap(), &Value::Null);
    let Body::Json(mail) = &step.body else { panic!("JSON") };
    let simple = &mail["Content"]["Simple"];
    let header = |name: &str| {
        let headers = simple["Headers"].as_array().unwrap();
        headers.iter().find(|header| header["Name"] == name).map(|header| header["Value"].clone())
    };
    assert_eq!(header("In-Reply-To"), Some(json!("<abc@mail.example.com>")));
    let references = "<root@example.com> <010001-xyz@us-west-2.amazonses.com> <abc@mail.example.com>";
    assert_eq!(header("References"), Some(json!(references)));
    assert_eq!(header("Auto-Submitted"), Some(json!("auto-replied")));
    assert_eq!(
        (&simple["Subject"]["Data"], &simple["Body"]["Text"]["Data"]),
        (&json!("Re: Order 42"), &json!("yes"))
    );
    assert_eq!(simple["Body"]["Html"]["Data"], "<p><strong>yes</strong></p>\n");
    assert_eq!(mail["Destination"], json!({"ToAddresses": ["ada@example.com"]}));
    assert_eq!(mail["FromEmailAddress"], "bot@example.org");
    assert_eq!(step.auth, channel::Auth::SigV4("ses".into()));
}

#[test]
fn answers_of_ses_are_understood() {
    let step = reply(&came_to("new").unwrap(), &Value::Null);
    let check = |status: u16, kind: &str, expected: Settled| {
        let mut response = Response::json(status, &json!({"message": "words"}));
        response.headers.set("x-amzn-errortype", format!("{kind}:http://internal.amazon.com/coral/"));
        assert_eq!(Email.settle(&step, &response), expected, "{status} {kind}");
    };
    let hour = Settled::Later(Some(std::time::Duration::from_secs(3_600)));
    check(429, "TooManyRequestsException", Settled::Later(None));
    check(400, "LimitExceededException", hour.clone());
    check(400, "TooManyRequestsException", hour);
    check(500, "InternalFailure", Settled::Later(None));
    check(400, "BadRequestException", Settled::Broken("BadRequestException: words".into()));
    let broken = |kind: &str, part: &str| {
        let response = Response::json(400, &json!({"__type": format!("com.amazonaws.sesv2#{kind}")}));
        let settled = Email.settle(&step, &response);
        assert!(matches!(&settled, Settled::Broken(why) if why.contains(part)), "{settled:?}");
    };
    broken("MessageRejected", "sandbox");
    broken("AccountSuspendedException", "dashboard");
    broken("SendingPausedException", "dashboard");
    broken("MailFromDomainNotVerifiedException", "verify");
    let sent = Response::json(200, &json!({"MessageId": "0100"}));
    assert_eq!(Email.settle(&step, &sent), Settled::Posted(Some("0100".into())));
}

#[test]
fn a_mail_in_the_bucket() {
    let inbound = came_to("attachment").unwrap();
    let Content::Deferred(text) = &inbound.content else { panic!("to be fetched") };
    let (text, file) = (&Email.fetch(text).steps[0], &Email.fetch(&inbound.attachments[0].fetch).steps[0]);
    assert_eq!(text.target, file.target);
    assert!(format!("{:?}", text.target).contains("/crabhook-mail-1a2b/in/o3vrnil0e2ic28"));
    let mail = Response::text(206, "Subject: s\r\n\r\nhello\r\n");
    assert_eq!(Email.settle(text, &mail), Settled::Fetched(b"hello".to_vec()));
    assert_eq!(Email.settle(file, &mail), Settled::Files(Vec::new()), "a mail without files");
    assert_eq!(Email.settle(text, &Response::empty(404)), Settled::Gone);
    assert_eq!(Email.settle(text, &Response::empty(503)), Settled::Later(None));
    let odd = Fetch { account: "main".into(), id: "text:b/in/{secret}?x".into() };
    assert!(format!("{:?}", Email.fetch(&odd).steps[0].target).contains("/b/in/%7Bsecret%7D%3Fx"));
}

#[test]
fn five_answers_a_day_unless_set() {
    assert_eq!(Email.answers_a_day(&Value::Null), Some(5));
    assert_eq!(Email.answers_a_day(&json!({"answers_per_thread": 2})), Some(2));
    assert_eq!(Email.answers_a_day(&json!({"answers_per_thread": 0})), None);
}

#[test]
fn the_stand_in_answers_what_the_room_sends() {
    let secrets = secrets("arn:t");
    let message = Message {
        url: "https://x.example/",
        account: "main",
        text: "hi & <b> é",
        user: "ana",
        conversation: None,
        id: "7",
        secrets: &secrets,
        platform: "http://127.0.0.1:1",
        now: NOW,
    };
    let event = Email.event(&message);
    let Ok(Received::Events { inbound, .. }) = receive(&event.request, &secrets, &Value::Null) else {
        panic!("taken")
    };
    let Content::Deferred(what) = &inbound[0].content else { panic!("to be fetched") };
    let ask = |step: &Step, path: &str, body: &str| {
        let headers: Headers = [("authorization", "AWS4-HMAC-SHA256 x")].into_iter().collect();
        let answer = Email.answer(&Request::new(&step.method, path, headers, body));
        (Email.settle(step, &answer.response), answer.said)
    };
    let step = &Email.fetch(what).steps[0];
    let channel::Target::Base { path, .. } = &step.target else { panic!("a base") };
    assert_eq!(ask(step, &format!("/s3{path}"), "").0, Settled::Fetched("hi & <b> é".into()));
    let step = reply(&inbound[0], &Value::Null);
    let Body::Json(mail) = &step.body else { panic!("JSON") };
    let (settled, said) = ask(&step, "/api/v2/email/outbound-emails", &mail.to_string());
    assert!(matches!(settled, Settled::Posted(Some(_))));
    assert_eq!((&said[0].reply_key, said[0].text.as_str()), (&event.reply_key, "yes"));
}
