use serde_json::{Value, json};

use super::*;

fn config(entries: Value) -> Config {
    let mut all = json!({"version": 1, "models": {"default": {"provider": "openai", "model": "gpt-x"}}});
    if let (Some(all), Value::Object(entries)) = (all.as_object_mut(), entries) {
        all.extend(entries);
    }
    serde_json::from_value(all).unwrap()
}

/// Keys and the beginnings of the problems.
fn check(entries: Value, expected: &[(&str, &str)]) {
    let faults = config(entries.clone()).faults(&[]);
    let found: Vec<(&str, &str)> =
        faults.iter().map(|fault| (fault.key.as_str(), fault.problem.as_str())).collect();
    let fits = found.len() == expected.len()
        && found
            .iter()
            .zip(expected)
            .all(|(found, expected)| found.0 == expected.0 && found.1.contains(expected.1));
    assert!(fits, "{entries}\n{found:#?}");
}

#[test]
fn names_that_lead_nowhere_are_faults() {
    check(json!({}), &[]);
    check(
        json!({"assistants": {"a": {"models": ["x"], "transcribe": "y", "tools": ["web_fetch", "crm"], "hooks": ["h"],
            "commands": ["c"]}}}),
        &[
            ("assistants.a.models.0", "no model \"x\"; there is default"),
            ("assistants.a.transcribe", "no model \"y\""),
            ("assistants.a.tools.1", "no tool \"crm\"; there is web_fetch, "),
            ("assistants.a.hooks.0", "no hook \"h\"; there is none"),
            ("assistants.a.commands.0", "no command \"c\""),
        ],
    );
    check(
        json!({"prices": {"default": {"input": 1, "output": 2}, "gpt-x": {"input": 1, "output": 2}, "gpt": {"input": 1, "output": 2}}}),
        &[("prices.gpt", "no model \"gpt\"; there is default, gpt-x")],
    );
    check(json!({"knowledge": {"k": {"model": "x"}}}), &[("knowledge.k.model", "no model \"x\"")]);
}

#[test]
fn models_that_cannot_work_are_faults() {
    let model = |fallback: &str| json!({"provider": "openai", "model": "m", "fallback": fallback});
    check(
        json!({"models": {"a": model("c"), "b": model("a"), "c": model("b"), "d": model("d"), "e": model("a")}}),
        &[("models.a.fallback", "a → c → b → a is a ring"), ("models.d.fallback", "d → d is a ring")],
    );
    let with_api =
        |provider: &str| json!({"models": {"a": {"provider": provider, "model": "m", "api": "responses"}}});
    check(with_api("openai"), &[]);
    check(with_api("azure"), &[]);
    check(with_api("groq"), &[("models.a.api", "only the providers openai and azure have several")]);
    let at = |url: &str| json!({"models": {"a": {"provider": "azure", "model": "m", "base_url": url}}});
    check(at("https://r.openai.azure.com/openai/v1"), &[]);
    check(
        at("https://r.openai.azure.com/openai/deployments/gpt-x/chat/completions?api-version=2024-10-21"),
        &[("models.a.base_url", "the deployment's name is the `model`")],
    );
}

#[test]
fn prompts_times_and_languages_are_judged() {
    check(
        json!({"assistants": {
            "a": {"prompt": "Hi {user}, {{user}}", "greeting": "{text}", "zone": "Berlin", "reset": {"daily_at": "4"}},
            "b": {"prompt": "builtin:reviewer", "language": "xx", "zone": "Europe/Berlin", "reset": {"daily_at": "04:00"}},
            "c": {"prompt": "builtin:code-reviewer", "language": "de-AT"},
        }}),
        &[
            ("assistants.a.prompt", "unknown variable {user}; there is {user_name}, {channel}"),
            ("assistants.a.greeting", "unknown variable {text}"),
            ("assistants.a.zone", "no time zone \"Berlin\""),
            ("assistants.a.reset.daily_at", "write one like 04:00"),
            ("assistants.b.prompt", "there is help-assistant, faq-bot, code-reviewer, translator"),
            ("assistants.b.language", "no language \"xx\"; there is en, de"),
        ],
    );
}

#[test]
fn tools_hooks_and_commands_are_judged() {
    check(
        json!({
            "tools": {
                "a": {"kind": "mcp"}, "b": {"kind": "http", "url": "ftp://x"}, "c": {"kind": "lambda", "description": "d"},
                "d": {"kind": "search_knowledge", "knowledge": ["k"]}, "e": {"kind": "hand_off", "to": "slack/main"},
                "f": {"kind": "mcp", "url": "https://x", "confirm": ["delete"]}, "g": {"kind": "hand_off", "to": "slack/main/a/b"},
            },
            "hooks": {"a": {"on": "pre_process"}, "b": {"on": "post_process", "url": "https://x", "function": "f"}},
        }),
        &[
            ("tools.a", "\"url\" is missing"),
            ("tools.b.url", "must begin with https://"),
            ("tools.b", "\"description\" is missing"),
            ("tools.c", "\"function\" is missing"),
            ("tools.d.knowledge.0", "no knowledge \"k\""),
            ("tools.e.to", "must be <channel>/<account>/<chat>"),
            // No channel is known here at all.
            ("tools.g.to", "no channel \"slack\"; there is none"),
            ("hooks.a", "\"url\" is missing"),
            ("hooks.b", "leave one out"),
        ],
    );
    check(
        json!({"commands": {
            "a": {"reply": "r", "prompt": "p"}, "help": {"reply": "r"}, "Two words": {"reply": "r"}, "b": {},
            "c": {"prompt": "{text} {argument} {date} {nope}"}, "d": {"assistant": "x"},
        }}),
        &[
            ("commands.Two words", "small letters"),
            ("commands.a", "exactly one of"),
            ("commands.b", "exactly one of"),
            ("commands.c.prompt", "unknown variable {nope}"),
            ("commands.d.assistant", "no assistant \"x\""),
            ("commands.help", "choose another name"),
        ],
    );
}

#[test]
fn models_are_asked_for_what_their_providers_do() {
    let models = json!({"default": {"provider": "bedrock", "model": "n"}, "claude": {"provider": "anthropic", "model": "c"}});
    let deaf = json!({"models": models, "assistants": {"a": {"transcribe": "default"}}});
    check(
        deaf,
        &[(
            "assistants.a.transcribe",
            "bedrock cannot turn speech into text; openai, gemini, azure, mistral, groq can",
        )],
    );
    check(json!({"models": models, "knowledge": {"k": {"model": "default"}}}), &[]);
    let flat = json!({"models": models, "knowledge": {"k": {"model": "claude"}}});
    check(flat, &[("knowledge.k.model", "anthropic cannot turn texts into vectors")]);
}

#[test]
fn caps_in_dollars_need_prices() {
    let limits = json!({"usd_per_person_day": 0.5});
    let assistants = json!({"default": {}});
    check(
        json!({"limits": limits, "assistants": assistants}),
        &[(
            "limits",
            "needs the price of every model that answers or listens (0 where it is free): add prices.default",
        )],
    );
    let prices = json!({"gpt-x": {"input": 1, "output": 2}});
    check(json!({"limits": limits, "assistants": assistants, "prices": prices}), &[]);
    let models = json!({"default": {"provider": "openai", "model": "gpt-x"}, "ears": {"provider": "openai", "model": "whisper-1"}});
    let listens = json!({"models": models, "limits": limits, "assistants": {"default": {"transcribe": "ears"}}, "prices": prices});
    check(listens, &[("limits", "add prices.ears")]);
    check(json!({"limits": {"tokens_per_person_day": 5}, "assistants": assistants}), &[]);
    let read = config(json!({"limits": limits}));
    assert_eq!(read.limits.usd_per_person_day, Usd(500_000));
    assert_eq!(serde_json::to_value(&read).unwrap()["limits"]["usd_per_person_day"], json!(0.5));
}

#[test]
fn a_protocol_is_chosen_where_there_are_several() {
    let by =
        |provider: &str| json!({"models": {"a": {"provider": provider, "model": "m", "api": "responses"}}});
    check(by("azure"), &[]);
    check(by("groq"), &[("models.a.api", "only the providers openai and azure")]);
}

#[test]
fn a_chat_is_answered_by_who_is_chosen_or_configured_there() {
    let config = config(json!({
        "assistants": {"default": {"prompt": "default"}, "sales": {"prompt": "sales"}, "coder": {"prompt": "builtin:code-reviewer"}},
        "channels": {"telegram": {
            "prompt": "telegram",
            "conversations": {"1": {"assistant": "sales"}, "2": {"prompt": "two"}, "3": {"assistant": "sales", "prompt": "three"}},
            "accounts": {"shop": {"assistant": "sales"}},
        }},
    }));
    let check = |account: &str, chat: &str, chosen: Option<&str>, name: &str, prompt: &str| {
        let persona = config.persona(&config.channel("telegram", account), chat, chosen);
        assert_eq!(
            (persona.name.as_str(), persona.assistant.prompt.as_str()),
            (name, prompt),
            "{account} {chat} {chosen:?}"
        );
    };
    check("main", "9", None, "default", "telegram");
    check("main", "1", None, "sales", "sales");
    check("main", "2", None, "default", "two");
    check("main", "3", None, "sales", "three");
    check("shop", "9", None, "sales", "sales");
    check("main", "2", Some("sales"), "sales", "sales");
    check("main", "2", Some("gone"), "default", "two");
    check("main", "2", Some("coder"), "coder", crate::prompts::text("builtin:code-reviewer"));
}

#[test]
fn of_a_later_configuration_what_is_known_is_read() {
    let later = json!({
        "version": 1,
        "assistants": {"good": {"memory": {"notes": false, "later": 1}}, "bad": {"disclosure": "sometimes"}},
        "tools": {"t": {"kind": "telepathy"}, "w": {"kind": "web_fetch", "later": true}},
        "limits": {"per_person": 3, "usd_per_person_day": 1, "per_stack": "many", "later": {}},
    });
    let read = Config::tolerant(&later.to_string()).unwrap();
    assert_eq!(read.assistants.keys().collect::<Vec<_>>(), ["good"]);
    assert!(!read.assistants["good"].memory.notes);
    assert_eq!(read.tools.keys().collect::<Vec<_>>(), ["w"]);
    assert_eq!((read.limits.per_person, read.limits.usd_per_person_day), (3, Usd(1_000_000)));
    assert_eq!(read.limits.per_stack, 500, "one cap that cannot be read takes no other with it");
    assert_eq!(read.tool("remember").map(|tool| tool.kind), Some(ToolKind::Remember));
    assert_eq!(read.tool("w").map(|tool| (tool.timeout_s, tool.max_bytes)), Some((20, 20_000)));
}

#[test]
fn what_is_asked_about_first_is_written_in_a_word_or_a_list() {
    for (written, expected) in [
        (json!("auto"), Confirm::Auto),
        (json!("none"), Confirm::None),
        (json!("all"), Confirm::All),
        (json!(["delete"]), Confirm::Names(vec!["delete".into()])),
    ] {
        let read: Confirm = serde_json::from_value(written.clone()).unwrap();
        assert_eq!(read, expected, "{written}");
        assert_eq!(serde_json::to_value(&read).unwrap(), written);
    }
    let asks = [Confirm::Auto, Confirm::All, Confirm::None, Confirm::Names(vec!["x".into()])];
    assert_eq!(asks.clone().map(|confirm| confirm.asks("x", true)), [true, true, false, true]);
    assert_eq!(asks.map(|confirm| confirm.asks("y", false)), [false, true, false, false]);
}
