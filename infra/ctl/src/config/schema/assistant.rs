//! Who answers, with which model, at what price.

use serde_json::{Value, json};
use turn::config::PROVIDERS;
use turn::language::LANGUAGES;
use turn::prompts;
use turn::template::VARIABLES;

use super::{choice, count, flag, list, number, object, required, text};

pub(super) fn assistant() -> Value {
    let languages: Vec<&str> = LANGUAGES.iter().map(|(code, ..)| *code).collect();
    object(
        "An assistant.",
        json!({
            "model": text("Name of an entry of `models`; `default` unless given."),
            "models": list("Names of entries of `models` that people may choose with /model; owners may choose every one."),
            "transcribe": text("Name of the entry of `models` that turns voice messages into text."),
            "prompt": prompt("What the model is told first."),
            "greeting": text("The answer to /start, in place of the one to /help; it may hold the variables of prompts."),
            "history": object("How much of the conversation the model sees again.", json!({
                "tokens": count("Estimated tokens, newest turns first. 4000 unless given."),
                "days": count("Days after which a turn is forgotten. 30 unless given."),
                "summary": flag("What no longer fits is told by a summary, which a model call of its own writes. true unless given."),
            })),
            "memory": object("What is remembered of a person for good, in 1:1 chats only.", json!({
                "notes": flag("Notes about the person are kept and shown to the model. true unless given."),
                "prompt_tokens": count("Estimated tokens of them that stand in every prompt, newest first. 300 unless given."),
            })),
            "reset": object("When a conversation starts over by itself; never unless given.", json!({
                "idle_hours": count("After so many hours without an answer."),
                "daily_at": text("Every day at this time of the assistant's zone, \"04:00\"."),
            })),
            "zone": text("The time zone of all its times, like Europe/Berlin or +02:00; UTC unless given."),
            "tools": list("Names of entries of `tools`, or of built-in ones: web_fetch, search_knowledge, remind_me, remember, forget, hand_off."),
            "hooks": list("Names of entries of `hooks`, in the order in which they run."),
            "commands": list("Names of entries of `commands` that it knows; all of them where none is named."),
            "disclosure": choice(
                "Whether the first answer of a conversation says that an assistant answers: to everybody who is not known as a member of your workspace, always, or never. `auto` unless given.",
                &["auto", "always", "never"],
            ),
            "disclosure_text": text("What is said in place of our own line; it may hold the variables of prompts."),
            "language": text(&format!(
                "The language of our own lines, {}; guessed from the message unless given.",
                languages.join(", ")
            )),
        }),
    )
}

/// A prompt, here or at a channel or conversation.
pub(super) fn prompt(about: &str) -> Value {
    let variables: Vec<String> = VARIABLES.iter().map(|(name, says)| format!("{{{name}}} {says}")).collect();
    let ready: Vec<&str> = prompts::BUILT_IN.iter().map(|(name, _)| *name).collect();
    text(&format!(
        "{about} Variables: {}. Or `builtin:` and the name of a ready-made one: {}.",
        variables.join("; "),
        ready.join(", ")
    ))
}

pub(super) fn model() -> Value {
    let model = object(
        "A language model.",
        json!({
            "provider": choice("Who runs it. `echo` is for the local run only.", PROVIDERS),
            "model": text("The provider's name of the model; on Bedrock an inference profile."),
            "base_url": text("Another endpoint that speaks the provider's protocol."),
            "api": choice("Which of OpenAI's protocols `openai` or `azure` speaks. `chat` unless given.", &["chat", "responses"]),
            "key": text("Name of the secret under `crabhook secrets set model`; the provider's name unless given."),
            "fallback": text("Name of the entry of `models` to ask when this one cannot answer."),
            "reasoning": flag("It thinks before it writes: it gets 60 s for the first token instead of 20 s."),
        }),
    );
    required(model, &["provider"])
}

pub(super) fn price() -> Value {
    let price = object(
        "What a model costs, US dollars per million tokens.",
        json!({
            "input": number("What it reads."),
            "output": number("What it writes, thinking included."),
            "cached": number("What it reads again from its cache; as `input` unless given."),
            "minute": number("A minute of speech that it writes down, US dollars; nothing unless given."),
        }),
    );
    required(price, &["input", "output"])
}

pub(super) fn knowledge() -> Value {
    let knowledge = object(
        "Documents that `crabhook knowledge push` makes searchable.",
        json!({
            "model": text("Name of the entry of `models` that turns texts into vectors."),
            "about": text("What is in it, in words for the model."),
            "results": count("Passages that a search gives back. 5 unless given."),
        }),
    );
    required(knowledge, &["model"])
}
