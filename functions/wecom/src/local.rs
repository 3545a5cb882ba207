//! WeCom's own part, for the local run and the tests. Alone, people write to an app; in groups, to a bot.

use channel::local::{Answer, Event, Local, Look, Markup, Message, Said, at, buttons, number};
use channel::{Headers, Request, Response, Secrets, encode, sign, tencent, text, xml};
use serde_json::{Value, json};

use crate::WeCom;
use crate::render::APP;
use crate::spec::{AES_KEY, MINT, RECEIVE_ID, SPEC, TOKEN};

impl Local for WeCom {
    fn event(&self, message: &Message<'_>) -> Event {
        let (id, seconds) = (number(message.id), message.now.div_euclid(1_000));
        let (body, reply_key) = match message.conversation {
            None => {
                let user = format!("u{}", number(message.user));
                let body = format!(
                    "<xml><ToUserName>ww1</ToUserName><FromUserName>{user}</FromUserName><CreateTime>{seconds}</CreateTime>\
                     <MsgType>text</MsgType><Content>{}</Content><MsgId>{id}</MsgId><AgentID>1000002</AgentID></xml>",
                    xml::escape(message.text)
                );
                (body, user)
            }
            Some(name) => {
                let chat = format!("wr{}", number(name));
                let url = format!("{}/api/cgi-bin/aibot/response?response_code={chat}", message.platform);
                let body = json!({
                    "msgid": id.to_string(), "aibotid": "local", "chatid": chat, "chattype": "group",
                    "from": {"userid": format!("u{}", number(message.user))}, "response_url": url,
                    "msgtype": "text", "text": {"content": format!("@crabhook {}", message.text)},
                });
                (body.to_string(), chat)
            }
        };
        let headers: Headers = [("content-type", "text/xml")].into_iter().collect();
        let request = Request::new("POST", message.url, headers, body);
        Event { request: self.sign(request, message.secrets, message.now), reply_key }
    }

    fn sign(&self, request: Request, secrets: &Secrets, now: i64) -> Request {
        let secret = |name| secrets.get(name).unwrap_or("");
        let (timestamp, nonce) = (now.div_euclid(1_000).to_string(), "1372623149");
        let echo = request.query("echostr").filter(|_| request.method == "GET");
        let plain = echo.as_ref().map_or(request.body.as_slice(), |echo| echo.as_bytes());
        let encrypted = tencent::encrypt(secret(AES_KEY), b"0123456789abcdef", plain, secret(RECEIVE_ID))
            .unwrap_or_default();
        let signature = tencent::signature(&[secret(TOKEN), &timestamp, nonce, &encrypted]);
        let mut query =
            vec![("msg_signature", signature.as_str()), ("timestamp", &timestamp), ("nonce", nonce)];
        let body = match (echo.is_some(), request.body.first()) {
            (true, _) => {
                query.push(("echostr", &encrypted));
                String::new()
            }
            (_, Some(b'<')) => {
                format!("<xml><ToUserName>ww1</ToUserName><Encrypt>{encrypted}</Encrypt></xml>")
            }
            _ => json!({"encrypt": encrypted}).to_string(),
        };
        let address = request.url.split('?').next().unwrap_or_default();
        let url = format!("{address}?{}", encode::to_form(&query));
        Request { path: request.path, ..Request::new(&request.method, &url, request.headers, body) }
    }

    fn answer(&self, request: &Request) -> Answer {
        let body: Value = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
        let at = |pointer: &str| body.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let path = request.path.strip_prefix("/api").unwrap_or("");
        if path == MINT {
            return quiet(
                json!({"errcode": 0, "errmsg": "ok", "access_token": "local", "expires_in": 7_200}),
            );
        }
        if path == "/cgi-bin/aibot/response" {
            let text = at("/markdown/content").filter(|text| text::fits(text, SPEC.text));
            return match (request.query("response_code"), text.filter(|text| !text.trim().is_empty())) {
                (Some(chat), Some(text)) => said(chat, text),
                _ => quiet(json!({"errcode": 40_058, "errmsg": "invalid Request Parameter"})),
            };
        }
        if request.query("access_token").is_none_or(|token| token.is_empty()) {
            return quiet(json!({"errcode": 41_001, "errmsg": "access_token missing"}));
        }
        if path == "/cgi-bin/media/upload" {
            return quiet(json!({"errcode": 0, "errmsg": "ok", "type": "file", "media_id": "local"}));
        }
        if path == "/cgi-bin/get_api_domain_ip" {
            return quiet(json!({"errcode": 0, "errmsg": "ok", "ip_list": ["127.0.0.1"]}));
        }
        let text = at("/text/content").or(at("/markdown/content")).filter(|text| text::fits(text, APP));
        let card = at("/template_card/main_title/title").or(at("/template_card/sub_title_text"));
        let file = at("/image/media_id").or(at("/file/media_id")).map(|id| format!("[file: {id}]"));
        let shown = text.or(card).or(file).filter(|text| !text.trim().is_empty());
        let agent = body.get("agentid").is_some_and(Value::is_i64);
        match (at("/touser"), shown) {
            (Some(user), Some(text)) if agent => said(user, text),
            _ => quiet(json!({"errcode": 44_004, "errmsg": "empty content"})),
        }
    }

    fn look(&self, call: &Request, response: &Response) -> Look {
        let body: Value = serde_json::from_slice(&call.body).unwrap_or(Value::Null);
        let marked = at(&body, "/markdown/content");
        let markup = if marked.is_some() { Markup::Markdown } else { Markup::Plain };
        Look {
            place: at(&body, "/touser").or(call.query("response_code")),
            id: at(&response.body_json(), "/msgid"),
            buttons: buttons(&body, "/template_card/button_list", "/text", "/key"),
            ..Look::message(marked, markup)
        }
    }

    /// Only an app's messages have buttons, and those are read by one person.
    fn press(&self, message: &Message<'_>, under: &str) -> Event {
        let user = format!("u{}", number(message.user));
        let body = format!(
            "<xml><ToUserName>ww1</ToUserName><FromUserName>{user}</FromUserName><CreateTime>{}</CreateTime>\
             <MsgType>event</MsgType><Event>template_card_event</Event><EventKey>{}</EventKey><TaskId>{}</TaskId>\
             <AgentID>1000002</AgentID></xml>",
            message.now.div_euclid(1_000),
            xml::escape(message.text),
            xml::escape(under)
        );
        let headers: Headers = [("content-type", "text/xml")].into_iter().collect();
        let request = Request::new("POST", message.url, headers, body);
        Event { request: self.sign(request, message.secrets, message.now), reply_key: user }
    }
}

fn said(reply_key: String, text: String) -> Answer {
    let id = sign::sha256_hex(text.as_bytes()).chars().take(16).collect::<String>();
    let response = Response::json(200, &json!({"errcode": 0, "errmsg": "ok", "msgid": id}));
    Answer { response, said: vec![Said { reply_key, text }] }
}

fn quiet(body: Value) -> Answer {
    Answer { response: Response::json(200, &body), said: Vec::new() }
}
