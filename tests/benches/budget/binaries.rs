//! Building what is measured, and its size.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What a zip adds to one deflated file named `bootstrap`, beyond what gzip adds to it, bytes.
const ZIP_HEADERS: u64 = 116 - 18;

/// Builds the packages in one call, as a deployment does, and says where their binaries lie.
pub fn build(packages: &[&str], profile: &str) -> Result<PathBuf, String> {
    let metadata = cargo_metadata::MetadataCommand::new()
        .current_dir(tests::root())
        .no_deps()
        .exec()
        .map_err(|error| format!("cargo metadata: {error}"))?;
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(tests::root()).args(["build", "--profile", profile]);
    for package in packages {
        cargo.args(["-p", package]);
    }
    let status = cargo.status().map_err(|error| format!("cargo: {error}"))?;
    let folder = metadata.target_directory.join(profile);
    status.success().then(|| folder.into()).ok_or_else(|| "cargo build failed".to_owned())
}

/// Bytes of a binary, and of the zip that is deployed, deflated as far as it goes.
pub fn sizes(binary: &Path) -> Result<(u64, u64), String> {
    let bytes = std::fs::metadata(binary).map_err(|error| format!("{}: {error}", binary.display()))?.len();
    let gzip = Command::new("gzip").args(["-9", "-n", "-c"]).arg(binary).stderr(Stdio::inherit()).output();
    let gzip = gzip.map_err(|error| format!("gzip: {error}"))?;
    Ok((bytes, gzip.stdout.len() as u64 + ZIP_HEADERS))
}
