//! What the tests share: the repository's files, the fixtures in `events/`, the rooms with secrets of their own.

pub mod browser;
pub mod compatibility;
pub mod fixtures;
pub mod history;
pub mod programs;
pub mod world;

use std::path::{Path, PathBuf};

/// The repository's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ has a parent").to_owned()
}

/// The text of a file of the repository.
pub fn read(path: &str) -> String {
    let path = root().join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Names of the channels' folders.
pub fn rooms() -> Vec<String> {
    let mut rooms: Vec<String> = std::fs::read_dir(root().join("functions"))
        .expect("functions/ is there")
        .map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned())
        .filter(|name| !matches!(name.as_str(), "model-invoker" | "admin"))
        .collect();
    rooms.sort();
    rooms
}

/// Files that git tracks or would track.
pub fn tracked() -> Vec<String> {
    let git = std::process::Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .expect("git runs");
    String::from_utf8_lossy(&git.stdout)
        .lines()
        .filter(|path| root().join(path).is_file())
        .map(str::to_owned)
        .collect()
}

/// Compares with the golden file at `path` (from the root); `UPDATE=1` writes it instead.
pub fn golden(path: &str, got: &str) {
    let file = root().join(path);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&file, got).expect("the golden can be written");
        return;
    }
    let expected = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        expected == got,
        "{path} differs; look at it, then UPDATE=1 rewrites it\n--- expected\n{expected}\n--- got\n{got}"
    );
}
