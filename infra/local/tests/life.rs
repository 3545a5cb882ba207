//! Nothing outlives the local run, however it ends.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by them")]

use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use local::Endpoints;

/// What `make run` promises.
const STOPS_WITHIN: Duration = Duration::from_secs(2);

#[tokio::test]
async fn nothing_is_left_after_ctrl_c_kill_and_a_crash() {
    for signal in ["INT", "TERM", "KILL"] {
        let state = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("life-{signal}"));
        let mut run = start(&state);
        let text = std::fs::read_to_string(state.join("endpoints.json")).unwrap();
        let endpoints: Endpoints = serde_json::from_str(&text).unwrap();
        knock(&endpoints.channels["telegram"]).await;
        assert_eq!(functions(&state).len(), 1, "the request started one function");

        let begun = Instant::now();
        Command::new("kill").args(["-s", signal, &run.id().to_string()]).status().unwrap();
        run.wait().unwrap();
        let address = endpoints.aws.trim_start_matches("http://").to_owned();
        while !functions(&state).is_empty() || TcpStream::connect(&address).is_ok() {
            assert!(begun.elapsed() < STOPS_WITHIN, "SIG{signal}: still there: {:?}", functions(&state));
            std::thread::sleep(Duration::from_millis(20));
        }
        assert_eq!(state.join("endpoints.json").exists(), signal == "KILL");
    }
}

#[test]
fn a_second_run_on_the_same_state_says_what_to_change() {
    let state = Path::new(env!("CARGO_TARGET_TMPDIR")).join("life-twice");
    let mut first = start(&state);
    let second = command(&state).output().unwrap();
    let said = String::from_utf8(second.stderr).unwrap();
    assert!(!second.status.success() && said.contains("set STATE to another folder"), "{said}");
    Command::new("kill").arg(first.id().to_string()).status().unwrap();
    assert!(first.wait().unwrap().success());
}

fn command(state: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_local"));
    let settings = [("PORT", "0"), ("PLATFORM_PORT", "0"), ("CHANNELS", "telegram")];
    command.envs(settings).env("STATE", state).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A run that is ready.
fn start(state: &Path) -> Child {
    let mut run = command(state).spawn().unwrap();
    let mut lines = BufReader::new(run.stdout.take().unwrap()).lines().map_while(Result::ok);
    let ready = lines.any(|line| line.starts_with("ready"));
    if !ready {
        let mut said = String::new();
        std::io::Read::read_to_string(&mut run.stderr.take().unwrap(), &mut said).unwrap();
        panic!("not ready: {said}");
    }
    let link = lines.next().unwrap_or_default();
    assert!(
        link.contains("http://127.0.0.1:") && link.ends_with('/'),
        "the page's address comes last: {link}"
    );
    run
}

/// A request that nobody signed.
async fn knock(url: &str) {
    let egress = egress::Egress::new().unwrap();
    let status = egress.configured_client().post(url).body("{}").send().await.unwrap().status();
    assert_eq!(status, 401);
}

/// The functions' processes: their code lies below the state's folder.
fn functions(state: &Path) -> Vec<String> {
    let listed = Command::new("ps").args(["-eo", "pid,args"]).output().unwrap();
    let below = state.join("tmp").to_string_lossy().into_owned();
    let all = String::from_utf8_lossy(&listed.stdout).into_owned();
    all.lines().filter(|line| line.contains(&below)).map(str::to_owned).collect()
}
