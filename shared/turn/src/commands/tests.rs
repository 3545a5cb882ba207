use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::config::{Config, CustomCommand};
use crate::state::{Change, Turn};
use crate::template::Variables;

#[test]
fn commands_are_whole_texts() {
    let named = |name: &str| Some(name.to_owned());
    for (text, command) in [
        ("/help", Some(Command::Help)),
        ("/start", Some(Command::Start)),
        (" /NEW ", Some(Command::New)),
        ("/compact", Some(Command::Compact)),
        ("/retry", Some(Command::Retry)),
        ("/undo", Some(Command::Undo)),
        ("/usage", Some(Command::Usage)),
        ("/memory", Some(Command::Memory)),
        ("/model", Some(Command::Model { name: None })),
        ("/model Fast", Some(Command::Model { name: named("Fast") })),
        ("/Model:fast", Some(Command::Model { name: named("fast") })),
        ("/assistant  tutor", Some(Command::Assistant { name: named("tutor") })),
        ("/forget 3", Some(Command::Forget { id: Some(3) })),
        ("/forget #3", Some(Command::Forget { id: Some(3) })),
        ("/forget everything", Some(Command::Forget { id: None })),
        ("/stop now", None),
        ("/bot off", Some(Command::Bot { on: false })),
        ("/bot ON", Some(Command::Bot { on: true })),
        ("/bot", None),
        ("/", None),
        ("what is /help", None),
        ("/unknown", None),
    ] {
        assert_eq!(Command::parse(text), command, "{text}");
    }
    for name in NAMES {
        let known = Command::parse(&format!("/{name}")).or_else(|| Command::parse(&format!("/{name} on")));
        assert!(known.is_some(), "{name}");
    }
}

#[test]
fn a_claim_code_is_known_by_its_shape() {
    let code = claim_code(&[7; 10]);
    assert_eq!(as_claim(&format!(" {code}\n")), Some(code.as_str()));
    assert_eq!(as_claim("claim-"), None);
    assert_eq!(as_claim("claim my baggage, please"), None);
}

fn config() -> Config {
    serde_json::from_value(json!({
        "version": 1,
        "models": {"fast": {"provider": "echo"}, "deep": {"provider": "echo"}, "dear": {"provider": "echo"}},
        "assistants": {
            "default": {"model": "fast", "models": ["deep", "gone"], "commands": [], "tools": ["remember"]},
            "tutor": {"model": "deep", "commands": ["quiz"]},
            "internal": {"model": "dear"},
        },
        "channels": {"telegram": {"assistants": ["tutor"]}},
        "commands": {
            "translate": {"prompt": "Translate into {argument}: {text}", "about": "translates"},
            "quiz": {"prompt": "Ask me about {text}"},
            "hours": {"reply": "Open from 9 to 5, {user_name}.", "keywords": ["opening hours", "営業時間"]},
            "tutor": {"assistant": "tutor"},
        },
    }))
    .unwrap()
}

/// Name, argument and text of the command that is found.
fn check_custom(known: &[&str], text: &str, expected: Option<(&str, &str, &str)>) {
    let config = config();
    let known: Vec<String> = known.iter().map(ToString::to_string).collect();
    let found = custom(&config.commands, &known, text);
    let found = found.as_ref().map(|found| (found.name, found.argument, found.text));
    assert_eq!(found, expected, "{text}");
}

#[test]
fn the_operators_commands_are_found_by_name_and_keyword() {
    check_custom(&[], "/translate:es good morning", Some(("translate", "es", "good morning")));
    check_custom(&[], " /Translate:es\ngood morning", Some(("translate", "es", "good morning")));
    check_custom(&[], "/translate good: morning", Some(("translate", "", "good: morning")));
    check_custom(&[], "/translate:es", Some(("translate", "es", "")));
    check_custom(&[], "/translation:es", None);
    check_custom(&["quiz"], "/translate:es good morning", None);
    check_custom(&["quiz"], "/quiz history", Some(("quiz", "", "history")));
    check_custom(&[], "What are your Opening Hours?", Some(("hours", "", "What are your Opening Hours?")));
    check_custom(&[], "the reopening hours", None);
    check_custom(&[], "本日の営業時間は?", Some(("hours", "", "本日の営業時間は?")));
    check_custom(&[], "hello", None);
}

#[test]
fn the_operators_commands_ask_or_answer() {
    let config = config();
    let variables = Variables { user_name: "Ana", ..Variables::default() };
    let found = custom(&config.commands, &[], "/translate:es {argument}").unwrap();
    assert_eq!(found.ask(&variables).as_deref(), Some("Translate into es: {argument}"));
    assert_eq!(found.reply(&variables), None);
    let found = custom(&config.commands, &[], "/hours").unwrap();
    assert_eq!(found.reply(&variables).as_deref(), Some("Open from 9 to 5, Ana."));
}

#[test]
fn help_lists_what_can_be_commanded_here() {
    let config = config();
    let all = help(&config, &config.assistants["default"], &["tutor".to_owned()]);
    for line in [
        "- `/new`",
        "`/forget <number>`",
        "`/model <name>`",
        "`/assistant <name>`",
        "- `/translate` translates",
        "- `/hours`",
    ] {
        assert!(all.contains(line), "{line}\n{all}");
    }
    let few = help(&config, &config.assistants["tutor"], &[]);
    for line in ["/translate", "/model", "/assistant", "/memory"] {
        assert!(!few.contains(line), "{line}\n{few}");
    }
    assert!(few.contains("- `/quiz`"));
}

#[test]
fn people_choose_among_what_they_may_have_and_owners_among_all() {
    let config = config();
    let assistant = &config.assistants["default"];
    let model = |current, owner, name| choose_model(&config, assistant, current, owner, name);
    assert_eq!(model(None, false, None).text, "The model here is fast. `/model <name>` takes another: deep.");
    let deep = Change { model: Some(Some("deep".into())), ..Change::default() };
    assert_eq!(model(None, false, Some("Deep")).change, deep);
    assert_eq!(model(None, false, Some("dear")).change, Change::default());
    assert_eq!(model(None, true, Some("dear")).change.model, Some(Some("dear".into())));
    assert_eq!(model(Some("deep"), false, Some("fast")).change.model, Some(None));

    let channel = config.channel("telegram", "main");
    let who = |owner, name| choose_assistant(&config, &channel, "default", "default", owner, name);
    assert_eq!(who(false, None).text, "You talk to default. `/assistant <name>` takes another: tutor.");
    assert_eq!(who(false, Some("tutor")).change.assistant, Some(Some("tutor".into())));
    assert_eq!(who(false, Some("internal")).change, Change::default());
    assert_eq!(who(true, Some("internal")).change.assistant, Some(Some("internal".into())));
    assert_eq!(who(false, Some("DEFAULT")).change.assistant, Some(None));
}

#[test]
fn the_last_turn_is_the_newest_that_the_model_sees() {
    let turn = |number: u32, history: bool, undone: bool| Turn {
        number,
        history,
        undone,
        answer: "yes".into(),
        ..Turn::default()
    };
    let history = [turn(4, false, false), turn(3, true, true), turn(2, true, false), turn(1, true, false)];
    assert_eq!(last_turn(&history, 0).map(|turn| turn.number), Some(2));
    assert_eq!(last_turn(&history, 3), None);
    assert_eq!(last_turn(&[], 0), None);
}

proptest! {
    #[test]
    fn no_text_breaks_a_parser(text in "[/:a-z \\n]{0,12}\\PC{0,12}", keyword in "\\PC{0,6}") {
        let _ = Command::parse(&text);
        let command = CustomCommand { keywords: vec![keyword], reply: Some("{text}".into()), ..CustomCommand::default() };
        let commands = [("a".to_owned(), command)].into();
        if let Some(found) = custom(&commands, &[], &text) {
            prop_assert!(text.contains(found.text) && text.contains(found.argument));
            prop_assert!(found.reply(&Variables::default()).is_some());
        }
    }
}
