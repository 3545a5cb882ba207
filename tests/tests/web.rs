//! The channel `web` as its users have it: the widget in a browser, and OpenAI's own client.

use local::{Cloud, Options};
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

/// Beside a cloud of its own.
fn with_cloud(name: &str, port: u16, test: impl FnOnce(&Cloud)) {
    let runtime = Runtime::new().expect("a runtime");
    let config = CONFIG.replace("{port}", &port.to_string());
    let world = runtime.block_on(World::start(name, &config, |options: &mut Options| {
        options.channels = vec!["web".into()];
        std::fs::create_dir_all(&options.state).expect("a folder for the state");
        let secrets = r#"{"model": {"openai": "sk-local"}}"#;
        std::fs::write(options.state.join("secrets.json"), secrets).expect("the secrets can be written");
    }));
    test(&world.cloud);
}

/// One script of visits to a site of somebody's with the widget in it. Each has a cloud of its own: to the function all visitors here
/// have one address, of which it takes only so much in a minute.
fn on_a_site(name: &str, script: &str) {
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = free.local_addr().expect("its number").port();
    drop(free);
    with_cloud(name, port, |cloud| {
        let (endpoints, secrets) = (cloud.endpoints(), cloud.secrets("web", "main"));
        let key = secrets.get("identity_key").expect("the local run makes one up");
        let port = port.to_string();
        browser::run(script, &[&endpoints.channels["web"], &port, &endpoints.platform, &endpoints.aws, key]);
    });
}

/// How small it is, `widget.py` asserts.
#[test]
fn the_widget_in_foreign_pages() {
    on_a_site("widget", "widget.py");
}

#[test]
fn files_that_visitors_attach() {
    on_a_site("widget-files", "files.py");
}

#[test]
fn visits_that_do_not_go_smoothly() {
    on_a_site("widget-visits", "visits.py");
}

#[test]
fn the_official_client_of_openai() {
    with_cloud("openai", 1, |cloud| {
        let (endpoints, secrets) = (cloud.endpoints(), cloud.secrets("web", "main"));
        let key = secrets.get("api_key").expect("the local run makes one up");
        browser::run("client.py", &[&endpoints.channels["web"], key, &endpoints.platform]);
    });
}
