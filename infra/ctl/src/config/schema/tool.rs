//! What the model may call, what runs around it, and the operator's own commands.

use serde_json::{Value, json};

use super::{choice, count, list, named, object, required, text};

const SECRET: &str =
    "Name of the secret under `crabhook secrets set tool` that signs its requests by Standard Webhooks.";

pub(super) fn tool() -> Value {
    let kinds = [
        "mcp",
        "http",
        "lambda",
        "web_fetch",
        "search_knowledge",
        "remind_me",
        "remember",
        "forget",
        "hand_off",
    ];
    let tool = object(
        "Something that the model may call.",
        json!({
            "kind": choice("A server that speaks MCP over streamable HTTP, any HTTPS endpoint, any Lambda function, or a built-in tool.", &kinds),
            "description": text("What it is for, in words for the model; of http and lambda."),
            "arguments": {"type": "object", "description": "JSON Schema of its arguments; of http and lambda."},
            "url": text("Where it is; of mcp and http."),
            "function": text("Name or ARN of the function; of lambda."),
            "headers": named("Headers of its requests, each with the name of the secret under `crabhook secrets set tool` that is its value.", text("Name of a secret.")),
            "secret": text(SECRET),
            "allow": list("Of a server's tools, those that may be called; all of them unless given. Of mcp."),
            "confirm": {"anyOf": [
                choice("Which calls the person is asked about first: those of a server that may change something, none, all, or a list of the server's tools. `auto` unless given.", &["auto", "none", "all"]),
                list("Of a server's tools, those."),
            ]},
            "timeout_s": count("Seconds that a call may take. 20 unless given."),
            "max_bytes": count("Bytes of a result that the model is shown. 20000 unless given."),
            "knowledge": list("Names of entries of `knowledge` that are searched; all of them unless given. Of search_knowledge."),
            "to": text("The conversation in which operators are told, <channel>/<account>/<chat>; owners are told unless given. Of hand_off."),
        }),
    );
    required(tool, &["kind"])
}

pub(super) fn hook() -> Value {
    let hook = object(
        "A program of yours that sees messages before the model does, or answers before people do.",
        json!({
            "on": choice("When it runs.", &["pre_process", "post_process"]),
            "url": text("Where it is; or `function`."),
            "function": text("Name or ARN of a Lambda function."),
            "secret": text(SECRET),
            "timeout_s": count("Seconds that it may take. 5 unless given."),
            "on_error": choice("What happens when it fails: as if it were not there, or the message is not answered. `continue` unless given.", &["continue", "stop"]),
        }),
    );
    required(hook, &["on"])
}

pub(super) fn command() -> Value {
    object(
        "A command or keyword of your own. Exactly one of prompt, reply and assistant says what it does.",
        json!({
            "prompt": text("What the model is asked. {text} is what stands behind the command, {argument} what stands behind its colon: `es` in /translate:es."),
            "reply": text("What is answered, without a model."),
            "assistant": text("Name of the entry of `assistants` that answers, from then on in that conversation."),
            "keywords": list("Messages that hold one of these words or phrases are taken for this command."),
            "about": text("What /help says about it."),
        }),
    )
}
