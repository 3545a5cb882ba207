//! The local page, in a browser.

use local::Options;
use tests::browser;
use tests::world::World;
use tokio::runtime::Runtime;

/// Everybody may talk, from every site; the scripted model answers.
const OPEN: &str = "
version: 1
models:
  default: {provider: openai, model: scripted, base_url: '{platform}/model/v1', key: openai}
assistants:
  default: {disclosure: never, prompt: 'You help {user_name} on {channel}.', tools: [mail]}
tools:
  mail: {kind: http, url: '{platform}/nobody', description: 'Sends a mail.', confirm: all, arguments: {type: object}}
prices:
  default: {input: 1.0, output: 2.0}
channels:
  web: {origins: ['*']}
";

/// Beside a cloud of its own, which works on while the script is waited for. `test` gets the addresses of the page and of `web`.
fn with_cloud(name: &str, test: impl FnOnce(&str, &str)) {
    let runtime = Runtime::new().expect("a runtime");
    let world = runtime.block_on(World::start(name, OPEN, |options: &mut Options| {
        std::fs::create_dir_all(&options.state).expect("a folder for the state");
        let secrets = r#"{"model": {"openai": "sk-local"}}"#;
        std::fs::write(options.state.join("secrets.json"), secrets).expect("the secrets can be written");
    }));
    let endpoints = world.cloud.endpoints();
    test(&format!("{}/", endpoints.platform), &endpoints.channels["web"]);
}

#[test]
fn the_local_page_in_a_browser() {
    with_cloud("browser", |url, _| browser::run("page.py", &[url]));
}

#[test]
#[ignore = "writes docs/screenshots: make screenshots"]
fn screenshots() {
    let folder = tests::root().join("docs/screenshots");
    std::fs::create_dir_all(&folder).expect("a folder for them");
    with_cloud("screenshots", |url, web| browser::run("shots.py", &[url, web, &folder.to_string_lossy()]));
}
