mod readme;

use std::path::Path;

use serde_json::{Map, Value, json};
use turn::config::{
    Access, Assistant, Channel, Config, Confirm, Conversation, CustomCommand, Disclosure, History, Hook,
    Knowledge, Limits, Memory, Model, OnError, Overlap, Price, Reset, Streaming, Tool,
};

use super::*;

/// The text is refused with exactly these lines.
fn check(text: &str, expected: &[&str]) {
    let problems = parse(text, "a.yaml").err().unwrap_or_default();
    let found: Vec<String> = problems.iter().map(Problem::to_string).collect();
    assert_eq!(found, expected, "{text}");
}

#[test]
fn faults_are_named_with_line_and_suggestion() {
    check("version: 1\nchanels: {}\n", &[r#"a.yaml:2: chanels: unknown key; did you mean "channels"?"#]);
    check(
        "version: 1\nchannels:\n  telegram:\n    acces: open\n",
        &[r#"a.yaml:4: channels.telegram.acces: unknown key; did you mean "access"?"#],
    );
    check(
        "version: 1\nchannels:\n  telegrm:\n    access: open\n",
        &[r#"a.yaml:3: channels.telegrm: unknown key; did you mean "telegram"?"#],
    );
    check(
        "version: 1\nchannels:\n  telegram:\n    access: opne\n",
        &[
            r#"a.yaml:4: channels.telegram.access: must be one of owner, list, pairing, workspace, open; did you mean "open"?"#,
        ],
    );
    check(
        "version: 1\nlimits:\n  per_person: -1\n  per_stack: many\n",
        &[
            "a.yaml:3: limits.per_person: must be between 0 and 4294967295",
            "a.yaml:4: limits.per_stack: must be a whole number",
        ],
    );
    check(
        "version: 1\nchannels:\n  discord:\n    people:\n      - \"1\"\n      - 876543210987654321\n",
        &[r#"a.yaml:6: channels.discord.people.1: must be text: write "876543210987654321""#],
    );
    check(
        "models:\n  default:\n    model: x\n",
        &[r#"a.yaml:1: "version" is missing"#, r#"a.yaml:2: models.default: "provider" is missing"#],
    );
    check("version: 2\n", &["a.yaml:1: version: must be one of 1"]);
    check(
        "version: 1\nlimits:\n  usd_per_person_day: -0.5\n  usd_per_stack_day: much\n",
        &[
            "a.yaml:3: limits.usd_per_person_day: must not be less than 0",
            "a.yaml:4: limits.usd_per_stack_day: must be a number",
        ],
    );
    check(
        "version: 1\ntools:\n  crm:\n    kind: mpc\n    confirm: every\n",
        &[
            r#"a.yaml:4: tools.crm.kind: must be one of mcp, http, lambda, web_fetch, search_knowledge, remind_me, remember, forget, hand_off; did you mean "mcp"?"#,
            "a.yaml:5: tools.crm.confirm: must be one of auto, none, all",
        ],
    );
    check(
        "version: 1\ntools:\n  crm:\n    kind: mcp\n    url: https://x\n    confirm: [1]\n",
        &[r#"a.yaml:6: tools.crm.confirm.0: must be text: write "1""#],
    );
}

#[test]
fn what_only_sense_can_tell_has_its_line_too() {
    check(
        "version: 1\nassistants:\n  default:\n    model: quick\nmodels:\n  slow: {provider: bedrock, model: m}\n",
        &[r#"a.yaml:4: assistants.default.model: no model "quick"; there is slow"#],
    );
    check(
        "version: 1\nchannels:\n  telegram:\n    access: open\nlimits: {per_stack: 0}\n",
        &[
            "a.yaml:4: channels.telegram.access: open needs the daily caps limits.per_person and limits.per_stack, not 0",
        ],
    );
    check(
        "version: 1\nassistants:\n  default:\n    history: {tokens: 5}\n    prompt: |\n      Hello {user}\nmodels:\n  default: {provider: bedrock, model: m}\n",
        &[
            "a.yaml:5: assistants.default.prompt: unknown variable {user}; there is {user_name}, {channel}, {chat_kind}, {assistant}, {language}, {date}, {time}, {weekday}, {zone}. Write {{user}} to say it as it is",
        ],
    );
    check(
        "version: 1\nchannels:\n  telegram:\n    access: workspace\n",
        &["a.yaml:4: channels.telegram.access: Telegram does not say which workspace a sender belongs to"],
    );
    check(
        "version: 1\nchannels:\n  webhook:\n    on_doubt: skip\n",
        &[
            "a.yaml:4: channels.webhook.on_doubt: Webhook never shows a message twice: there is no doubt, leave it out",
        ],
    );
}

#[test]
fn what_is_no_yaml_has_its_line() {
    for (text, line) in [
        ("version: 1\nmodels: [\n", 3),
        ("version: 1\nversion: 1\n", 2),
        ("version: 1\n---\nversion: 1\n", 3),
    ] {
        let problems = parse(text, "a.yaml").err().unwrap();
        assert_eq!(problems.len(), 1, "{text}");
        assert_eq!(problems.first().unwrap().line, line, "{text}: {}", problems.first().unwrap());
    }
    let missing = load(Path::new("/nonexistent.yaml")).err().unwrap();
    assert!(missing.first().unwrap().to_string().starts_with("/nonexistent.yaml: cannot be read"));
}

#[test]
fn nothing_written_is_an_empty_entry() {
    let loaded =
        parse("version: 1\nchannels:\n  telegram:\n    accounts:\n      support:\nmodels:\n", "a").unwrap();
    let telegram = loaded.config.channels.get("telegram").unwrap();
    assert_eq!(telegram.accounts.get("support"), Some(&Channel::default()));
    assert_eq!(loaded.written.get("limits"), None);
    assert_eq!(loaded.config.limits, Limits::default());
}

#[test]
fn the_file_we_ship_is_good_and_says_what_the_code_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../assistant.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    let config = parse(&text, "assistant.yaml").unwrap().config;
    let assistant = config.assistants.get("default").unwrap();
    assert_eq!(assistant.history, History::default());
    assert_eq!(config.models.get("default").unwrap().provider, "bedrock");
    // With every example switched on it is good as well, and the limits shown are the built-in ones.
    let all = parse(&uncommented(&text), "assistant.yaml").unwrap().config;
    assert_eq!(all.limits, Limits::default());
    assert_eq!((all.models.len(), all.channels.len()), (6, 4));
    assert_eq!((all.assistants.len(), all.prices.len(), all.commands.len()), (3, 2, 3));
    assert_eq!((all.tools.len(), all.hooks.len(), all.knowledge.len()), (3, 1, 1));
}

/// The file with its examples switched on: comments without exactly one space after the `#`.
fn uncommented(text: &str) -> String {
    let switched = text.lines().map(|line| {
        let (indent, rest) = line.split_at(line.len() - line.trim_start().len());
        match rest.strip_prefix('#') {
            Some(example) if !example.starts_with(' ') || example.starts_with("  ") => {
                format!("{indent}{example}")
            }
            _ => line.to_owned(),
        }
    });
    switched.collect::<Vec<_>>().join("\n")
}

/// A configuration in which nothing is left out.
fn everything() -> Config {
    let named = || vec!["default".to_owned()];
    let text = || Some("default".to_owned());
    let mut channel = Channel {
        access: Some(Access::Owner),
        assistant: text(),
        overlap: Some(Overlap::Coalesce),
        on_doubt: Some(channel::OnDoubt::Skip),
        people: named(),
        pause_hours: Some(1),
        streaming: Some(Streaming::Off),
        prompt: text(),
        assistants: named(),
        media_hosts: named(),
        ..Channel::default()
    };
    channel.conversations.insert("default".into(), Conversation { assistant: text(), prompt: text() });
    channel.urls.insert("api".into(), "http://127.0.0.1:1".into());
    channel.settings.insert("public_url".into(), "https://chat.example.com".into());
    channel.accounts.insert("support".into(), channel.clone());
    let model = Model {
        provider: "openai".into(),
        model: "m".into(),
        base_url: Some("http://127.0.0.1:1".into()),
        api: Some("chat".into()),
        key: Some("k".into()),
        fallback: text(),
        reasoning: true,
    };
    let assistant = Assistant {
        models: named(),
        transcribe: text(),
        greeting: text(),
        history: History { summary: false, ..History::default() },
        memory: Memory { notes: false, prompt_tokens: 1 },
        reset: Reset { idle_hours: 1, daily_at: text() },
        zone: text(),
        tools: named(),
        hooks: named(),
        commands: named(),
        disclosure: Disclosure::Never,
        disclosure_text: text(),
        language: text(),
        ..Assistant::default()
    };
    let tool = Tool {
        description: text(),
        arguments: Some(json!({})),
        url: text(),
        function: text(),
        headers: [("default".to_owned(), "s".to_owned())].into(),
        secret: text(),
        allow: named(),
        confirm: Confirm::All,
        knowledge: named(),
        to: text(),
        ..Tool::default()
    };
    let hook =
        Hook { url: text(), function: text(), secret: text(), on_error: OnError::Stop, ..Hook::default() };
    let command =
        CustomCommand { prompt: text(), reply: text(), assistant: text(), keywords: named(), about: text() };
    let limits: Map<String, Value> = match schema(&[]).pointer("/properties/limits/properties") {
        Some(Value::Object(limits)) => limits.keys().map(|name| (name.clone(), json!(1))).collect(),
        _ => Map::new(),
    };
    Config {
        version: 1,
        assistants: [("default".to_owned(), assistant)].into(),
        models: [("default".to_owned(), model)].into(),
        channels: [("telegram".to_owned(), channel)].into(),
        limits: serde_json::from_value(Value::Object(limits)).unwrap(),
        prices: [(
            "default".to_owned(),
            Price { input: 1.0, output: 2.5, cached: Some(0.1), minute: Some(0.006) },
        )]
        .into(),
        tools: [("default".to_owned(), tool)].into(),
        hooks: [("default".to_owned(), hook)].into(),
        commands: [("default".to_owned(), command)].into(),
        knowledge: [("default".to_owned(), Knowledge { model: "default".into(), about: text(), results: 1 })]
            .into(),
    }
}

#[test]
fn the_schema_knows_every_key_of_the_code_and_no_other() {
    let config = everything();
    let mut written = serde_json::to_value(&config).unwrap();
    assert_eq!(check::check(&schema(&specs()), &mut written), []);
    assert_eq!(serde_json::from_value::<Config>(written.clone()).unwrap(), config);
    let mut known = Vec::new();
    keys(&schema(&specs()), "", &mut known);
    let mut used = Vec::new();
    used_keys(&written, "", &mut used);
    known.retain(|key| !key.starts_with("channels.") || key.starts_with("channels.telegram."));
    known.retain(|key| key != "channels.telegram.bot" && key != "channels.telegram.accounts.*.bot");
    assert_eq!(known, used, "a key of turn::config that the schema lacks, or the other way round");
}

/// Dotted paths of all leaves that the schema describes; `*` for a name.
fn keys(schema: &Value, path: &str, all: &mut Vec<String>) {
    let properties = schema.get("properties").and_then(Value::as_object);
    let each = schema.get("additionalProperties").filter(|each| each.is_object());
    for (name, schema) in properties.into_iter().flatten() {
        keys(schema, &yaml::join(path, name), all);
    }
    if let Some(each) = each {
        keys(each, &yaml::join(path, "*"), all);
    }
    if properties.is_none() && each.is_none() {
        all.push(path.to_owned());
        all.sort();
    }
}

fn used_keys(value: &Value, path: &str, all: &mut Vec<String>) {
    match value {
        Value::Object(entries) if !entries.is_empty() => {
            for (name, value) in entries {
                let name = if ["default", "support"].contains(&name.as_str()) { "*" } else { name };
                used_keys(value, &yaml::join(path, name), all);
            }
        }
        _ => {
            all.push(path.to_owned());
            all.sort();
        }
    }
}

#[test]
fn what_is_pulled_reads_as_what_was_pushed() {
    let written = json!({
        "version": 1, "models": {"default": {"provider": "bedrock", "model": "a:b", "reasoning": false}},
        "assistants": {"default": {"prompt": "two\nlines # no comment\n", "history": {"tokens": 5, "days": 1}}},
        "channels": {"discord": {"application_id": "123456789012345678", "people": ["1", "yes", "null"]}},
    });
    let text = pull::text(&written).unwrap();
    let again = parse(&text, "pulled").unwrap_or_else(|problems| panic!("{text}\n{problems:?}"));
    assert_eq!(again.written, written, "{text}");
}
