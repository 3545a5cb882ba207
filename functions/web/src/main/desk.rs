//! Who asks for what, and what they are answered.

use channel::{Context, Keys, Request, Response, sign};
use ingress::door::{Answer, Door, Knock, Writer, account_of, written};
use serde_json::{Value, json};
use store::Store;
use web::openai::{self, Head};
use web::session::{self, Session};
use web::{Route, cors, upload};

use crate::bucket::Bucket;
use crate::completion::{Completion, said};
use crate::limit::Limit;
use crate::watch::Watch;

/// A page's question is held open for at most so long, milliseconds.
const LONGEST_HOLD_MS: i64 = 25_000;
/// Kept back from what is left of the invocation, so that the answer still goes out.
const TO_ANSWER_MS: i64 = 3_000;
/// A file counts as so many messages: it costs more to keep.
const A_FILE: u32 = 3;

/// What every request is answered with.
pub struct Desk {
    pub door: Door,
    pub bucket: Option<Bucket>,
    pub store: Store,
    pub limit: Limit,
}

impl Desk {
    pub async fn answer(&'static self, knock: Knock) -> Answer {
        let route = Route::of(&knock.request);
        let known = match account_of(&knock.request) {
            _ if route == Route::Widget => return code().into(),
            Some(name) => self.door.account(&name).await.ok().flatten().map(|account| (name, account)),
            None => None,
        };
        // Without an account or its secrets the webhook half says what is to be said.
        let Some((name, account)) = known else {
            return self.door.receive(knock.request, &knock.call).await.into();
        };
        let origin = cors::origin(&knock.request).map(str::to_owned);
        let (keys, now) = (Keys::new(), knock.call.now);
        let ctx = Context {
            account: &name,
            secrets: &account.secrets,
            settings: &account.settings,
            keys: &keys,
            now,
        };
        let is_taken = session::is_taken(&knock.request, &ctx);
        let newer = if is_taken { None } else { self.door.newer(&name).await };
        let account = newer.unwrap_or(account);
        let settings = &account.settings;
        let ctx = Context { account: &name, secrets: &account.secrets, settings, keys: &keys, now };
        let mut answer = self.answer_as(route, knock, &ctx).await;
        cors::allow(&mut answer.head, origin.as_deref(), settings);
        answer
    }

    async fn answer_as(&'static self, route: Route, knock: Knock, ctx: &Context<'_>) -> Answer {
        let weight = match route {
            Route::Session | Route::Message => 1,
            Route::File => A_FILE,
            _ => 0,
        };
        if weight > 0 && !self.limit.admits(session::network(&knock.source), weight, ctx.now) {
            return busy().into();
        }
        match route {
            Route::Preflight => cors::preflight().into(),
            Route::Session => session::begin(&knock.request, &knock.source, ctx).into(),
            Route::Read => self.read(&knock, ctx).await.into(),
            Route::Events => self.events(&knock, ctx),
            Route::File => self.offer(&knock, ctx).into(),
            Route::Complete => self.complete(knock, ctx).await,
            Route::Models | Route::Model | Route::OtherOfPrograms => {
                in_openais_words(self.door.receive(knock.request, &knock.call).await).into()
            }
            Route::Widget | Route::Message | Route::Other => {
                self.door.receive(knock.request, &knock.call).await.into()
            }
        }
    }

    /// The outbox as soon as it is another one than the page has.
    async fn read(&self, knock: &Knock, ctx: &Context<'_>) -> Response {
        let session = match visitor(&knock.request, ctx) {
            Ok(session) => session,
            Err(refused) => return refused,
        };
        let asked = Asked::of(&knock.request);
        let watch = self.watch(ctx.account, &session.id, asked.from);
        match watch.change(&asked.state, asked.until(knock)).await {
            Ok(view) => Response::json(200, &view.json()),
            Err(error) => unavailable(&error),
        }
    }

    /// The same as server-sent events, until an answer is there.
    fn events(&'static self, knock: &Knock, ctx: &Context<'_>) -> Answer {
        let session = match visitor(&knock.request, ctx) {
            Ok(session) => session,
            Err(refused) => return refused.into(),
        };
        let asked = Asked::of(&knock.request);
        let watch = self.watch(ctx.account, &session.id, asked.from);
        let until = asked.until(knock);
        let (writer, answer) = written(event_stream());
        tokio::spawn(tell(watch, asked.state, until, writer));
        answer
    }

    /// Where a visitor may put a file.
    fn offer(&self, knock: &Knock, ctx: &Context<'_>) -> Response {
        let session = match visitor(&knock.request, ctx) {
            Ok(session) => session,
            Err(refused) => return refused,
        };
        let id = sign::hex(&sign::random::<16>());
        let offer = match upload::offer(&knock.request, &session, &id, ctx) {
            Ok(offer) => offer,
            Err(refused) => return refused,
        };
        let address = |bucket: &Bucket| bucket.address(&offer.key, &offer.media_type, offer.size, ctx.now);
        match self.bucket.as_ref().and_then(address) {
            Some(url) => Response::json(200, &offer.json(&url)),
            None => {
                tracing::error!(
                    failed = true,
                    "the address of a file cannot be signed: deploy the stack again"
                );
                Response::json(503, &json!({"error": "not available"}))
            }
        }
    }

    /// A completion: through the queue like everything, held open until its answer is in the outbox.
    async fn complete(&'static self, knock: Knock, ctx: &Context<'_>) -> Answer {
        let Knock { request, call, .. } = knock;
        let manner = openai::manner(&request.body);
        let request = match self.unpacked(request, ctx).await {
            Ok(request) => request,
            Err(refused) => return refused.into(),
        };
        let taken = self.door.receive(request, &call).await;
        let Some(id) = taken.body_json().get("session").and_then(Value::as_str).map(str::to_owned) else {
            return in_openais_words(taken).into();
        };
        let completion = Completion {
            watch: self.watch(ctx.account, &id, 0),
            head: Head { id, model: manner.model, created: ctx.now, usage: manner.usage },
            ends_at: call.ends_at - TO_ANSWER_MS,
        };
        if !manner.stream {
            return completion.whole().await.into();
        }
        if let Some(refused) = completion.refused_at_once().await {
            return refused.into();
        }
        let (writer, answer) = written(event_stream());
        tokio::spawn(completion.in_pieces(writer));
        answer
    }

    /// The request of a program, its pictures in the bucket. Without the key it stays as it is, and the webhook half refuses it.
    async fn unpacked(&self, mut request: Request, ctx: &Context<'_>) -> Result<Request, Response> {
        if !web::is_program(&request, ctx) {
            return Ok(request);
        }
        let unpacked = openai::unpack(&request.body);
        let unpacked = unpacked.map_err(|why| Response::json(400, &openai::error(400, &why)))?;
        let Some(unpacked) = unpacked else { return Ok(request) };
        let bucket = self.bucket.as_ref().ok_or_else(|| said(503).response())?;
        for picture in unpacked.pictures {
            let key = upload::key(ctx.account, upload::OF_PROGRAMS, &picture.id).unwrap_or_default();
            let put = bucket.put(&key, &picture.media_type, picture.bytes, ctx.now).await;
            put.map_err(|why| {
                tracing::error!(why, failed = true, "a picture cannot be put into the bucket");
                said(503).response()
            })?;
        }
        request.body = unpacked.body;
        Ok(request)
    }

    fn watch(&self, account: &str, session: &str, from: i64) -> Watch {
        let partition = web::partition(account, session);
        Watch { store: self.store.clone(), partition, from: web::from(from) }
    }
}

/// What a page says of what it has.
struct Asked {
    /// It has everything that answers what was written before, Unix milliseconds.
    from: i64,
    /// The view's state.
    state: String,
    /// Milliseconds.
    wait: i64,
}

impl Asked {
    fn of(request: &Request) -> Asked {
        let number = |name: &str| request.query(name).and_then(|text| text.parse::<f64>().ok());
        let wait = number("wait").unwrap_or(0.0).clamp(0.0, 3_600.0);
        Asked {
            from: request.query("from").and_then(|text| text.parse().ok()).unwrap_or(0),
            state: request.query("state").unwrap_or_default(),
            wait: ((wait * 1_000.0) as i64).min(LONGEST_HOLD_MS),
        }
    }

    fn until(&self, knock: &Knock) -> i64 {
        (knock.call.now + self.wait).min(knock.call.ends_at - TO_ANSWER_MS)
    }
}

async fn tell(watch: Watch, mut state: String, until: i64, mut writer: Writer) {
    loop {
        let Ok(view) = watch.change(&state, until).await else { return };
        let is_new = view.state() != state;
        state = view.state();
        // Whoever only sees the whole of a stream must not wait for the end of everything.
        let is_done = ingress::now() >= until || (is_new && !view.is_writing() && !view.is_empty());
        if !writer.write(openai::event(&view.json())).await || is_done {
            return;
        }
    }
}

fn visitor(request: &Request, ctx: &Context<'_>) -> Result<Session, Response> {
    session::of(request, ctx).inspect_err(|refused| {
        tracing::warn!(
            rejected = true,
            status = refused.status,
            account = ctx.account,
            "a page without a session"
        );
    })
}

fn code() -> Response {
    let headers = [
        ("content-type", "text/javascript; charset=utf-8"),
        ("cache-control", "public, max-age=3600, stale-while-revalidate=86400"),
        ("cross-origin-resource-policy", "cross-origin"),
        ("x-content-type-options", "nosniff"),
    ];
    Response { status: 200, headers: headers.into_iter().collect(), body: web::widget().into_bytes() }
}

fn event_stream() -> Response {
    let headers = [("content-type", "text/event-stream; charset=utf-8"), ("cache-control", "no-store")];
    Response { headers: headers.into_iter().collect(), ..Response::empty(200) }
}

fn busy() -> Response {
    tracing::warn!(rejected = true, status = 429, "too many requests from one address");
    let mut busy =
        Response::json(429, &json!({"error": "too many requests from your address, wait a minute"}));
    busy.headers.set("retry-after", "60");
    busy
}

/// What the webhook half says to a program: an error of OpenAI's shape, or in its own words as one.
fn in_openais_words(taken: Response) -> Response {
    let body = taken.body_json();
    match body.get("error") {
        Some(error) if error.is_object() && taken.is_success() => Response::json(400, &body),
        Some(error) if error.is_object() => taken,
        None if taken.status == 200 => taken,
        _ => said(taken.status).response(),
    }
}

fn unavailable(error: &store::Error) -> Response {
    tracing::error!(%error, failed = true, "the outbox cannot be read");
    Response::json(503, &json!({"error": "not available"}))
}
