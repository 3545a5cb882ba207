//! One message's path, for the right side of the page.

use channel::ConversationKey;
use ctl::Path;
use model_invoker::{channels, now};
use serde::Serialize;
use serde_json::{Value, json};
use store::{Store, Who};
use turn::config::{Config, Persona, ToolKind};
use turn::template::{Variables, fill};
use turn::{Notes, Turn, language, prompt, prompts};

use super::cast::{Cast, hide};
use super::record::{All, Record};
use super::seen::{Called, Delivery, Given, turns};
use crate::credentials::MAIN;

/// Calls that name no conversation count as the message's until this long after its invocation, milliseconds.
const AFTER: i64 = 1_000;
/// As the invoker reads it.
const HISTORY_TURNS: usize = 50;
const BYTES_PER_TOKEN: usize = 5;

#[derive(Serialize)]
pub(super) struct Trace {
    delivery: Delivery,
    /// Steps, times and cost, out of the functions' log lines.
    path: Option<Path>,
    given: Vec<Given>,
    calls: Vec<Called>,
    asked: Option<Asked>,
}

/// What the model was told. The logs hold no text: it is put together once more, from the table, by the rules that the invoker goes
/// by, as of the turn. Notes are today's, and what hooks of the operator's changed is not known here.
#[derive(Serialize)]
struct Asked {
    system: String,
    lines: Vec<Value>,
    /// What it could call.
    tools: Vec<String>,
    called: Vec<String>,
    /// What came along with the messages.
    files: Vec<String>,
    answer: String,
    model: String,
    input: u32,
    output: u32,
    /// By the configured prices, US dollars; 0 without.
    usd: f64,
}

/// # Errors
/// There is no such delivery, or the table does not answer; for people.
pub(super) async fn of(n: u64, record: &Record, cast: &Cast) -> Result<Trace, String> {
    let seen = record.with(|all| seen(all, n));
    let (mut trace, turn) = seen.ok_or(format!("there is no message {n}"))?;
    let secrets = cast.credentials.of(&trace.delivery.chat.channel, MAIN);
    for called in &mut trace.calls {
        called.call.path = hide(&called.call.path, &secrets);
        let body = hide(&called.call.body.to_string(), &secrets);
        called.call.body = serde_json::from_str(&body).unwrap_or(Value::Null);
    }
    if let (Some(number), Some(key)) = (turn, &trace.delivery.conversation_key) {
        let chat = &trace.delivery.chat;
        let asked = asked(&cast.store(), key, number, &chat.channel, chat.conversation.is_some()).await;
        trace.asked = asked.map_err(|error| error.to_string())?;
    }
    Ok(trace)
}

/// What is in memory, and the turn's number.
fn seen(all: &mut All, n: u64) -> Option<(Trace, Option<u32>)> {
    let delivery = all.deliveries.iter().find(|delivery| delivery.n == n)?.clone();
    let channel = delivery.chat.channel.clone();
    let none = Trace { delivery, path: None, given: Vec::new(), calls: Vec::new(), asked: None };
    let Some(id) = none.delivery.message.clone().filter(|_| none.delivery.forged.is_none()) else {
        return Some((none, None));
    };
    let of_channel = |line: &&Value| line.get("channel").and_then(Value::as_str) == Some(&channel);
    let lines: Vec<Value> = all.lines.iter().filter(of_channel).cloned().collect();
    let given: Vec<Given> =
        all.given.iter().filter(|given| given.channel == channel && given.message == id).cloned().collect();
    let turn = lines.iter().flat_map(turns).rfind(|turn| turn.messages.contains(&id));
    let from = none.delivery.at;
    let until = given.iter().map(|given| given.over_at.unwrap_or(i64::MAX)).max();
    let until = until.max(turn.as_ref().and_then(|turn| turn.posted_at)).unwrap_or(from);
    let place = &none.delivery.reply_key;
    let its_own = |called: &&Called| {
        let within = (from..=until.saturating_add(AFTER)).contains(&called.call.at);
        called.call.channel == channel && within && called.place.as_ref().is_none_or(|at| at == place)
    };
    let calls = all.calls.iter().filter(its_own).cloned().collect();
    let number = turn.map(|turn| turn.number);
    Some((Trace { path: Path::of(&id, &lines), given, calls, ..none }, number))
}

async fn asked(
    store: &Store,
    conversation: &ConversationKey,
    number: u32,
    channel: &str,
    group: bool,
) -> Result<Option<Asked>, store::Error> {
    let Some(turn) = store.turn(conversation, number).await? else { return Ok(None) };
    // A command's answer: no model was asked.
    if turn.model.is_empty() {
        return Ok(None);
    }
    let stored = store.configuration().await?;
    let config = stored.and_then(|stored| Config::tolerant(&stored.json).ok()).unwrap_or_default();
    let persona = who(&config, channel, &turn);
    let assistant = &persona.assistant;
    let (budget, memory) = (assistant.history.tokens, assistant.memory);
    let bytes = usize::try_from(budget).unwrap_or(usize::MAX).saturating_mul(2 * BYTES_PER_TOKEN);
    let head = store.head(conversation).await?;
    // Before a later `/new`, the model saw less than what the head says now, never more.
    let since = head.since.min(number);
    let summary =
        store.summary(conversation).await?.filter(|summary| (since + 1..=number).contains(&summary.upto));
    let from = summary.as_ref().map_or(since, |summary| summary.upto);
    let mut history = store.history(conversation, from, HISTORY_TURNS, bytes, now()).await?;
    history.retain(|earlier| earlier.number < number);
    let newest = turn.messages.last();
    let notes = match newest.filter(|_| memory.notes && !group) {
        Some(newest) => store.notes(Who { channel, account: MAIN, user: &newest.sender }).await?,
        None => Notes::default(),
    };
    let notes = notes.for_prompt(memory.prompt_tokens, model::estimate_tokens);
    let variables = variables(&persona, channel, group, &turn);
    let instructions = fill(prompts::text(&assistant.prompt), &variables);
    let mut lines = prompt::lines(&history, &turn.messages, group, budget, model::estimate_tokens);
    let reminds = |name: &String| config.tool(name).is_some_and(|tool| tool.kind == ToolKind::RemindMe);
    if let (Some(last), true) = (lines.last_mut(), assistant.tools.iter().any(reminds)) {
        last.text.insert_str(0, &fill(prompt::PRESENT, &variables));
    }
    let line = |line: prompt::Line| json!({ "by_assistant": line.by_assistant, "text": line.text });
    Ok(Some(Asked {
        system: prompt::system(&instructions, &notes, summary.as_ref()),
        lines: lines.into_iter().map(line).collect(),
        tools: assistant.tools.clone(),
        called: turn.tools,
        files: turn.files.into_iter().map(|file| file.name).collect(),
        answer: turn.answer,
        model: turn.model,
        input: turn.usage.input,
        output: turn.usage.output,
        usd: turn.cost_micro_usd as f64 / 1e6,
    }))
}

/// Who answered: whoever is configured there, unless somebody else was chosen.
fn who(config: &Config, channel: &str, turn: &Turn) -> Persona {
    let channel = config.channel(channel, MAIN);
    let here = config.persona(&channel, &turn.address.chat, None);
    match turn.assistant.as_str() {
        "" => here,
        name if name == here.name => here,
        name => config.persona(&channel, &turn.address.chat, Some(name)),
    }
}

fn variables<'a>(persona: &'a Persona, channel: &str, group: bool, turn: &'a Turn) -> Variables<'a> {
    let newest = turn.messages.last();
    let text = newest.map_or("", |newest| newest.text.as_str());
    Variables {
        user_name: newest.map_or("", |newest| newest.name.as_str()),
        channel: channels::named(channel).map_or("", |room| room.spec().title),
        group,
        assistant: &persona.name,
        language: language::name(language::of(&persona.assistant, text)),
        zone: persona.assistant.zone.as_deref(),
        now: turn.at,
        ..Variables::default()
    }
}
