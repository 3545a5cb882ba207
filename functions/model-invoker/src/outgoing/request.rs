//! The request of a step, with every address resolved and every secret in its place: filled in last of all.

use std::borrow::Cow;

use channel::{Auth, Body, Request, Secrets, Spec, Step, Target, Upload, sign};
use serde_json::Value;

use super::proof;

/// Why a step cannot be sent as the deployment is set up; the text says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotSetUp {
    #[error("the secret {0} is not set: crabhook secrets set")]
    Secret(String),
    #[error("the secret {0} is not of the form that the signature needs")]
    Malformed(String),
    #[error("no address for {0}: set channels.<channel>.urls.{0}")]
    Address(String),
}

/// What a step is filled in with.
#[derive(Clone, Copy)]
pub struct Filling<'a> {
    /// The account's, and under names with a colon what it has only now: `token:<name>` XX
    /// and `aws:<part of the process's credentials>`.
    pub secrets: &'a Secrets,
    /// The id that the step before was settled with; empty for the first.
    pub answer: &'a str,
    /// That of the step before it.
    pub earlier: &'a str,
    /// The bytes of the file that it hands over ([`super::file`]).
    pub file: &'a [u8],
    /// Unix milliseconds.
    pub now: i64,
}

impl Filling<'_> {
    /// For steps that quote no answer and hand over no file.
    pub fn of(secrets: &Secrets, now: i64) -> Filling<'_> {
        Filling { secrets, answer: "", earlier: "", file: &[], now }
    }

    pub(super) fn get(&self, name: &str) -> Result<&str, NotSetUp> {
        self.secrets.get(name).ok_or_else(|| NotSetUp::Secret(name.to_owned()))
    }

    /// What a name in a body stands for.
    fn value(&self, name: &str) -> Result<Cow<'_, str>, NotSetUp> {
        Ok(match name {
            "answer" => Cow::Borrowed(self.answer),
            "earlier" => Cow::Borrowed(self.earlier),
            "earlier#" => Cow::Borrowed(self.earlier.split_once('#').map_or("", |(_, behind)| behind)),
            "file" => Cow::Owned(sign::base64(self.file)),
            "length" => Cow::Owned(self.file.len().to_string()),
            name => Cow::Borrowed(self.get(name)?),
        })
    }
}

/// The request of a step that quotes no earlier answer and hands over no file. `now` is Unix milliseconds.
///
/// # Errors
/// A secret or an address is missing.
pub fn request(
    step: &Step,
    spec: &Spec,
    settings: &Value,
    secrets: &Secrets,
    now: i64,
) -> Result<Request, NotSetUp> {
    request_with(step, spec, settings, &Filling::of(secrets, now))
}

/// The request of a step with everything in its place.
///
/// # Errors
/// A secret or an address is missing.
pub fn request_with(
    step: &Step,
    spec: &Spec,
    settings: &Value,
    filling: &Filling<'_>,
) -> Result<Request, NotSetUp> {
    let url = match &step.target {
        Target::Url(url) => url.clone(),
        Target::Answer => filling.answer.split('#').next().unwrap_or_default().to_owned(),
        Target::Base { base, path } => {
            let root = spec.base(base, settings).ok_or_else(|| NotSetUp::Address(base.clone()))?;
            fill(&format!("{root}{path}"), filling)?
        }
    };
    let (content_type, body) = match (&step.body, &step.file) {
        (Body::None, Some(file)) => by_itself(file, filling.file),
        (body, _) => bytes(body, filling)?,
    };
    let mut headers = step.headers.clone();
    if let Some(content_type) = content_type.filter(|_| headers.get("content-type").is_none()) {
        headers.set("content-type", content_type);
    }
    let mut request = Request::new(&step.method, &url, headers, body);
    prove(&mut request, &step.auth, filling)?;
    Ok(request)
}

fn prove(request: &mut Request, auth: &Auth, filling: &Filling<'_>) -> Result<(), NotSetUp> {
    let headers = &mut request.headers;
    match auth {
        Auth::None => {}
        Auth::Scheme { scheme, secret } => {
            headers.set("authorization", format!("{scheme} {}", filling.get(secret)?))
        }
        Auth::Basic { user, password } => {
            let pair = format!("{}:{}", filling.get(user)?, filling.get(password)?);
            headers.set("authorization", format!("Basic {}", sign::base64(pair.as_bytes())));
        }
        Auth::Header { name, secret } => headers.set(name, filling.get(secret)?),
        Auth::Token(name) => {
            headers.set("authorization", format!("Bearer {}", filling.get(&format!("token:{name}"))?));
        }
        Auth::StandardWebhook { secret, id } => {
            let at = filling.now.div_euclid(1_000);
            let signature = sign::sign_webhook(filling.get(secret)?, id, at, &request.body);
            headers.set("webhook-id", id.clone());
            headers.set("webhook-timestamp", at.to_string());
            headers.set("webhook-signature", signature.ok_or_else(|| NotSetUp::Malformed(secret.clone()))?);
        }
        Auth::SigV4(service) => proof::sign_v4(request, service, filling)?,
        Auth::ServiceAccount { secret, scope } => proof::service_account(request, secret, scope, filling)?,
    }
    Ok(())
}

/// An address with its `{name}`s filled in. Values from payloads hold no braces: rooms encode them.
fn fill(path: &str, filling: &Filling<'_>) -> Result<String, NotSetUp> {
    let mut filled = String::new();
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').unwrap_or((after, ""));
        filled.push_str(before);
        match name {
            "answer" => {
                let segments = filling.answer.split('/').map(channel::encode::segment);
                filled.push_str(&segments.collect::<Vec<_>>().join("/"));
            }
            // What a platform sent may hold anything; a secret is what the operator makes it.
            name if name.starts_with("token:") => {
                filled.push_str(&channel::encode::segment(filling.get(name)?))
            }
            name => filled.push_str(filling.get(name)?),
        }
        rest = after;
    }
    Ok(filled + rest)
}

fn bytes(body: &Body, filling: &Filling<'_>) -> Result<(Option<String>, Vec<u8>), NotSetUp> {
    let json = Some("application/json; charset=utf-8".to_owned());
    Ok(match body {
        Body::None => (None, Vec::new()),
        Body::Json(value) => (json, value.to_string().into_bytes()),
        Body::JsonWithSecrets { value, fill } => {
            let mut value = value.clone();
            for (pointer, name) in fill {
                if let Some(place) = value.pointer_mut(pointer) {
                    *place = Value::from(filling.value(name)?);
                }
            }
            (json, value.to_string().into_bytes())
        }
        Body::Form(fields) => form(fields.iter().map(|(name, value)| (name.as_str(), value.as_str()))),
        Body::FormWithSecrets { fields, fill } => {
            let secrets: Vec<(&str, Cow<'_, str>)> = fill
                .iter()
                .map(|(field, name)| Ok((field.as_str(), filling.value(name)?)))
                .collect::<Result<_, NotSetUp>>()?;
            let secrets = secrets.iter().map(|(field, value)| (*field, &**value));
            form(fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).chain(secrets))
        }
        Body::Multipart { fields, file } => multipart(fields, file, filling.file),
    })
}

/// A file as a body, under its own media type, which goes into a header.
fn by_itself(file: &Upload, content: &[u8]) -> (Option<String>, Vec<u8>) {
    let kind = file.media_type.replace(['\r', '\n'], "");
    (Some(kind).filter(|kind| !kind.is_empty()), content.to_vec())
}

/// Fields as a form, with its media type.
pub(super) fn form<'a>(fields: impl Iterator<Item = (&'a str, &'a str)>) -> (Option<String>, Vec<u8>) {
    let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    (Some("application/x-www-form-urlencoded".to_owned()), form.into_bytes())
}

/// <https://www.rfc-editor.org/rfc/rfc7578>. The boundary is a hash of the content, so it cannot stand in it.
fn multipart(
    fields: &[(String, String)],
    file: &channel::Upload,
    content: &[u8],
) -> (Option<String>, Vec<u8>) {
    let quoted = |text: &str| text.replace(['"', '\r', '\n', '\\'], "_");
    let boundary: String = sign::sha256_hex(content).chars().take(32).collect();
    let mut body = Vec::new();
    for (name, value) in fields {
        let head =
            format!("--{boundary}\r\ncontent-disposition: form-data; name=\"{}\"\r\n\r\n", quoted(name));
        body.extend_from_slice(format!("{head}{value}\r\n").as_bytes());
    }
    let (field, name) = (quoted(&file.field), quoted(&file.name));
    let head = format!(
        "--{boundary}\r\ncontent-disposition: form-data; name=\"{field}\"; filename=\"{name}\"\r\ncontent-type: {}\r\n\r\n",
        quoted(&file.media_type)
    );
    body.extend_from_slice(head.as_bytes());
    body.extend_from_slice(content);
    body.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    (Some(format!("multipart/form-data; boundary={boundary}")), body)
}

#[cfg(test)]
mod tests {
    use channel::Target;
    use serde_json::json;

    use super::*;

    fn secrets() -> Secrets {
        [("bot_token".to_owned(), "123:ABC".to_owned())].into_iter().collect()
    }

    fn check(step: &Step, settings: Value) -> Result<Request, NotSetUp> {
        request(step, telegram_spec(), &settings, &secrets(), 1_000_000)
    }

    fn telegram_spec() -> &'static Spec {
        crate::channels::named("telegram").unwrap().spec()
    }

    #[test]
    fn secrets_are_filled_in_last_and_only_where_a_room_put_them() {
        let text = "what is {bot_token}?";
        let chat = channel::encode::segment("{bot_token}");
        let step = Step::json("api", format!("/bot{{bot_token}}/x/{chat}"), json!({"text": text}));
        let made = check(&step, json!({"urls": {"api": "http://127.0.0.1:1/telegram/api/"}})).unwrap();
        assert_eq!(made.url, "http://127.0.0.1:1/telegram/api/bot123:ABC/x/%7Bbot_token%7D");
        assert_eq!(String::from_utf8(made.body).unwrap(), format!("{{\"text\":\"{text}\"}}"));
        assert!(!serde_json::to_string(&step).unwrap().contains("123:ABC"));
    }

    #[test]
    fn what_is_missing_is_named() {
        let step = Step::json("api", "/bot{bot}/x", json!({}));
        assert_eq!(check(&step, json!({})), Err(NotSetUp::Secret("bot".into())));
        let step = Step::json("nowhere", "/x", json!({}));
        assert_eq!(check(&step, json!({})), Err(NotSetUp::Address("nowhere".into())));
        let step = Step::json("api", "", json!({})).auth(Auth::bearer("bot_token"));
        assert_eq!(check(&step, json!({})).unwrap().headers.get("authorization"), Some("Bearer 123:ABC"));
    }

    #[test]
    fn a_step_may_name_the_answer_before_it() {
        let target = Target::Base { base: "api".into(), path: "/file/bot{bot_token}/{answer}".into() };
        let step = Step::new("GET", target, Body::None);
        let secrets = secrets();
        let filling = Filling { answer: "photos/a {bot_token}.jpg", ..Filling::of(&secrets, 0) };
        let made = request_with(&step, telegram_spec(), &json!({}), &filling).unwrap();
        assert!(made.url.ends_with("/file/bot123:ABC/photos/a%20%7Bbot_token%7D.jpg"), "{}", made.url);
    }

    #[test]
    fn registration_bodies_may_hold_secrets() {
        let body = Body::JsonWithSecrets {
            value: json!({"secret_token": null, "url": "u"}),
            fill: vec![("/secret_token".into(), "bot_token".into())],
        };
        let step = Step::new("POST", Target::Base { base: "api".into(), path: "/set".into() }, body);
        let made = check(&step, json!({})).unwrap();
        assert_eq!(
            serde_json::from_slice::<Value>(&made.body).unwrap(),
            json!({"secret_token": "123:ABC", "url": "u"})
        );
    }

    #[test]
    fn proofs_of_every_kind() {
        let secrets: Secrets = [("user", "AC1"), ("password", "hush"), ("token:tenant", "t/1")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into_iter()
            .collect();
        let made = |step: Step| request(&step, telegram_spec(), &json!({}), &secrets, 0).unwrap();
        let basic = Auth::Basic { user: "user".into(), password: "password".into() };
        let got = made(Step::json("api", "/x", json!({})).auth(basic));
        assert_eq!(got.headers.get("authorization"), Some("Basic QUMxOmh1c2g="));
        let got = made(Step::json("api", "/x", json!({})).auth(Auth::Token("tenant".into())));
        assert_eq!(got.headers.get("authorization"), Some("Bearer t/1"));
        let header = Auth::Header { name: "x-auth".into(), secret: "password".into() };
        assert_eq!(made(Step::json("api", "/x", json!({})).auth(header)).headers.get("x-auth"), Some("hush"));
        assert!(made(Step::json("api", "/x?t={token:tenant}", json!({}))).url.ends_with("/x?t=t%2F1"));
        let fill = vec![("client_secret".to_owned(), "password".to_owned())];
        let form = Body::FormWithSecrets { fields: vec![("a".into(), "{b}".into())], fill };
        let got = made(Step::new("POST", Target::Base { base: "api".into(), path: "/t".into() }, form));
        assert_eq!(String::from_utf8(got.body).unwrap(), "a=%7Bb%7D&client_secret=hush");
    }

    #[test]
    fn a_file_is_handed_over_as_it_is() {
        let file = channel::Upload {
            field: "file".into(),
            name: "a\"\r\n.png".into(),
            media_type: "image/png".into(),
            url: "https://example.com/a.png".into(),
        };
        let body = Body::Multipart { fields: vec![("type".into(), "image".into())], file };
        let step = Step::new("POST", Target::Base { base: "api".into(), path: "/media".into() }, body);
        let secrets = secrets();
        let filling = Filling { file: b"\x00\xff", ..Filling::of(&secrets, 0) };
        let made = request_with(&step, telegram_spec(), &json!({}), &filling).unwrap();
        let content_type = made.headers.get("content-type").unwrap().to_owned();
        let boundary = content_type.strip_prefix("multipart/form-data; boundary=").unwrap();
        let expected = format!(
            "--{boundary}\r\ncontent-disposition: form-data; name=\"type\"\r\n\r\nimage\r\n--{boundary}\r\n\
             content-disposition: form-data; name=\"file\"; filename=\"a___.png\"\r\ncontent-type: image/png\r\n\r\n"
        );
        let expected =
            [expected.as_bytes(), b"\x00\xff", format!("\r\n--{boundary}--\r\n").as_bytes()].concat();
        assert_eq!(made.body, expected);
    }

    #[test]
    fn a_file_is_a_body_by_itself_or_stands_in_json() {
        let file = channel::Upload {
            field: String::new(),
            name: "a.png".into(),
            media_type: "image/png\r\nx: y".into(),
            url: "https://example.com/a.png".into(),
        };
        let secrets = secrets();
        let made = |body: Body| {
            let step = Step::new("POST", Target::Base { base: "api".into(), path: "/x".into() }, body);
            let filling = Filling { file: b"\x00\xff", ..Filling::of(&secrets, 0) };
            request_with(&step.file(file.clone()), telegram_spec(), &json!({}), &filling).unwrap()
        };
        let alone = made(Body::None);
        assert_eq!(alone.body, b"\x00\xff");
        assert_eq!(alone.headers.get("content-type"), Some("image/pngx: y"), "one header");
        let value = json!({"files": [{"content": ""}]});
        let inside =
            made(Body::JsonWithSecrets { value, fill: vec![("/files/0/content".into(), "file".into())] });
        assert_eq!(
            serde_json::from_slice::<Value>(&inside.body).unwrap(),
            json!({"files": [{"content": "AP8="}]})
        );
    }

    #[test]
    fn a_body_may_name_the_two_answers_before_it() {
        let body = Body::JsonWithSecrets {
            value: json!({"root_id": "", "file_ids": [""]}),
            fill: vec![("/root_id".into(), "answer".into()), ("/file_ids/0".into(), "earlier".into())],
        };
        let step = Step::new("POST", Target::Base { base: "api".into(), path: "/posts".into() }, body);
        let secrets = secrets();
        let filling = Filling { answer: "p1", earlier: "f1", ..Filling::of(&secrets, 0) };
        let made = request_with(&step, telegram_spec(), &json!({}), &filling).unwrap();
        assert_eq!(
            serde_json::from_slice::<Value>(&made.body).unwrap(),
            json!({"root_id": "p1", "file_ids": ["f1"]})
        );
    }

    #[test]
    fn an_address_may_have_an_id_behind_it() {
        let secrets = secrets();
        let place = "https://files.slack.com/upload/v1/x#F1";
        let step = Step::new("POST", Target::Answer, Body::None);
        let filling = Filling { answer: place, ..Filling::of(&secrets, 0) };
        let made = request_with(&step, telegram_spec(), &json!({}), &filling).unwrap();
        assert_eq!(made.url, "https://files.slack.com/upload/v1/x");
        let target = || Target::Base { base: "api".into(), path: "/x".into() };
        let fill = |name: &str| vec![("id".to_owned(), name.to_owned())];
        let body = |name: &str| Body::FormWithSecrets { fields: Vec::new(), fill: fill(name) };
        let filling = Filling { earlier: place, file: b"seven b", ..filling };
        for (name, filled) in [("earlier#", "id=F1"), ("length", "id=7")] {
            let step = Step::new("POST", target(), body(name));
            let made = request_with(&step, telegram_spec(), &json!({}), &filling).unwrap();
            assert_eq!(String::from_utf8(made.body).unwrap(), filled);
        }
        let nothing = Filling::of(&secrets, 0);
        let made = request_with(
            &Step::new("POST", target(), body("earlier#")),
            telegram_spec(),
            &json!({}),
            &nothing,
        );
        assert_eq!(made.unwrap().body, b"id=");
    }
}
