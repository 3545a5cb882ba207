//! Where the public address comes from: a program that opens a tunnel and says so, or somebody's own proxy.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::mpsc;

use crate::Error;
use crate::functions::kill;

/// How long a program may take until it has an address.
const START: Duration = Duration::from_secs(60);

/// What TUNNEL asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// A quick tunnel, without an account.
    /// <https://developers.cloudflare.com/cloudflare-one/connections/connect-networks/do-more-with-tunnels/trycloudflare/>
    Cloudflared,
    /// <https://ngrok.com/docs/agent/cli/>
    Ngrok,
    /// An address that leads to TUNNEL_PORT on this machine, without a `/` at the end.
    Url(String),
}

impl Wish {
    /// What the variable says; nothing where it is empty.
    ///
    /// # Errors
    /// [`Error::Change`] where it says something else.
    pub fn parse(text: &str) -> Result<Option<Wish>, Error> {
        Ok(Some(match text.trim() {
            "" => return Ok(None),
            "cloudflared" => Wish::Cloudflared,
            "ngrok" => Wish::Ngrok,
            url if url.starts_with("https://") && url.len() > 8 => {
                Wish::Url(url.trim_end_matches('/').to_owned())
            }
            other => {
                let problem = format!(
                    "TUNNEL={other}: there is cloudflared, ngrok, or the https address of your own proxy"
                );
                return Err(Error::Change(problem));
            }
        }))
    }

    fn program(&self) -> &'static str {
        match self {
            Wish::Ngrok => "ngrok",
            Wish::Cloudflared | Wish::Url(_) => "cloudflared",
        }
    }

    fn arguments(&self, port: u16) -> Vec<String> {
        let local = format!("http://127.0.0.1:{port}");
        let words: &[&str] = match self {
            Wish::Ngrok => &["http", &local, "--log", "stdout", "--log-format", "json"],
            Wish::Cloudflared | Wish::Url(_) => &["tunnel", "--no-autoupdate", "--url", &local],
        };
        words.iter().map(ToString::to_string).collect()
    }

    /// The address in a line of the program's, where it says one.
    fn address(&self, line: &str) -> Option<String> {
        match self {
            Wish::Ngrok => {
                let line: Value = serde_json::from_str(line).ok()?;
                let url =
                    line.get("url").and_then(Value::as_str).filter(|url| url.starts_with("https://"))?;
                (line.get("msg").and_then(Value::as_str) == Some("started tunnel")).then(|| url.to_owned())
            }
            Wish::Cloudflared | Wish::Url(_) => {
                let url = line.split([' ', '|', '"']).find(|word| word.starts_with("https://"))?;
                let host = url.strip_prefix("https://")?.strip_suffix(".trycloudflare.com")?;
                (host != "api" && !host.contains('/')).then(|| url.to_owned())
            }
        }
    }
}

/// A program that holds a tunnel open. Dropped, it ends, and everything that it started.
pub(super) struct Process(Child);

impl Process {
    /// Starts it and waits for its address.
    pub async fn start(wish: &Wish, port: u16) -> Result<(String, Process), Error> {
        let name = wish.program();
        let mut command = Command::new(name);
        command.args(wish.arguments(port)).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // Ctrl-C is for us alone.
        let child = command.process_group(0).spawn();
        let mut child = child.map_err(|error| {
            Error::Change(format!(
                "TUNNEL: {name} does not start ({error}): install it, or give the address of your own proxy"
            ))
        })?;
        let (say, mut said) = mpsc::unbounded_channel();
        if let Some(output) = child.stdout.take() {
            listen(output, say.clone());
        }
        if let Some(output) = child.stderr.take() {
            listen(output, say);
        }
        let process = Process(child);
        let mut last = String::new();
        let found = async {
            while let Some(line) = said.recv().await {
                if let Some(url) = wish.address(&line) {
                    return Some(url);
                }
                last = line;
            }
            None
        };
        match tokio::time::timeout(START, found).await {
            Ok(Some(url)) => Ok((url, process)),
            _ => Err(Error::Change(format!("TUNNEL: {name} gives no address; it says: {}", last.trim()))),
        }
    }
}

/// Reads to the end, so that the program never waits for a reader.
fn listen(output: impl Read + Send + 'static, say: mpsc::UnboundedSender<String>) {
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            // Nobody listens any more once there is an address.
            let _ = say.send(line);
        }
    });
}

impl Drop for Process {
    fn drop(&mut self) {
        kill(&[-i64::from(self.0.id())]);
        let _ = self.0.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_is_a_program_or_an_address() {
        let parse = |text: &str| Wish::parse(text).ok().flatten();
        assert_eq!(parse("cloudflared"), Some(Wish::Cloudflared));
        assert_eq!(parse("ngrok"), Some(Wish::Ngrok));
        assert_eq!(parse("https://bot.example.com/"), Some(Wish::Url("https://bot.example.com".into())));
        assert!(Wish::parse("").unwrap().is_none());
        for wrong in ["http://bot.example.com", "https://", "localtunnel"] {
            assert!(Wish::parse(wrong).unwrap_err().to_string().contains("there is cloudflared"), "{wrong}");
        }
    }

    // As the programs wrote it: github.com/cloudflare/cloudflared/issues/456, ngrok's documented log of an agent.
    #[test]
    fn the_programs_lines_are_understood() {
        let cloudflared = |line: &str| Wish::Cloudflared.address(line);
        assert_eq!(
            cloudflared("2021-09-03T10:44:41Z INF |  https://symantec-transferred-lock-revenues.trycloudflare.com                              |").as_deref(),
            Some("https://symantec-transferred-lock-revenues.trycloudflare.com")
        );
        for other in [
            "2022-01-29T09:49:15Z INF Requesting new quick Tunnel on trycloudflare.com...",
            r#"failed to request quick Tunnel: Post "https://api.trycloudflare.com/tunnel": dial tcp: no such host"#,
            "follow https://developers.cloudflare.com/cloudflare-one/connections/connect-apps",
        ] {
            assert_eq!(cloudflared(other), None, "{other}");
        }
        let ngrok = |line: &str| Wish::Ngrok.address(line);
        let started = r#"{"addr":"http://127.0.0.1:4568","lvl":"info","msg":"started tunnel","name":"command_line","obj":"tunnels","url":"https://4f2c.ngrok-free.app"}"#;
        assert_eq!(ngrok(started).as_deref(), Some("https://4f2c.ngrok-free.app"));
        assert_eq!(
            ngrok(r#"{"lvl":"info","msg":"client session established","obj":"tunnels.session"}"#),
            None
        );
        assert_eq!(ngrok("not JSON"), None);
    }
}
