//! The scripts in `tests/browser`, run by the Python that has Playwright, with Debian's Chromium.

use std::process::Command;

use crate::root;

/// Runs one of them to its end.
///
/// # Panics
/// It fails, or cannot be run at all: the text says what to do.
pub fn run(script: &str, arguments: &[&str]) {
    let python = root().join(".venv-browser/bin/python");
    assert!(python.exists(), "there is no {}: make test puts it there", python.display());
    let mut command = Command::new(python);
    // Its own output: what a test prints while it runs shows where it is.
    let status = command.arg("-B").arg(root().join("tests/browser").join(script)).args(arguments).status();
    assert!(status.is_ok_and(|status| status.success()), "{script} failed, see above");
}
