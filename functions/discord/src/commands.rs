//! The commands and forms that people see, and how Discord learns of them.

use channel::{Argument, Auth, Body, Offered, Registration, Step, Target, encode};
use serde_json::{Value, json};

use crate::render::user_agent;
use crate::spec::{APPLICATION_ID, BOT_TOKEN};

/// `/ask` and its options.
pub const ASK: &str = "ask";
pub const PROMPT: &str = "prompt";
pub const FILE: &str = "file";

/// The command on a message.
pub const ABOUT: &str = "Ask about this";

/// The button under every answer, and the form that it opens.
pub const REPLY: &str = "reply";

// Application command and option types: docs.discord.com/developers/interactions/application-commands.
const CHAT_INPUT: u8 = 1;
const MESSAGE: u8 = 3;
const STRING: u8 = 3;
const ATTACHMENT: u8 = 11;

/// Of the kind that is typed; characters of a name and of a description; choices of an option:
/// docs.discord.com/developers/interactions/application-commands.
const MOST_COMMANDS: usize = 100;
const LONGEST_NAME: usize = 32;
const LONGEST_ABOUT: usize = 100;
const MOST_CHOICES: usize = 25;
/// The longest that Discord lets an option be.
const LONGEST_TEXT: u32 = 6_000;

/// View channels, send messages, attach files, send messages in threads: docs.discord.com/developers/topics/permissions.
const PERMISSIONS: u64 = 1 << 10 | 1 << 11 | 1 << 15 | 1 << 38;

/// Registers the commands, in servers, direct messages and group chats, for servers and single users; then the address,
/// which Discord checks at once. No steps without the application's id.
pub fn connect(to: &Registration<'_>) -> Vec<Step> {
    let Registration { url, settings, commands } = *to;
    let id = match settings.get(APPLICATION_ID) {
        Some(Value::String(id)) => id.clone(),
        Some(Value::Number(id)) => id.to_string(),
        _ => return Vec::new(),
    };
    let call = |method: &str, path: String, body: Value| {
        let target = Target::Base { base: "api".to_owned(), path };
        let auth = Auth::Scheme { scheme: "Bot".to_owned(), secret: BOT_TOKEN.to_owned() };
        Step::new(method, target, Body::Json(body)).auth(auth).header("user-agent", user_agent())
    };
    vec![
        call("PUT", format!("/applications/{}/commands", encode::segment(&id)), all(commands)),
        call("PATCH", "/applications/@me".to_owned(), application(url)),
    ]
}

fn all(commands: &[Offered]) -> Value {
    let everywhere = |mut command: Value| {
        if let Some(fields) = command.as_object_mut() {
            // Server, direct message with the app, other private chats; installed in a server, or by a user.
            fields.insert("contexts".to_owned(), json!([0, 1, 2]));
            fields.insert("integration_types".to_owned(), json!([0, 1]));
        }
        command
    };
    let ask = json!({
        "type": CHAT_INPUT, "name": ASK, "description": "Ask the assistant",
        "options": [
            { "type": STRING, "name": PROMPT, "description": "What to ask", "required": true, "max_length": LONGEST_TEXT },
            file(),
        ],
    });
    let about = json!({ "type": MESSAGE, "name": ABOUT });
    let fits = |command: &&Offered| command.name != ASK && command.name.len() <= LONGEST_NAME;
    let offered = commands.iter().filter(fits).take(MOST_COMMANDS - 1).map(offered);
    [ask, about].into_iter().chain(offered).map(everywhere).collect()
}

/// Discord wants what is required first.
fn offered(command: &Offered) -> Value {
    let option = |argument: &Argument| {
        let mut option = json!({
            "type": STRING, "name": argument.name, "description": short(&argument.about), "required": argument.required,
        });
        let choice = |choice: &String| json!({ "name": short(choice), "value": choice });
        let choices: Vec<Value> = argument.choices.iter().map(choice).collect();
        let (name, value) = match choices.len() {
            1..=MOST_CHOICES => ("choices", Value::from(choices)),
            _ => ("max_length", LONGEST_TEXT.into()),
        };
        option.as_object_mut().map(|fields| fields.insert(name.to_owned(), value));
        option
    };
    let of = |required: bool| command.arguments.iter().filter(move |argument| argument.required == required);
    let options = of(true).chain(of(false)).map(option).chain(command.takes_file.then(file));
    json!({
        "type": CHAT_INPUT, "name": command.name, "description": short(&command.about),
        "options": options.collect::<Vec<_>>(),
    })
}

fn file() -> Value {
    json!({ "type": ATTACHMENT, "name": FILE, "description": "A file to go with it", "required": false })
}

fn short(text: &str) -> String {
    text.chars().take(LONGEST_ABOUT).collect()
}

fn application(url: &str) -> Value {
    json!({
        "interactions_endpoint_url": url,
        "integration_types_config": {
            "0": { "oauth2_install_params": {
                "scopes": ["applications.commands", "bot"], "permissions": PERMISSIONS.to_string(),
            } },
            "1": { "oauth2_install_params": { "scopes": ["applications.commands"], "permissions": "0" } },
        },
    })
}

/// The row with the button that goes with an answer.
pub fn reply_button() -> Value {
    json!({ "type": 1, "components": [{ "type": 2, "style": 2, "label": "Reply", "custom_id": REPLY }] })
}

/// The form behind it: docs.discord.com/developers/components/using-modal-components.
pub fn reply_form() -> Value {
    json!({
        "custom_id": REPLY, "title": "Reply",
        "components": [
            { "type": 18, "label": "Your message", "component": {
                "type": 4, "custom_id": PROMPT, "style": 2, "required": true, "max_length": 4_000,
            } },
            { "type": 18, "label": "A file to go with it", "component": {
                "type": 19, "custom_id": FILE, "min_values": 0, "max_values": 1, "required": false,
            } },
        ],
    })
}
