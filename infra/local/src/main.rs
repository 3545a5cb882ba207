//! `make run`: the product on this machine, until Ctrl-C.

use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use local::{Cloud, Endpoints, Error, Options};
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Error> {
    let begun = Instant::now();
    let options = Options::from_environment()?;
    let (state, auth) = (options.state.clone(), options.auth);
    let stopped = stop_signals()?;
    tokio::pin!(stopped);
    let mut cloud = tokio::select! {
        cloud = Cloud::start(options, Arc::new(say)) => cloud?,
        () = &mut stopped => return Ok(()),
    };
    let connected = tokio::select! {
        connected = cloud.connect() => Some(connected),
        () = &mut stopped => None,
    };
    if !matches!(connected, Some(Ok(()))) {
        cloud.close().await;
        return connected.unwrap_or(Ok(()));
    }
    print_addresses(cloud.endpoints());
    say(&format!("logs and secrets   {}{}", state.display(), if auth { ", roles enforced" } else { "" }));
    say(&format!(
        "ready ({:.1} s); try: make send CHANNEL=telegram TEXT=hello",
        begun.elapsed().as_secs_f64()
    ));
    say(&format!("or talk to it here: {}/", cloud.endpoints().platform));
    let end = tokio::select! {
        () = cloud.ended() => {
            let log = state.join("ministack.log");
            Err(Error::Broken(format!("MiniStack has ended: see {}", log.display())))
        }
        () = stopped => Ok(()),
    };
    cloud.close().await;
    end
}

/// Whether somebody still reads it does not matter.
fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// Ends with the first Ctrl-C, `kill` or closed terminal.
fn stop_signals() -> Result<impl Future<Output = ()>, Error> {
    let listen =
        |kind| signal(kind).map_err(|error| Error::Broken(format!("signals cannot be heard: {error}")));
    let mut interrupt = listen(SignalKind::interrupt())?;
    let mut terminate = listen(SignalKind::terminate())?;
    let mut hang_up = listen(SignalKind::hangup())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hang_up.recv() => {}
        }
    })
}

fn print_addresses(endpoints: &Endpoints) {
    for (channel, url) in &endpoints.channels {
        say(&format!("{channel:<18} {url}"));
    }
    say(&format!("platforms          {}", endpoints.platform));
    say(&format!("AWS                {} (stack {})", endpoints.aws, endpoints.stack));
}
