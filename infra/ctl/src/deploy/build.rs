//! The zips: built by cargo-lambda, put into the bucket under the release's name.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use aws_types::SdkConfig;
use channel::sign;
use tokio::process::Command;

use super::Architecture;
use crate::Error;

/// Package, binary and last part of the name of the function that talks to models.
pub const INVOKER: &str = "model-invoker";
/// Key of the object's own note of its code's hash, in the form of Lambda's `CodeSha256`.
pub const HASH: &str = "code-sha256";

/// Zips that belong together.
pub struct Release {
    pub name: String,
    /// Functions and their code.
    zips: Vec<(String, Vec<u8>)>,
}

impl Release {
    /// Builds the functions of these channels and the invoker.
    ///
    /// # Errors
    /// cargo-lambda is not there, or the code does not build.
    pub async fn build(channels: &[String], architecture: Architecture) -> Result<Release, Error> {
        let mut functions = channels.to_vec();
        functions.push(INVOKER.to_owned());
        build(&functions, architecture, Form::Zip).await?;
        let mut zips = Vec::new();
        let mut hashes = String::new();
        for function in functions {
            let path = zip(&function);
            let code = std::fs::read(&path)
                .map_err(|error| Error::failed(format!("{} cannot be read: {error}", path.display())))?;
            hashes.push_str(&sign::sha256_hex(&code));
            zips.push((function, code));
        }
        let content: String = sign::sha256_hex(hashes.as_bytes()).chars().take(10).collect();
        Ok(Release { name: format!("{}-{content}", commit().await), zips })
    }

    /// Puts the zips where the template expects them. What is there already is not sent again.
    ///
    /// # Errors
    /// The bucket is not there, or not ours.
    pub async fn upload(&self, aws: &SdkConfig, bucket: &str) -> Result<(), Error> {
        let client = s3(aws);
        for (function, code) in &self.zips {
            let key = format!("{}/{function}.zip", self.name);
            if client.head_object().bucket(bucket).key(&key).send().await.is_ok() {
                continue;
            }
            let hash = sign::base64(&sign::sha256(code));
            let put = client.put_object().bucket(bucket).key(&key).metadata(HASH, hash);
            let sent = put.body(ByteStream::from(code.clone())).send().await;
            sent.map_err(|error| Error::aws(format!("cannot upload {key} to the bucket {bucket}"), &error))?;
            println!("uploaded {key} ({} kB)", code.len() / 1_000);
        }
        Ok(())
    }
}

/// A client for the bucket; the local cloud knows buckets by path only.
pub fn s3(aws: &SdkConfig) -> Client {
    let by_path = aws.endpoint_url().is_some();
    Client::from_conf(aws_sdk_s3::config::Builder::from(aws).force_path_style(by_path).build())
}

/// What a build leaves behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// For the bucket.
    Zip,
    /// For `cargo lambda deploy`, which packs it itself.
    Binary,
}

/// Builds functions for Lambda into `target/lambda`.
///
/// # Errors
/// cargo-lambda is not there, or the code does not build.
pub async fn build(functions: &[String], architecture: Architecture, form: Form) -> Result<(), Error> {
    let target = match architecture {
        Architecture::Arm64 => "--arm64",
        Architecture::X86_64 => "--x86-64",
    };
    let mut command = cargo_lambda("build");
    let form = match form {
        Form::Zip => "zip",
        Form::Binary => "binary",
    };
    command.args(["--release", target, "--output-format", form, "--locked"]);
    for function in functions {
        command.args(["--package", function]);
    }
    run(command, "the code was not built").await
}

/// Puts the code of a function, built before as a binary, into the function of that full name.
///
/// # Errors
/// It may not be changed.
pub async fn push(function: &str, name: &str) -> Result<(), Error> {
    let mut command = cargo_lambda("deploy");
    command.args(["--binary-name", function, name]);
    run(command, "the code was not pushed").await
}

/// cargo-lambda of `.venv` where `make` installed it, else the one on the path.
fn cargo_lambda(command: &str) -> Command {
    let folder = std::env::current_dir().unwrap_or_default().join(".venv/bin");
    let installed = folder.join("cargo-lambda");
    let mut lambda = match installed.exists() {
        true => Command::new(installed),
        false => Command::new("cargo-lambda"),
    };
    // It looks for its compiler, zig, along the path.
    if let Some(path) = std::env::var_os("PATH") {
        let folders = std::iter::once(folder).chain(std::env::split_paths(&path));
        lambda.env("PATH", std::env::join_paths(folders).unwrap_or(path));
    }
    lambda.args(["lambda", command]).stdin(Stdio::null()).kill_on_drop(true);
    lambda
}

async fn run(mut command: Command, failed: &str) -> Result<(), Error> {
    let status = command.status().await.map_err(|error| {
        Error::failed(format!(
            "cargo-lambda cannot be run ({error}): `make build` installs it, or pip install cargo-lambda"
        ))
    })?;
    if status.success() {
        Ok(())
    } else {
        Err(Error::failed(format!("{failed}: see what cargo-lambda says above")))
    }
}

/// Where cargo-lambda puts a function's zip.
fn zip(function: &str) -> PathBuf {
    Path::new("target/lambda").join(function).join("bootstrap.zip")
}

/// The commit that is checked out, so that a release tells where it came from.
async fn commit() -> String {
    let output =
        Command::new("git").args(["rev-parse", "--short=10", "HEAD"]).stderr(Stdio::null()).output().await;
    let name = output.ok().filter(|output| output.status.success());
    let name = name.and_then(|output| String::from_utf8(output.stdout).ok());
    name.map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "source".to_owned())
}
