//! What a message costs: size, CPU and memory of the functions in the release profile, beside a bare echo built in the same run;
//! capacity units, queue requests and dollars per message. `make bench` runs it and fails when a budget is exceeded.
//!
//! Each sample is a fresh process against stand-ins for the Lambda Runtime API, SQS, Parameter Store, DynamoDB, a model and the
//! channel's platform, all at one address on 127.0.0.1, over https: at AWS the first event greets more hosts than here, and every
//! call waits for the network. The functions take turns, so that noise from the machine's other work spreads over all of them.
//! CPU time is judged, and only in proportion to the echo's; wall time is shown and never judged.
//!
//! ```text
//! cargo bench --profile local -p tests --bench budget -- [--all] [--http] [--runs 11] [--show] [--build-profile release]
//! ```
//! `--all` adds the sizes of all webhook functions and how long each takes until it asks for its first event, `--show` prints what the functions log.

mod authority;
mod binaries;
mod cloud;
mod cost;
mod events;
mod expression;
mod measure;
mod process;
mod report;
mod runtime;
mod server;
mod table;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use authority::Authority;
use cloud::Cloud;
use cost::Usage;
use measure::{Sample, Subject};
use report::{Function, Report, Size, Start, Throttled};

/// 128 MB's share of a core: at 1,769 MB a function has one.
/// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html>
const SHARE_128_MB: f64 = 128.0 / 1_769.0;
const ECHO: &str = "echo";
const INVOKER: &str = "model-invoker";
const STREAMED: &str = "200 chunks";
/// Events after the first, by how long each takes: a turn holds a pause of 0.7 s.
const WARM_WEBHOOKS: usize = 200;
const WARM_TURNS: usize = 10;
const WARM_STREAMED: usize = 3;

struct Options {
    all: bool,
    tls: bool,
    runs: usize,
    show: bool,
    profile: String,
}

fn main() -> ExitCode {
    match options().and_then(|options| run(&options)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            eprintln!("a budget is exceeded");
            ExitCode::FAILURE
        }
        Err(why) => {
            eprintln!("the bench could not run: {why}");
            ExitCode::from(2)
        }
    }
}

fn options() -> Result<Options, String> {
    let mut options = Options { all: false, tls: true, runs: 11, show: false, profile: "release".to_owned() };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--all" => options.all = true,
            "--http" => options.tls = false,
            "--show" => options.show = true,
            "--runs" => {
                let runs = arguments.next().and_then(|runs| runs.parse().ok()).filter(|runs| *runs > 0);
                options.runs = runs.ok_or("--runs wants a number")?;
            }
            "--build-profile" => options.profile = arguments.next().ok_or("--build-profile wants a name")?,
            // Cargo says so to every bench.
            "--bench" => {}
            other => {
                return Err(format!(
                    "{other} is no option; there is --all, --http, --runs, --show, --build-profile"
                ));
            }
        }
    }
    Ok(options)
}

/// Measures and reports. `false`: a budget is exceeded.
fn run(options: &Options) -> Result<bool, String> {
    let mut sizes = Vec::new();
    let mut packages = vec![ECHO, events::CHANNEL, INVOKER];
    if options.all {
        packages.extend(others());
    }
    let folder = binaries::build(&packages, &options.profile)?;
    for name in packages {
        let (bytes, zip_bytes) = binaries::sizes(&folder.join(name))?;
        sizes.push(Size { name: name.to_owned(), bytes, zip_bytes });
    }

    let tmp = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bench");
    let authority = Authority::new(&tmp);
    let cloud = Arc::new(Cloud::default());
    let answering = cloud.clone();
    let port = server::serve(options.tls.then(|| authority.server.clone()), move |request| {
        Some(answering.answer(&request))
    });
    let address =
        if options.tls { format!("https://localhost:{port}") } else { format!("http://127.0.0.1:{port}") };

    let environment = environment(&address, &authority);
    let mut subjects = subjects(&folder, &environment);
    if options.all {
        subjects.extend(others().map(|name| starting(name, &folder, &environment)));
    }
    let mut samples: Vec<Vec<Sample>> = subjects.iter().map(|_| Vec::new()).collect();
    let mut calls = BTreeMap::new();
    for run in 1..=options.runs {
        eprintln!("run {run} of {}", options.runs);
        for (subject, samples) in subjects.iter().zip(&mut samples) {
            cloud.reset(&events::parameters(), &events::configuration(&address, subject.streamed));
            match subject.run(options.show) {
                Ok(sample) => samples.push(sample),
                Err(why) if subject.share.is_some() => eprintln!("{} throttled: {why}", subject.label),
                Err(why) => return Err(format!("{}: {why}", subject.label)),
            }
            if subject.share.is_none() {
                let events = (1 + subject.warm) as f64;
                let of_one = cloud.calls().into_iter().map(|(name, calls)| (name, calls as f64 / events));
                calls.insert(subject.label, of_one.collect::<BTreeMap<String, f64>>());
            }
        }
    }
    let report = report(options, sizes, &subjects, &samples, calls)?;
    report.print();
    let json = serde_json::to_string_pretty(&report).map_err(|error| error.to_string())?;
    let file = tests::root().join("target/bench.json");
    std::fs::write(&file, json).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(report.is_kept())
}

/// The channels that the bench's own one stands for.
fn others() -> impl Iterator<Item = &'static str> {
    let all = model_invoker::channels::ALL.iter().map(|room| room.spec().name);
    all.filter(|name| *name != events::CHANNEL)
}

/// A webhook function up to where it asks for its first event.
fn starting(name: &'static str, folder: &Path, environment: &[(&'static str, String)]) -> Subject {
    let own = [("CHANNEL", name.to_owned()), ("SECRETS", format!("{}/{name}", events::SECRETS))];
    Subject {
        label: name,
        binary: folder.join(name),
        environment: environment.iter().cloned().chain(own).collect(),
        event: None,
        is_done: |_| true,
        streamed: false,
        warm: 0,
        share: None,
    }
}

/// What the template and Lambda set, for both functions.
fn environment(address: &str, authority: &Authority) -> Vec<(&'static str, String)> {
    let mut environment: Vec<(&'static str, String)> = [
        ("AWS_ENDPOINT_URL", address),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "example"),
        ("AWS_SESSION_TOKEN", "example"),
        ("AWS_LAMBDA_FUNCTION_NAME", "bench"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "bench"),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "bench"),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
        ("QUEUE_URL", "https://sqs.us-east-1.amazonaws.com/123456789012/bench"),
        ("DEAD_LETTER_URL", "https://sqs.us-east-1.amazonaws.com/123456789012/bench-dead"),
        ("TABLE", "bench"),
        ("STACK", "bench"),
        ("RELEASE", "bench"),
        ("TURN_SECONDS", "300"),
        ("BUCKET", "bench-media"),
        ("QUEUE_ARN", "arn:aws:sqs:us-east-1:123456789012:bench"),
        ("SCHEDULE_GROUP", "bench"),
        ("SCHEDULE_ROLE", "arn:aws:iam::123456789012:role/bench-reminder"),
    ]
    .map(|(name, value)| (name, value.to_owned()))
    .into();
    environment.extend(authority.environment());
    environment
}

/// The functions, as they are and throttled.
fn subjects(folder: &Path, environment: &[(&'static str, String)]) -> Vec<Subject> {
    let with = |own: &[(&'static str, &str)]| {
        let own = own.iter().map(|(name, value)| (*name, (*value).to_owned()));
        environment.iter().cloned().chain(own).collect::<Vec<_>>()
    };
    let webhook = |share, warm| Subject {
        label: events::CHANNEL,
        binary: folder.join(events::CHANNEL),
        environment: with(&[
            ("CHANNEL", events::CHANNEL),
            ("SECRETS", &format!("{}/{}", events::SECRETS, events::CHANNEL)),
        ]),
        event: Some(events::webhook),
        is_done: events::was_taken,
        streamed: false,
        warm,
        share,
    };
    let invoker = |label, streamed, share, warm| Subject {
        label,
        binary: folder.join(INVOKER),
        environment: with(&[("SECRETS", events::SECRETS)]),
        event: Some(events::queued),
        is_done: events::was_acknowledged,
        streamed,
        warm,
        share,
    };
    let echo = |share, warm| Subject {
        label: ECHO,
        binary: folder.join(ECHO),
        event: Some(events::small),
        is_done: |_| true,
        ..webhook(share, warm)
    };
    vec![
        echo(None, WARM_WEBHOOKS),
        webhook(None, WARM_WEBHOOKS),
        invoker(INVOKER, false, None, WARM_TURNS),
        invoker(STREAMED, true, None, WARM_STREAMED),
        echo(Some(SHARE_128_MB), 0),
        webhook(Some(SHARE_128_MB), 0),
        invoker(INVOKER, false, Some(SHARE_128_MB), 0),
    ]
}

fn report(
    options: &Options,
    sizes: Vec<Size>,
    subjects: &[Subject],
    samples: &[Vec<Sample>],
    mut calls: BTreeMap<&str, BTreeMap<String, f64>>,
) -> Result<Report, String> {
    let of = |label: &str| {
        let mut all = subjects.iter().zip(samples);
        let found = all.find(|(subject, _)| subject.label == label && subject.share.is_none());
        found
            .map(|(subject, samples)| (Function::of(subject.label, samples), samples))
            .ok_or("it was not measured")
    };
    let (echo, _) = of(ECHO)?;
    let (webhook, webhook_samples) = of(events::CHANNEL)?;
    let (invoker, invoker_samples) = of(INVOKER)?;
    let (streamed, _) = of(STREAMED)?;
    let slowness = report::slowness(&echo);
    let budgets = report::budgets(&webhook, &invoker, &streamed, &sizes, slowness);
    let sends =
        calls.get(events::CHANNEL).and_then(|calls| calls.get("SendMessageBatch")).copied().unwrap_or(0.0);
    let last = |samples: &[Sample]| samples.last().cloned().unwrap_or_default();
    let usage = Usage::of(
        &last(invoker_samples),
        &last(webhook_samples),
        sends,
        [1 + WARM_WEBHOOKS, 1 + WARM_TURNS],
    )?;
    let bill = usage.bill();
    let (usd_per_month, usd_per_month_idle) = report::months(&bill);
    let throttled = subjects
        .iter()
        .zip(samples)
        .filter(|(subject, samples)| subject.share.is_some() && !samples.is_empty());
    Ok(Report {
        profile: options.profile.clone(),
        tls: options.tls,
        runs: options.runs,
        slowness,
        functions: vec![echo, webhook, invoker, streamed],
        starts: subjects
            .iter()
            .zip(samples)
            .filter(|(subject, _)| subject.share.is_none())
            .map(|(subject, samples)| Start::of(subject.label, samples))
            .collect(),
        throttled: throttled.map(|(subject, samples)| Throttled::of(subject.label, samples)).collect(),
        sizes,
        usage,
        calls_per_turn: calls.remove(INVOKER).unwrap_or_default(),
        usd_per_million: bill,
        usd_per_month,
        usd_per_month_idle,
        budgets,
    })
}
