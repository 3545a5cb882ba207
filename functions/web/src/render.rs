//! From an answer to items in the outbox: one conditional put for each part.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_PutItem.html>

use channel::markdown::{CommonMark, Plain, render};
use channel::{Address, Auth, Body, Choice, Fetch, Media, Part, Post, PostContext, Step, Target, Way};
use serde_json::{Value, json};

use crate::outbox::{PROGRAMS, REFUSED, SIGN, key, partition};
use crate::parse::{AT, TO};
use crate::spec::SPEC;
use crate::verbatim;

/// The shape of the items as written today.
const VERSION: u32 = 1;
/// A reply is kept for so long, seconds.
const KEPT_S: i64 = 30 * 86_400;
/// What is being written is of no use later, seconds.
const SIGN_KEPT_S: i64 = 3_600;

/// A part of a reply before it is numbered.
#[derive(Default)]
pub struct Line {
    pub text: String,
    pub choices: Vec<Choice>,
    /// A file, which the text links to.
    pub media: Option<Media>,
    /// What a program is told beside the words.
    pub told: Option<verbatim::Told>,
}

pub fn post(parts: &[Part], to: &Address, ctx: &PostContext<'_>) -> Post {
    let mut steps: Vec<Step> = parts.iter().filter_map(|part| sign(part, to, ctx)).collect();
    let lines: Vec<Line> = match to.chat.starts_with(PROGRAMS) {
        true => verbatim::lines(parts),
        false => parts.iter().flat_map(|part| lines(part, ctx)).collect(),
    };
    let of = lines.len();
    steps.extend(lines.into_iter().enumerate().map(|(part, line)| reply(line, part, of, to, ctx)));
    Post { steps }
}

/// What is being written, or that nothing will be: one item, each time in place of the one before. Nobody is told when it is
/// lost.
fn sign(part: &Part, to: &Address, ctx: &PostContext<'_>) -> Option<Step> {
    let (text, kind) = match part {
        Part::Typing => ("", "writing"),
        Part::Draft { text, .. } => (text.as_str(), "writing"),
        Part::Dismiss => ("", REFUSED),
        _ => return None,
    };
    let text = match to.chat.starts_with(PROGRAMS) {
        true => verbatim::beginning(text).to_owned(),
        false => channel::text::cut(text.to_owned(), SPEC.text.max),
    };
    let at = asked_at(to);
    let item = json!({
        "pk": {"S": partition(&to.account, &to.chat)},
        "sk": {"S": SIGN},
        "v": {"N": VERSION.to_string()},
        "at": {"N": at.to_string()},
        "text": {"S": text},
        "kind": {"S": kind},
        "ttl": {"N": (ctx.now.div_euclid(1_000) + SIGN_KEPT_S).to_string()},
    });
    // The sign alone takes nothing away of what is written so far.
    let first = json!({
        "ConditionExpression": "attribute_not_exists(pk) OR #at < :at",
        "ExpressionAttributeNames": {"#at": "at"},
        "ExpressionAttributeValues": {":at": {"N": at.to_string()}},
    });
    Some(put(item, if *part == Part::Typing { first } else { Value::Null }).optional())
}

fn lines(part: &Part, ctx: &PostContext<'_>) -> Vec<Line> {
    let (text, choices, media) = match part {
        Part::Buttons { text, choices } => (text.as_str().into(), choices.clone(), None),
        Part::Media(media) => (part.as_text().unwrap_or_default(), Vec::new(), Some(media.clone())),
        other => match other.as_text() {
            Some(text) => (text, Vec::new(), None),
            None => return Vec::new(),
        },
    };
    let texts =
        if ctx.plain { render(&text, &Plain, SPEC.text) } else { render(&text, &CommonMark, SPEC.text) };
    let mut lines: Vec<Line> = texts.into_iter().map(|text| Line { text, ..Line::default() }).collect();
    if lines.is_empty() && !choices.is_empty() {
        lines.push(Line { text: "…".to_owned(), ..Line::default() });
    }
    if let Some(last) = lines.last_mut() {
        (last.choices, last.media) = (choices, media);
    }
    lines
}

fn reply(line: Line, part: usize, of: usize, to: &Address, ctx: &PostContext<'_>) -> Step {
    // What comes of its own accord answers nothing: it stands where it comes.
    let at = if ctx.way == Way::Push { ctx.now } else { asked_at(to) };
    let format = match line.told {
        Some(_) => verbatim::FORMAT,
        None if ctx.plain => "text",
        None => "markdown",
    };
    let mut item = json!({
        "pk": {"S": partition(&to.account, &to.chat)},
        "sk": {"S": key(at, part, &ctx.part_key(part))},
        "v": {"N": VERSION.to_string()},
        "at": {"N": at.to_string()},
        "part": {"N": part.to_string()},
        "of": {"N": of.to_string()},
        "text": {"S": line.text},
        "format": {"S": format},
        "ttl": {"N": (ctx.now.div_euclid(1_000) + KEPT_S).to_string()},
    });
    if let Value::Object(fields) = &mut item {
        let question = to.data.get(TO).map(|id| ("to".to_owned(), json!({"S": id})));
        fields.extend(question);
        let choices = (!line.choices.is_empty()).then(|| json!(line.choices).to_string());
        fields.extend(choices.map(|choices| ("choices".to_owned(), json!({"S": choices}))));
        let media = line.media.map(|media| json!(media).to_string());
        fields.extend(media.map(|media| ("media".to_owned(), json!({"S": media}))));
        let told = line.told.and_then(|told| serde_json::to_string(&told).ok());
        fields.extend(told.map(|told| ("told".to_owned(), json!({"S": told}))));
    }
    put(item, json!({"ConditionExpression": "attribute_not_exists(pk)"})).repeatable()
}

/// Which table it is, only the invoker knows.
fn put(item: Value, condition: Value) -> Step {
    let mut value = json!({"TableName": null, "Item": item});
    if let (Value::Object(fields), Value::Object(condition)) = (&mut value, condition) {
        fields.extend(condition);
    }
    let target = Target::Base { base: "table".to_owned(), path: "/".to_owned() };
    let fill = vec![("/TableName".to_owned(), "aws:table".to_owned())];
    Step::new("POST", target, Body::JsonWithSecrets { value, fill })
        .header("x-amz-target", "DynamoDB_20120810.PutItem")
        .header("content-type", "application/x-amz-json-1.0")
        .auth(Auth::SigV4("dynamodb".to_owned()))
}

/// When the question was written, Unix milliseconds: the same however often its reply is planned.
fn asked_at(to: &Address) -> i64 {
    to.data.get(AT).and_then(|at| at.parse().ok()).unwrap_or(0)
}

/// An attachment, where the page or the program said it lies.
pub fn fetch(what: &Fetch) -> Post {
    Post { steps: vec![Step::new("GET", Target::Url(what.id.clone()), Body::None)] }
}
