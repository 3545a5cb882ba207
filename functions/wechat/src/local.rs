//! WeChat's own part, for the local run and the tests. People write text, in secure mode.

use channel::local::{Answer, Event, Local, Look, Markup, Message, Said, at, buttons, number};
use channel::{Headers, Request, Response, Secrets, encode, tencent, text, xml};
use serde_json::{Value, json};

use crate::WeChat;
use crate::spec::{AES_KEY, MINT, RECEIVE_ID, SPEC, TOKEN};

impl Local for WeChat {
    fn event(&self, message: &Message<'_>) -> Event {
        let user = format!("o{:027}", number(message.user));
        let body = format!(
            "<xml><ToUserName>gh_1</ToUserName><FromUserName>{user}</FromUserName><CreateTime>{}</CreateTime>\
             <MsgType>text</MsgType><Content>{}</Content><MsgId>{}</MsgId></xml>",
            message.now.div_euclid(1_000),
            xml::escape(message.text),
            number(message.id)
        );
        let headers: Headers = [("content-type", "text/xml")].into_iter().collect();
        let request = Request::new("POST", message.url, headers, body);
        Event { request: self.sign(request, message.secrets, message.now), reply_key: user }
    }

    /// Encrypted where there is a key.
    fn sign(&self, request: Request, secrets: &Secrets, now: i64) -> Request {
        let token = secrets.get(TOKEN).unwrap_or("");
        let (timestamp, nonce) = (now.div_euclid(1_000).to_string(), "415670741");
        let signature = tencent::signature(&[token, &timestamp, nonce]);
        let mut query = vec![("signature", signature.as_str()), ("timestamp", &timestamp), ("nonce", nonce)];
        let echo = request.query("echostr");
        let receiver = secrets.get(RECEIVE_ID).unwrap_or("");
        let sealed = secrets
            .get(AES_KEY)
            .filter(|_| request.method != "GET")
            .and_then(|key| tencent::encrypt(key, b"0123456789abcdef", &request.body, receiver));
        let sealed = sealed.map(|sealed| (tencent::signature(&[token, &timestamp, nonce, &sealed]), sealed));
        let mut body = request.body.clone();
        if let Some((signature, sealed)) = &sealed {
            query.extend([("encrypt_type", "aes"), ("msg_signature", signature.as_str())]);
            body = match request.body.first() {
                Some(b'{') => json!({"ToUserName": "gh_1", "Encrypt": sealed}).to_string(),
                _ => format!("<xml><ToUserName>gh_1</ToUserName><Encrypt>{sealed}</Encrypt></xml>"),
            }
            .into_bytes();
        }
        query.extend(echo.as_deref().map(|echo| ("echostr", echo)));
        let address = request.url.split('?').next().unwrap_or_default();
        let url = format!("{address}?{}", encode::to_form(&query));
        Request { path: request.path, ..Request::new(&request.method, &url, request.headers, body) }
    }

    fn answer(&self, request: &Request) -> Answer {
        let path = request.path.strip_prefix("/api").unwrap_or("");
        if path == MINT {
            return quiet(json!({"access_token": "local", "expires_in": 7_200}));
        }
        if request.query("access_token").is_none_or(|token| token.is_empty()) {
            return quiet(json!({"errcode": 41_001, "errmsg": "access_token missing"}));
        }
        match path {
            "/cgi-bin/media/upload" => return quiet(json!({"type": "image", "media_id": "local"})),
            "/cgi-bin/message/custom/typing" => return quiet(json!({"errcode": 0, "errmsg": "ok"})),
            _ => {}
        }
        let body: Value = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
        let at = |pointer: &str| body.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let image = at("/image/media_id").map(|id| format!("[image: {id}]"));
        let shown = at("/text/content").or(at("/msgmenu/head_content")).or(image);
        match (at("/touser"), shown) {
            (_, Some(text)) if !text::fits(&text, SPEC.text) => {
                quiet(json!({"errcode": 45_002, "errmsg": "content size out of limit"}))
            }
            (Some(user), Some(text)) if !text.trim().is_empty() => Answer {
                response: Response::json(200, &json!({"errcode": 0, "errmsg": "ok"})),
                said: vec![Said { reply_key: user, text }],
            },
            _ => quiet(json!({"errcode": 44_004, "errmsg": "empty content hint"})),
        }
    }

    fn look(&self, call: &Request, _response: &Response) -> Look {
        let body: Value = serde_json::from_slice(&call.body).unwrap_or(Value::Null);
        let place = at(&body, "/touser");
        if call.path.ends_with("/message/custom/typing") {
            return Look::writing(place);
        }
        let buttons = buttons(&body, "/msgmenu/list", "/content", "/content");
        Look { place, buttons, ..Look::message(at(&body, "/text/content"), Markup::Linked) }
    }
}

fn quiet(body: Value) -> Answer {
    Answer { response: Response::json(200, &body), said: Vec::new() }
}
