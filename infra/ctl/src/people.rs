//! `crabhook people`: who wrote, who waits to be let in, the operator's decision, and what is remembered of somebody.

use clap::{Args, Subcommand};
use store::{Person, Who};
use turn::access::Role;

use crate::clock::{date, now};
use crate::place::Place;
use crate::{Error, Where, send};

#[derive(Debug, Args)]
pub struct People {
    #[command(subcommand)]
    pub decision: Option<Decision>,
}

#[derive(Debug, Subcommand)]
pub enum Decision {
    /// Let somebody talk to the assistant, under `access: pairing`
    Allow(Somebody),
    /// Take back what somebody was allowed, or turn somebody who waits away
    Block(Somebody),
    /// Make somebody an owner
    Owner(Somebody),
    /// Show what the assistant remembers of somebody
    Notes(Somebody),
    /// Make the assistant forget what it remembers of somebody
    Forget {
        #[command(flatten)]
        somebody: Somebody,
        /// Only this note, by its number
        #[arg(long)]
        note: Option<u32>,
    },
    /// Take away everything that is kept of somebody: what they said and were answered, notes, usage, files
    Erase {
        #[command(flatten)]
        somebody: Somebody,
        /// Do it; without it, only say what there is
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Debug, Args)]
pub struct Somebody {
    pub channel: String,
    /// The platform's id of the person, as `crabhook people` shows it
    pub user: String,
    #[arg(long, default_value = "main")]
    pub account: String,
}

pub async fn run(people: People, at: &Where) -> Result<(), Error> {
    let (somebody, role) = match people.decision {
        None => return list(&Place::find(at).await?).await,
        Some(Decision::Allow(somebody)) => (somebody, Role::Allowed),
        Some(Decision::Block(somebody)) => (somebody, Role::Stranger),
        Some(Decision::Owner(somebody)) => (somebody, Role::Owner),
        Some(Decision::Notes(somebody)) => return notes(&somebody, at).await,
        Some(Decision::Forget { somebody, note }) => return forget(&somebody, note, at).await,
        Some(Decision::Erase { somebody, yes }) => return erase(&somebody, yes, at).await,
    };
    let Somebody { channel, user, account } = somebody;
    send::room(&channel)?;
    let store = Place::find(at).await?.store();
    let known = store.person(&channel, &account, &user).await?;
    let name = known.map(|person| person.name).unwrap_or_default();
    store.set_role(Who { channel: &channel, account: &account, user: &user }, role, now()).await?;
    println!("{}: {}", format!("{channel} {account} {user} {name}").trim_end(), title(role));
    Ok(())
}

async fn notes(somebody: &Somebody, at: &Where) -> Result<(), Error> {
    let Somebody { channel, user, account } = somebody;
    send::room(channel)?;
    let notes = Place::find(at).await?.store().notes(Who { channel, account, user }).await?;
    if notes.notes.is_empty() {
        println!("{channel} {account} {user}: nothing is remembered");
    }
    for note in notes.notes {
        println!("{:>4}  {}  {}", note.id, date(note.at), note.text);
    }
    Ok(())
}

async fn forget(somebody: &Somebody, note: Option<u32>, at: &Where) -> Result<(), Error> {
    let Somebody { channel, user, account } = somebody;
    send::room(channel)?;
    let (store, who) = (Place::find(at).await?.store(), Who { channel, account, user });
    match note {
        Some(note) if !store.remove_note(who, note).await? => {
            return Err(Error::failed(format!(
                "there is no note {note}; crabhook people notes {channel} {user} shows them"
            )));
        }
        Some(note) => println!("{channel} {account} {user}: note {note} is forgotten"),
        None => {
            store.clear_notes(who).await?;
            println!("{channel} {account} {user}: nothing is remembered any more");
        }
    }
    Ok(())
}

async fn erase(somebody: &Somebody, yes: bool, at: &Where) -> Result<(), Error> {
    let Somebody { channel, user, account } = somebody;
    send::room(channel)?;
    let place = Place::find(at).await?;
    let store = place.store();
    let who = Who { channel, account, user };
    let traces = store.traces(who).await?;
    let reminders = store.reminders(who).await?.open(now()).len();
    let found = format!(
        "{} messages in {} conversations, {} lines of usage, {} files, {reminders} reminders, profile and notes",
        traces.turns,
        traces.conversations,
        traces.usage,
        traces.files.len()
    );
    if !yes {
        println!("{channel} {account} {user}: {found}");
        println!(
            "Everything is taken away with --yes, for good; in groups with the answers that others read, too."
        );
        return Ok(());
    }
    // The table names the files: they go first.
    place.remove_files(&traces.files).await?;
    store.erase(&traces).await?;
    // Their schedules know them still: what comes of one that is cancelled is dropped.
    store.change_reminders(who, now(), |all| all.cancel_all(now())).await?;
    println!("{channel} {account} {user}: taken away: {found}");
    println!("Failed messages (crabhook dead list) and what the platform keeps are not touched.");
    Ok(())
}

async fn list(place: &Place) -> Result<(), Error> {
    let mut people = place.store().people().await?;
    if people.is_empty() {
        println!("{}: nobody yet; crabhook claim makes you the owner", place.title());
    }
    people.sort_by_key(|person| (!person.waiting, rank(person), -person.first_seen));
    for Person { channel, account, user, name, role, waiting, first_seen, .. } in people {
        let state = if waiting { "WAITS" } else { title(role) };
        println!("{state:<8} {channel:<10} {account:<10} {user:<24} {name:<24} since {}", date(first_seen));
    }
    Ok(())
}

fn title(role: Role) -> &'static str {
    match role {
        Role::Owner => "owner",
        Role::Allowed => "allowed",
        Role::Stranger => "stranger",
    }
}

fn rank(person: &Person) -> u8 {
    match person.role {
        Role::Owner => 0,
        Role::Allowed => 1,
        Role::Stranger => 2,
    }
}
