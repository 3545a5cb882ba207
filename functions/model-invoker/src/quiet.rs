//! What a platform says about a failure, fit for logs and dead letters: some platforms quote what they were sent, our
//! text and our token among it.

use channel::{Body, Secrets, Settled, Step, Target};
use serde_json::Value;

/// A stretch of so many characters that was also in the request is taken for a quotation. Shorter ones are words that
/// explanations and messages have in common.
const QUOTED: usize = 8;

/// What stands in place of a quotation.
const HIDDEN: char = '…';

/// The meaning of an answer, its explanation without what the request said and without secrets.
pub fn quiet(settled: Settled, step: &Step, secrets: &Secrets) -> Settled {
    match settled {
        Settled::Broken(why) => Settled::Broken(without_quotations(&why, step, secrets)),
        other => other,
    }
}

fn without_quotations(why: &str, step: &Step, secrets: &Secrets) -> String {
    let mut said: Vec<&str> = secrets.names().filter_map(|name| secrets.get(name)).collect();
    match &step.body {
        Body::Json(value) | Body::JsonWithSecrets { value, .. } => texts(value, &mut said),
        Body::Form(fields) | Body::FormWithSecrets { fields, .. } | Body::Multipart { fields, .. } => {
            said.extend(fields.iter().map(|(_, value)| value.as_str()))
        }
        Body::None => {}
    }
    if let Target::Url(url) = &step.target {
        said.push(url);
    }
    let chars: Vec<char> = why.chars().collect();
    let mut hidden = vec![false; chars.len()];
    for (window, marks) in chars.windows(QUOTED).zip(0..) {
        let stretch: String = window.iter().collect();
        if said.iter().any(|text| text.contains(&stretch)) {
            hidden.iter_mut().skip(marks).take(QUOTED).for_each(|mark| *mark = true);
        }
    }
    let mut out = String::new();
    for (c, hidden) in chars.into_iter().zip(hidden) {
        match hidden {
            false => out.push(c),
            true if out.ends_with(HIDDEN) => {}
            true => out.push(HIDDEN),
        }
    }
    out
}

/// Every text in a body.
fn texts<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::String(text) => found.push(text),
        Value::Array(values) => values.iter().for_each(|value| texts(value, found)),
        Value::Object(fields) => fields.values().for_each(|value| texts(value, found)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(why: &str, expected: &str) {
        let secrets = [("bot_token".to_owned(), "110201543:AAHdqTcvCH1vGW".to_owned())].into_iter().collect();
        let step = Step::json(
            "api",
            "/x",
            json!({"chat_id": 7, "blocks": [{"text": "Your PIN is 4711, Zoë Ångström."}]}),
        );
        let settled = quiet(Settled::Broken(why.to_owned()), &step, &secrets);
        assert_eq!(settled, Settled::Broken(expected.to_owned()));
    }

    #[test]
    fn explanations_stay_and_quotations_go() {
        check("Forbidden: bot was blocked by the user", "Forbidden: bot was blocked by the user");
        check("your text is bad", "your text is bad");
        check("cannot send \"Your PIN is 4711, Zoë\"", "cannot send \"…\"");
        check("no user Zoë Ångström.", "no user…");
        check("bot110201543:AAHdqTcvCH1vGW is unknown", "bot… is unknown");
        check("cut off: 110201543:AAHdq", "cut off: …");
        check("", "");
    }

    #[test]
    fn only_explanations_are_changed() {
        let step = Step::json("api", "/x", json!({"text": "12345678"}));
        let posted = Settled::Posted(Some("12345678".to_owned()));
        assert_eq!(quiet(posted.clone(), &step, &Secrets::default()), posted);
    }
}
