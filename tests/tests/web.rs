//! The channel `web` as its users have it: the widget in a browser, and OpenAI's own client.

use local::Options;
use tests::browser;
use tests::world::World;
use tokio::runtime::Runtime;

/// Visitors of one site, and programs.
const CONFIG: &str = "
version: 1
models:
  default: {provider: openai, model: scripted, base_url: '{platform}/model/v1', key: openai}
assistants:
  default: {disclosure: never}
channels:
  web: {origins: ['http://127.0.0.1:{port}']}
";

/// Beside a cloud of its own: `test` gets the channel's address, the stand-in's, and the key of programs.
fn with_cloud(name: &str, port: u16, test: impl FnOnce(&str, &str, &str)) {
    let runtime = Runtime::new().expect("a runtime");
    let config = CONFIG.replace("{port}", &port.to_string());
    let world = runtime.block_on(World::start(name, &config, |options: &mut Options| {
        options.channels = vec!["web".into()];
        std::fs::create_dir_all(&options.state).expect("a folder for the state");
        let secrets = r#"{"model": {"openai": "sk-local"}}"#;
        std::fs::write(options.state.join("secrets.json"), secrets).expect("the secrets can be written");
    }));
    let endpoints = world.cloud.endpoints();
    let secrets = world.cloud.secrets("web", "main");
    let key = secrets.get("api_key").expect("the local run makes one up");
    test(&endpoints.channels["web"], &endpoints.platform, key);
}

#[test]
fn the_widget_in_foreign_pages() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = free.local_addr().expect("its number").port();
    drop(free);
    with_cloud("widget", port, |web, platform, _| {
        browser::run("widget.py", &[web, &port.to_string(), platform]);
    });
}

#[test]
fn the_official_client_of_openai() {
    with_cloud("openai", 1, |web, platform, key| browser::run("client.py", &[web, key, platform]));
}
