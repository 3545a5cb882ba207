//! `crabhook usage`: answers, tokens and money, by whom or by what.

use std::collections::BTreeMap;

use clap::{Args, ValueEnum};
use store::{UsageLine, UsedBy};
use turn::calendar;
use turn::spend::{Used, dollars};

use crate::clock::now;
use crate::place::Place;
use crate::{Error, Where};

#[derive(Debug, Args)]
pub struct Usage {
    /// The whole month, this one unless another is named (2026-10), in place of today (UTC)
    #[arg(long, value_name = "YYYY-MM")]
    pub month: Option<Option<String>>,
    /// What each line is about
    #[arg(long, value_enum, default_value = "user")]
    pub by: By,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum By {
    User,
    Conversation,
    Assistant,
    Model,
}

pub async fn run(usage: &Usage, at: &Where) -> Result<(), Error> {
    let (month, day) = match &usage.month {
        None => (calendar::month(now()), Some(calendar::day(now()))),
        Some(None) => (calendar::month(now()), None),
        Some(Some(month)) if is_month(month) => (month.clone(), None),
        Some(Some(other)) => {
            return Err(Error::usage(format!("{other:?} is no month; write one like 2026-10")));
        }
    };
    let place = Place::find(at).await?;
    let store = place.store();
    let mut lines = store.usage(&month, None, now()).await?;
    lines.retain(|line| day.as_ref().is_none_or(|day| line.day == *day));
    let names: BTreeMap<(String, String, String), String> = match usage.by {
        By::User => {
            let people = store.people().await?.into_iter();
            people.map(|person| ((person.channel, person.account, person.user), person.name)).collect()
        }
        _ => BTreeMap::new(),
    };
    let whose = |by: &UsedBy| match usage.by {
        By::User => {
            let key = (by.channel.clone(), by.account.clone(), by.user.clone());
            let name = names.get(&key).map_or("", String::as_str);
            format!("{} {} {} {name}", by.channel, by.account, by.user).trim_end().to_owned()
        }
        By::Conversation => format!("{} {} {}", by.channel, by.account, by.conversation),
        By::Assistant => by.assistant.clone(),
        By::Model => by.model.clone(),
    };
    print!("{}", table(&place.title(), day.as_ref().unwrap_or(&month), &lines, whose));
    Ok(())
}

fn is_month(text: &str) -> bool {
    let digits =
        |text: &str, count: usize| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    text.split_once('-').is_some_and(|(year, month)| digits(year, 4) && digits(month, 2))
}

/// The sum, then a line each, the dearest first.
fn table(title: &str, period: &str, lines: &[UsageLine], whose: impl Fn(&UsedBy) -> String) -> String {
    let mut all = Used::default();
    let mut each: BTreeMap<String, Used> = BTreeMap::new();
    for line in lines {
        all += line.used;
        *each.entry(whose(&line.by)).or_default() += line.used;
    }
    let mut each: Vec<(String, Used)> = each.into_iter().collect();
    each.sort_by_key(|(_, used)| std::cmp::Reverse((used.micro_usd, used.input + used.output)));
    let width = each.iter().map(|(whose, _)| whose.chars().count()).max().unwrap_or(0);
    let mut text = format!("{title}, {period}: {}\n", told(all));
    for (whose, used) in each {
        text.push_str(&format!("  {whose:<width$}  {}\n", told(used)));
    }
    text
}

fn told(used: Used) -> String {
    let Used { turns, input, output, cached, micro_usd } = used;
    format!(
        "{turns} answers, {input} tokens read ({cached} of them cached), {output} written, about {}",
        dollars(micro_usd)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usage_is_summed_up_the_dearest_first() {
        let line = |user: &str, model: &str, day: &str, micro_usd: u64| UsageLine {
            by: UsedBy {
                channel: "telegram".into(),
                user: user.into(),
                model: model.into(),
                ..UsedBy::default()
            },
            day: day.into(),
            used: Used { turns: 1, input: 100, output: 10, cached: 40, micro_usd },
        };
        let lines = [
            line("7", "fast", "2026-11-20", 1_000),
            line("8", "deep", "2026-11-21", 2_500_000),
            line("7", "deep", "2026-11-21", 1_000),
        ];
        assert_eq!(
            table("prod", "2026-11", &lines, |by| by.model.clone()),
            "prod, 2026-11: 3 answers, 300 tokens read (120 of them cached), 30 written, about $2.50\n  \
               deep  2 answers, 200 tokens read (80 of them cached), 20 written, about $2.50\n  \
               fast  1 answers, 100 tokens read (40 of them cached), 10 written, about $0.0010\n"
        );
        let nothing = "prod, 2026-11: 0 answers, 0 tokens read (0 of them cached), 0 written, about $0.00\n";
        assert_eq!(table("prod", "2026-11", &[], |by| by.user.clone()), nothing);
    }

    #[test]
    fn months_are_written_with_digits() {
        assert!(is_month("2026-11"));
        for text in ["2026-1", "26-11", "2026", "2026-11-21", "2026-1a", ""] {
            assert!(!is_month(text), "{text}");
        }
    }
}
