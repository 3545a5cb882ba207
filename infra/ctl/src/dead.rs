//! `crabhook dead`: the messages that could not be answered, and what to do with them.

use std::collections::BTreeSet;

use clap::{Args, Subcommand};
use queue::{DeadLetter, Queue, Received};

use crate::clock::date;
use crate::place::Place;
use crate::{Error, Where};

/// How long letters are hidden from others while they are looked at, seconds.
const LOOK_S: u32 = 30;
/// Nobody reads more at a time.
const MOST: usize = 500;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// One line for each failed message
    List,
    /// Everything about a failed message, what was said included
    Show {
        /// The message's id, or how it begins
        id: String,
    },
    /// Give failed messages to the assistant once more
    Redrive(Which),
    /// Throw failed messages away
    Drop(Which),
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct Which {
    /// Ids, or how they begin
    pub ids: Vec<String>,
    #[arg(long)]
    pub all: bool,
}

/// A letter and the message that it came in.
struct Letter {
    message: Received,
    letter: DeadLetter,
}

pub async fn run(command: Command, at: &Where) -> Result<(), Error> {
    let place = Place::find(at).await?;
    let dead = place.dead_letters();
    let letters = take(&dead).await?;
    let done = match &command {
        Command::List => {
            list(&letters);
            Ok(BTreeSet::new())
        }
        Command::Show { id } => show(&letters, id).map(|()| BTreeSet::new()),
        Command::Redrive(which) => redrive(&place.queue(), &dead, &letters, which).await,
        Command::Drop(which) => discard(&dead, &letters, which).await,
    };
    // What stays shows again at once, also where something went wrong.
    let gone = done.as_ref().cloned().unwrap_or_default();
    for letter in letters.iter().filter(|letter| !gone.contains(&letter.message.id)) {
        // Hidden no longer than LOOK_S where this fails, or where it is gone.
        let _ = dead.hide(&letter.message.receipt, 0).await;
    }
    done.map(|_| ())
}

/// Receives every letter, hidden from others for a while.
async fn take(dead: &Queue) -> Result<Vec<Letter>, Error> {
    let mut letters: Vec<Letter> = Vec::new();
    let mut seen = BTreeSet::new();
    while letters.len() < MOST {
        let batch = dead.receive(LOOK_S).await?;
        if batch.is_empty() {
            break;
        }
        for message in batch.into_iter().filter(|message| seen.insert(message.id.clone())) {
            let letter = DeadLetter::parse(&message.body, message.sent_at);
            letters.push(Letter { message, letter });
        }
    }
    letters.sort_by_key(|letter| letter.letter.at);
    Ok(letters)
}

fn list(letters: &[Letter]) {
    if letters.is_empty() {
        println!("no failed messages");
    }
    for Letter { message, letter } in letters {
        let id: String = message.id.chars().take(8).collect();
        let what = match (&letter.inbound, &letter.turn) {
            (Some(_), _) => "not answered",
            (None, Some(_)) => "answer not posted",
            (None, None) => "unreadable",
        };
        println!(
            "{id}  {}  {:<10} {:<8} {what}: {}",
            date(letter.at),
            letter.channel,
            letter.account,
            letter.reason
        );
    }
}

fn show(letters: &[Letter], id: &str) -> Result<(), Error> {
    for Letter { message, letter } in chosen(letters, &Which { ids: vec![id.to_owned()], all: false })? {
        let json = serde_json::to_string_pretty(letter).map_err(|error| Error::failed(error.to_string()))?;
        println!("{}\n{json}", message.id);
    }
    Ok(())
}

async fn redrive(
    queue: &Queue,
    dead: &Queue,
    letters: &[Letter],
    which: &Which,
) -> Result<BTreeSet<String>, Error> {
    let mut done = BTreeSet::new();
    for Letter { message, letter } in chosen(letters, which)? {
        let id: String = message.id.chars().take(8).collect();
        let Some((body, conversation)) = letter.job() else {
            println!("{id}  nothing to try again ({}); crabhook dead show {id}", letter.reason);
            continue;
        };
        queue.resend(&body, &conversation).await?;
        dead.delete(&message.receipt).await?;
        done.insert(message.id.clone());
        println!("{id}  on its way again");
    }
    Ok(done)
}

async fn discard(dead: &Queue, letters: &[Letter], which: &Which) -> Result<BTreeSet<String>, Error> {
    let mut done = BTreeSet::new();
    for Letter { message, .. } in chosen(letters, which)? {
        dead.delete(&message.receipt).await?;
        done.insert(message.id.clone());
    }
    println!("{} thrown away", done.len());
    Ok(done)
}

/// The letters meant, each id naming exactly one.
fn chosen<'a>(letters: &'a [Letter], which: &Which) -> Result<Vec<&'a Letter>, Error> {
    if which.all {
        return Ok(letters.iter().collect());
    }
    let mut chosen = Vec::new();
    for id in &which.ids {
        let mut found = letters.iter().filter(|letter| letter.message.id.starts_with(id.as_str()));
        match (found.next(), found.next()) {
            (Some(letter), None) => chosen.push(letter),
            (Some(_), Some(_)) => {
                return Err(Error::usage(format!("{id} is the beginning of several: write more of it")));
            }
            (None, _) => {
                let text = format!(
                    "no failed message {id}: crabhook dead list (one that is looked at elsewhere shows again within {LOOK_S} s)"
                );
                return Err(Error::failed(text));
            }
        }
    }
    Ok(chosen)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(id: &str) -> Letter {
        let message = Received { id: id.into(), receipt: String::new(), body: "x".into(), sent_at: 0 };
        Letter { letter: DeadLetter::parse(&message.body, 0), message }
    }

    #[test]
    fn an_id_names_exactly_one() {
        let letters = [letter("abc1"), letter("abd2")];
        let which = |ids: &[&str], all| Which { ids: ids.iter().map(ToString::to_string).collect(), all };
        let ids = |which: &Which| {
            chosen(&letters, which)
                .map(|all| all.iter().map(|one| one.message.id.clone()).collect::<Vec<_>>())
        };
        assert_eq!(ids(&which(&["abd", "abc1"], false)).unwrap(), ["abd2", "abc1"]);
        assert_eq!(ids(&which(&[], true)).unwrap().len(), 2);
        assert!(ids(&which(&["ab"], false)).unwrap_err().to_string().contains("several"));
        assert!(ids(&which(&["x"], false)).unwrap_err().to_string().contains("no failed message"));
    }
}
