//! The repository's own rules.

use std::collections::BTreeMap;

use tests::{read, rooms, root, tracked};

/// Files people read in one go; longer ones are two files.
const MAX_LINES: usize = 500;

/// Floors, lowest first: a crate depends only on crates of lower floors. `store` keeps what `turn` defines.
const FLOORS: &[(&str, u32)] = &[
    ("channel", 0),
    ("turn", 1),
    ("model", 2),
    ("egress", 2),
    ("store", 2),
    ("secrets", 2),
    ("queue", 2),
    ("ingress", 3),
    ("tools", 3),
    ("model-invoker", 5),
    ("ctl", 6),
    ("local", 7),
    ("tests", 8),
];
const ROOM_FLOOR: u32 = 4;

fn floor(name: &str) -> u32 {
    FLOORS.iter().find(|(known, _)| *known == name).map_or(ROOM_FLOOR, |(_, floor)| *floor)
}

#[test]
fn arrows_go_down_only() {
    let metadata = cargo_metadata::MetadataCommand::new().current_dir(root()).no_deps().exec().unwrap();
    let names: Vec<String> = metadata.packages.iter().map(|package| package.name.to_string()).collect();
    for package in &metadata.packages {
        let name = package.name.to_string();
        for dependency in package.dependencies.iter().filter(|dependency| names.contains(&dependency.name)) {
            let (from, to) = (floor(&name), floor(&dependency.name));
            assert!(to < from, "{name} (floor {from}) may not depend on {} (floor {to})", dependency.name);
            if name == "ingress" {
                assert!(
                    !matches!(dependency.name.as_str(), "store" | "turn" | "model"),
                    "ingress: {}",
                    dependency.name
                );
            }
            // P8: webhook functions know no table. One reads its outbox back from it.
            let is_webhook = rooms().contains(&name) && name != "web";
            assert!(!(is_webhook && dependency.name == "store"), "{name} may not depend on store");
            let is_room = rooms().contains(&dependency.name);
            assert!(
                !is_room || name == "model-invoker",
                "only model-invoker may depend on {}",
                dependency.name
            );
        }
    }
}

#[test]
fn folder_crate_and_binary_share_a_name() {
    let metadata = cargo_metadata::MetadataCommand::new().current_dir(root()).no_deps().exec().unwrap();
    for package in &metadata.packages {
        let folder = package.manifest_path.parent().unwrap().file_name().unwrap();
        assert_eq!(folder, package.name.as_str());
        for target in package.targets.iter().filter(|target| target.is_bin()) {
            let expected = if folder == "ctl" { "crabhook" } else { folder };
            assert_eq!(target.name, expected);
        }
    }
}

#[test]
fn files_stay_readable() {
    for path in tracked().iter().filter(|path| path.ends_with(".rs")) {
        let lines = read(path).lines().count();
        assert!(lines <= MAX_LINES, "{path} has {lines} lines, {MAX_LINES} is the stop: split it");
    }
    let lines = read("ARCHITECTURE.md").lines().count();
    assert!(lines <= 250, "ARCHITECTURE.md has {lines} lines");
}

#[test]
fn every_room_has_the_same_shape() {
    let shape = [
        "README.md",
        "Cargo.toml",
        "src/main.rs",
        "src/lib.rs",
        "src/spec.rs",
        "src/verify.rs",
        "src/parse.rs",
        "src/render.rs",
        "src/settle.rs",
        "src/local.rs",
    ];
    for room in rooms() {
        assert!(
            room.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()),
            "{room}: [a-z0-9]+"
        );
        for file in shape {
            assert!(
                root().join("functions").join(&room).join(file).is_file(),
                "functions/{room}/{file} is missing"
            );
        }
        let both_halves: Vec<String> = tracked()
            .into_iter()
            .filter(|path| path.starts_with(&format!("functions/{room}/src/")) && !path.ends_with("main.rs"))
            // The Lambda of `web` has a second half, which waits for its outbox.
            .filter(|path| !path.starts_with("functions/web/src/main/"))
            .collect();
        for path in both_halves {
            let source = read(&path);
            for forbidden in
                ["async fn", "std::env::var", "SystemTime::now", "std::net", "reqwest", "tokio::"]
            {
                assert!(!source.contains(forbidden), "{path}: a room's halves are pure, no {forbidden}");
            }
        }
    }
}

/// The checklist of CONTRIBUTING.md, as a machine reads it.
#[test]
fn every_room_is_registered_everywhere() {
    let registered: Vec<&str> = model_invoker::channels::ALL.iter().map(|room| room.spec().name).collect();
    assert_eq!(registered, rooms(), "functions/model-invoker/src/channels.rs lists every folder, in order");
    let (template, readme, contributing) =
        (read("infra/template.yaml"), read("README.md"), read("CONTRIBUTING.md"));
    let fuzz = read("fuzz/Cargo.toml");
    for room in model_invoker::channels::ALL {
        let spec = room.spec();
        assert!(
            fuzz.contains(&format!("\n{} = {{ path = \"../functions/{}\"", spec.name, spec.name)),
            "fuzz/Cargo.toml lacks a line for {}",
            spec.name
        );
        assert!(
            template.contains(&format!("- {}", spec.name))
                || template.contains(&format!("{}|", spec.name))
                || template.contains(&format!("|{}", spec.name))
                || template.contains(&format!("CHANNEL: {}\n", spec.name)),
            "{} is not among the template's channels",
            spec.name
        );
        let row = format!("| [{}](functions/{}/README.md) |", spec.title, spec.name);
        assert!(readme.contains(&row), "the README's table lacks a row beginning {row}");
        for half in ["receive", "post"] {
            assert!(
                root().join(format!("events/{}/{half}", spec.name)).is_dir(),
                "events/{}/{half}/ is missing",
                spec.name
            );
        }
    }
    for step in
        ["functions/<channel>/", "events/<channel>/", "channels.rs", "infra/template.yaml", "README.md"]
    {
        assert!(contributing.contains(step), "CONTRIBUTING.md's checklist lacks {step}");
    }
}

#[test]
fn specs_hold_together() {
    for room in model_invoker::channels::ALL {
        let spec = room.spec();
        let mut names: BTreeMap<&str, ()> = BTreeMap::new();
        for secret in spec.secrets {
            assert!(names.insert(secret.name, ()).is_none(), "{}: {} twice", spec.name, secret.name);
            assert!(!secret.about.is_empty(), "{}: say where {} is found", spec.name, secret.name);
            assert_ne!(secret.name, "settings", "{}: the name is reserved", spec.name);
        }
        assert!(
            spec.bases.iter().all(|(_, url)| url.is_empty() || url.starts_with("https://")),
            "{}",
            spec.name
        );
        assert!(
            matches!(spec.reject.status, 401 | 403),
            "{}: 401 or 403 for what is not authentic",
            spec.name
        );
        assert!(spec.max_body <= 6 * 1024 * 1024, "{}: Lambda takes no more than 6 MB", spec.name);
    }
}

#[test]
fn documents_are_there_and_name_no_place_of_ours() {
    for path in [
        "README.md",
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "LICENSE",
        "Cargo.lock",
        "rust-toolchain.toml",
        ".ci/run",
    ] {
        assert!(root().join(path).is_file(), "{path} is missing");
    }
    let makefile = read("Makefile");
    for target in ["run", "test", "check", "bench", "fuzz", "build", "deploy", "push", "send"] {
        assert!(makefile.contains(&format!("\n{target}:")), "make {target} is missing");
    }
    assert!(read(".ci/run").contains("make test"));
    let locks: Vec<String> = tracked().into_iter().filter(|path| path.ends_with("Cargo.lock")).collect();
    assert_eq!(locks, ["Cargo.lock", "fuzz/Cargo.lock"], "the product, and what is built with coverage");
    for lock in locks {
        for source in read(&lock).lines().filter(|line| line.starts_with("source = ")) {
            assert_eq!(
                source, "source = \"registry+https://github.com/rust-lang/crates.io-index\"",
                "{lock}"
            );
        }
    }
}

#[test]
fn no_code_panics_outside_tests() {
    let allowed = ["#[cfg(test)]", "#[expect(clippy::expect_used)]"];
    for path in tracked().iter().filter(|path| path.ends_with(".rs")) {
        if !(path.starts_with("shared/") || path.starts_with("functions/")) || path.contains("/tests") {
            continue;
        }
        let source = read(path);
        assert!(!source.contains("#[allow(clippy::"), "{path}: use #[expect] with a reason");
        let production = source.split("#[cfg(test)]").next().unwrap_or_default();
        let unwraps = production
            .lines()
            .filter(|line| line.contains(".unwrap()") && !line.trim_start().starts_with("//"));
        assert_eq!(unwraps.count(), 0, "{path}: unwrap outside tests; allowed are only {allowed:?}");
    }
}

/// `crabhook deploy` builds each function by its name alone, so nothing switches on what only the local build has.
#[test]
fn nothing_of_the_local_build_is_deployed() {
    let mut tree = std::process::Command::new("cargo");
    tree.args(["tree", "--locked", "--edges", "normal,build,features", "--prefix", "none"]);
    for function in rooms().iter().map(String::as_str).chain(["model-invoker"]) {
        tree.args(["--package", function]);
    }
    let tree = tree.current_dir(root()).output().expect("cargo runs");
    let tree = String::from_utf8_lossy(&tree.stdout);
    assert!(tree.contains("ingress v"), "{tree}");
    let local: Vec<&str> = tree.lines().filter(|line| line.contains("feature \"local\"")).collect();
    assert!(local.is_empty(), "a deployed function could be killed by a word: {local:?}");
    for path in tracked().iter().filter(|path| path.ends_with(".rs")) {
        let is_product = path.starts_with("shared/") || path.starts_with("functions/");
        let is_allowed = !is_product || path == "shared/ingress/src/failpoint.rs";
        assert!(is_allowed || !read(path).contains("CRABHOOK_"), "{path}: no switches in the environment");
    }
}
