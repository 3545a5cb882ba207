//! `make run TUNNEL=…`: what the world reaches, what the platform is told, and that it is told the old address again.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by them")]

use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::Uri;
use axum::{Json, Router};
use serde_json::{Value, json};

const DEPLOYED: &str = "https://deployed.example/";
const TOKEN: &str = r#""bot_token": "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw""#;
/// Nothing here takes longer unless it is broken.
const PATIENCE: Duration = Duration::from_secs(60);

/// As the programs write when all goes well; each also writes down which port it was given.
const CLOUDFLARED: &str = r#"#!/bin/sh
echo "$4" > "$PORT_FILE"
echo '2026-11-21T10:44:38Z INF Requesting new quick Tunnel on trycloudflare.com...' >&2
echo '2026-11-21T10:44:41Z INF |  Your quick Tunnel has been created! Visit it at (it may take some time to be reachable):  |' >&2
echo '2026-11-21T10:44:41Z INF |  https://four-dashed-word-url.trycloudflare.com                                              |' >&2
exec sleep 600
"#;
const NGROK: &str = r#"#!/bin/sh
echo "$2" > "$PORT_FILE"
echo '{"lvl":"info","msg":"client session established","obj":"tunnels.session"}'
echo '{"addr":"http://127.0.0.1:1","lvl":"info","msg":"started tunnel","name":"command_line","obj":"tunnels","url":"https://4f2c.ngrok-free.app"}'
exec sleep 600
"#;

/// Telegram's API as far as a webhook goes: https://core.telegram.org/bots/api#setwebhook
#[derive(Clone, Default)]
struct Telegram(Arc<Mutex<(String, Vec<String>)>>);

impl Telegram {
    async fn start(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(answer).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        url
    }

    fn webhook(&self) -> String {
        self.0.lock().unwrap().0.clone()
    }

    /// What was sent to people.
    async fn said(&self) -> String {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(text) = self.0.lock().unwrap().1.first() {
                return text.clone();
            }
            assert!(Instant::now() < until, "nothing was said");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

async fn answer(State(telegram): State<Telegram>, uri: Uri, body: String) -> Json<Value> {
    let body: Value = serde_json::from_str(&body).unwrap_or_default();
    let mut known = telegram.0.lock().unwrap();
    let result = match uri.path().rsplit('/').next() {
        Some("getWebhookInfo") => json!({"url": known.0, "pending_update_count": 0}),
        Some("setWebhook") => {
            known.0 = body.get("url").and_then(Value::as_str).unwrap_or_default().to_owned();
            json!(true)
        }
        Some("sendMessage") => {
            known.1.push(body.get("text").and_then(Value::as_str).unwrap_or_default().to_owned());
            json!({"message_id": 7, "chat": {"id": 7}})
        }
        _ => json!(true),
    };
    Json(json!({"ok": true, "result": result}))
}

/// A folder with a fake program, a bot's token and a configuration.
struct Scene {
    folder: PathBuf,
}

impl Scene {
    fn new(name: &str, program: &str, script: &str, config: &str) -> Scene {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("tunnel-{name}"));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(folder.join("bin")).unwrap();
        std::fs::create_dir_all(folder.join("state")).unwrap();
        let path = folder.join("bin").join(program);
        std::fs::write(&path, script).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        std::fs::write(folder.join("config.yaml"), config).unwrap();
        let secrets = format!(r#"{{"telegram": {{{TOKEN}, "secret_token": "as-deployed"}}}}"#);
        std::fs::write(folder.join("state/secrets.json"), secrets).unwrap();
        Scene { folder }
    }

    fn command(&self, tunnel: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_local"));
        let path = format!("{}:{}", self.folder.join("bin").display(), std::env::var("PATH").unwrap());
        let settings = [
            ("PORT", "0"),
            ("PLATFORM_PORT", "0"),
            ("TUNNEL_PORT", "0"),
            ("CHANNELS", "slack,telegram"),
            ("TUNNEL", tunnel),
        ];
        command.envs(settings).env("PATH", path).env("PORT_FILE", self.folder.join("port"));
        command.env("STATE", self.folder.join("state")).env("CONFIG", self.folder.join("config.yaml"));
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// A run that is ready, and what it said until then.
    fn start(&self, tunnel: &str) -> (Child, String) {
        self.start_as(self.command(tunnel))
    }

    fn start_as(&self, mut command: Command) -> (Child, String) {
        let mut run = command.spawn().unwrap();
        let mut said = String::new();
        for line in BufReader::new(run.stdout.take().unwrap()).lines().map_while(Result::ok) {
            said += &format!("{line}\n");
            if line.starts_with("ready") {
                return (run, said);
            }
        }
        run.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        run.wait().unwrap();
        panic!("not ready: {said}");
    }

    /// The gate's address, as the program was given it.
    fn gate(&self) -> String {
        std::fs::read_to_string(self.folder.join("port")).unwrap().trim().to_owned()
    }

    fn secret_token(&self) -> String {
        let text = std::fs::read_to_string(self.folder.join("state/secrets.json")).unwrap();
        let all: Value = serde_json::from_str(&text).unwrap();
        all.pointer("/telegram/secret_token").and_then(Value::as_str).unwrap().to_owned()
    }
}

fn config(api: &str, rest: &str) -> String {
    format!(
        "version: 1\nmodels: {{default: {{provider: echo}}}}\nchannels: {{telegram: {{urls: {{api: '{api}'}}, {rest}}}}}\n"
    )
}

async fn check(program: &str, script: &str, public: &str) {
    let telegram = Telegram::default();
    telegram.0.lock().unwrap().0 = DEPLOYED.to_owned();
    let api = telegram.start().await;
    let capped = config(&api, "access: open") + "limits: {per_person: 5, per_stack: 9}\n";
    let scene = Scene::new(program, program, script, &capped);
    let (mut run, said) = tokio::task::block_in_place(|| scene.start(program));
    assert_eq!(telegram.webhook(), format!("{public}/telegram/"), "{said}");

    let (gate, client) = (scene.gate(), egress::Egress::new().unwrap().configured_client());
    for closed in [
        "",
        "calls",
        "page/about",
        "model/v1",
        "slack/",
        "_aws/lambda-url/x/",
        "_ministack/health",
        "telegram/../",
    ] {
        let status = client.get(format!("{gate}/{closed}")).send().await.unwrap().status();
        assert_eq!(status, 404, "{closed}");
    }
    let forged = client.post(format!("{gate}/telegram/")).body("{}").send().await.unwrap().status();
    assert_eq!(forged, 401);
    let person = json!({"id": 7, "is_bot": false, "first_name": "Ana"});
    let message = json!({"message_id": 1, "date": 1_795_000_000, "text": "hello", "from": person, "chat": {"id": 7, "type": "private"}});
    let update = client
        .post(format!("{gate}/telegram/"))
        .header("x-telegram-bot-api-secret-token", scene.secret_token())
        .json(&json!({"update_id": 1, "message": message}));
    assert_eq!(update.send().await.unwrap().status(), 200);
    assert!(telegram.said().await.contains("hello"));

    Command::new("kill").args(["-s", "INT", &run.id().to_string()]).status().unwrap();
    assert!(tokio::task::block_in_place(|| run.wait()).unwrap().success());
    assert_eq!(telegram.webhook(), DEPLOYED, "the old address is back");
    assert!(client.get(&gate).send().await.is_err(), "the gate is shut");
    assert!(!scene.folder.join("state/tunnel.json").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bot_is_answered_through_a_tunnel_and_given_back() {
    check("cloudflared", CLOUDFLARED, "https://four-dashed-word-url.trycloudflare.com").await;
    check("ngrok", NGROK, "https://4f2c.ngrok-free.app").await;
}

/// Whoever has the webhook now knows a secret that this run does not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhook_is_not_taken_from_others_who_could_not_take_it_back() {
    let telegram = Telegram::default();
    telegram.0.lock().unwrap().0 = DEPLOYED.to_owned();
    let api = telegram.start().await;
    let scene = Scene::new("others", "none", "", &config(&api, "access: owner"));
    std::fs::write(scene.folder.join("state/secrets.json"), format!(r#"{{"telegram": {{{TOKEN}}}}}"#))
        .unwrap();
    let own = "https://bot.example.com";
    let output = tokio::task::block_in_place(|| scene.command(own).output()).unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && said.contains("TUNNEL_FORCE=1") && said.contains(DEPLOYED), "{said}");
    assert_eq!(telegram.webhook(), DEPLOYED);
    let mut forced = scene.command(own);
    forced.env("TUNNEL_FORCE", "1");
    let (mut run, _) = tokio::task::block_in_place(|| scene.start_as(forced));
    assert_eq!(telegram.webhook(), format!("{own}/telegram/"));
    Command::new("kill").args(["-s", "KILL", &run.id().to_string()]).status().unwrap();
    tokio::task::block_in_place(|| run.wait()).unwrap();
    // A run without a tunnel puts it back all the same.
    let (mut run, said) = tokio::task::block_in_place(|| scene.start(""));
    assert_eq!(telegram.webhook(), DEPLOYED, "{said}");
    Command::new("kill").args(["-s", "INT", &run.id().to_string()]).status().unwrap();
    tokio::task::block_in_place(|| run.wait()).unwrap();
}

/// A run that was killed puts nothing back; the next one does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_kill_the_next_run_gives_the_first_address_back() {
    let telegram = Telegram::default();
    telegram.0.lock().unwrap().0 = DEPLOYED.to_owned();
    let api = telegram.start().await;
    let scene = Scene::new("killed", "none", "", &config(&api, "access: owner"));
    let own = "https://bot.example.com";
    for signal in ["KILL", "INT"] {
        let (mut run, _) = tokio::task::block_in_place(|| scene.start(own));
        assert_eq!(telegram.webhook(), format!("{own}/telegram/"), "before SIG{signal}");
        Command::new("kill").args(["-s", signal, &run.id().to_string()]).status().unwrap();
        tokio::task::block_in_place(|| run.wait()).unwrap();
    }
    assert_eq!(telegram.webhook(), DEPLOYED);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_open_to_all_without_a_cap_is_refused() {
    let telegram = Telegram::default();
    let api = telegram.start().await;
    let scene = Scene::new("refused", "cloudflared", CLOUDFLARED, &config(&api, ""));
    let refused = |tunnel: &str| {
        let output = tokio::task::block_in_place(|| scene.command(tunnel).output()).unwrap();
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    let said = refused("cloudflared");
    assert!(
        said.contains("everybody could write to telegram") && said.contains("limits.per_person"),
        "{said}"
    );
    assert!(
        !scene.folder.join("port").exists() && telegram.webhook().is_empty(),
        "nothing was opened, nobody was told"
    );
    assert!(refused("http://bot.example.com").contains("there is cloudflared, ngrok"));
    std::fs::write(scene.folder.join("config.yaml"), config(&api, "access: owner")).unwrap();
    let said = refused("ngrok");
    assert!(said.contains("ngrok does not start") || said.contains("ngrok gives no address"), "{said}");
    std::fs::write(scene.folder.join("state/secrets.json"), "{}").unwrap();
    assert!(refused("cloudflared").contains("no account of this run exists"));
}
