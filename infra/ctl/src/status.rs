//! `crabhook status`: what waits, what failed, what was answered and refused today.

use turn::access::{Cap, Refusal};
use turn::config::Limits;

use crate::clock::{date, now};
use crate::connect::configuration;
use crate::place::Place;
use crate::{Error, Where};

pub async fn run(at: &Where) -> Result<(), Error> {
    let place = Place::find(at).await?;
    let (store, limits) = (place.store(), configuration(&place).await?.limits);
    let (waiting, failed) = (place.queue().counts().await?, place.dead_letters().counts().await?);
    let day = model_invoker::day(now());
    println!("{}, {}", place.title(), date(now()));
    println!("messages waiting        {:>6}", waiting.waiting);
    println!("being answered, hidden  {:>6}", waiting.hidden);
    let hint = if failed.waiting > 0 { "   crabhook dead list" } else { "" };
    println!("failed messages         {:>6}{hint}", failed.waiting + failed.hidden);
    println!("today ({day}, UTC)");
    println!("  turns                 {}", turns(store.counted("turns", &day).await?, &limits));
    for (scope, title) in counters() {
        let count = store.counted(&scope, &day).await?;
        if count > 0 {
            println!("  {title:<21} {count:>6}");
        }
    }
    println!(
        "people waiting          {:>6}   crabhook people",
        store.people().await?.iter().filter(|p| p.waiting).count()
    );
    Ok(())
}

/// Turns are counted for the caps only.
fn turns(count: u64, limits: &Limits) -> String {
    match (limits.per_stack, limits.per_person, limits.per_minute) {
        (0, 0, 0) => "not counted: there are no caps".to_owned(),
        (0, _, _) => format!("{count:>6}"),
        (cap, _, _) => format!("{count:>6}   of {cap}"),
    }
}

/// Counters that say something only when they are not zero.
fn counters() -> Vec<(String, String)> {
    let refusals = [Refusal::NotAddressed, Refusal::Bot, Refusal::Stranger, Refusal::GroupNotAllowed];
    let caps = [Cap::Minute, Cap::Person, Cap::Stack];
    let mut all = vec![("uncertain".to_owned(), "perhaps posted twice".to_owned())];
    all.extend(refusals.map(|refusal| {
        let name = refusal.name();
        (format!("refused_{name}"), format!("refused: {}", name.replace('_', " ")))
    }));
    all.extend(caps.map(|cap| {
        (cap.name().to_owned(), format!("over a cap: {}", cap.name().trim_start_matches("cap_")))
    }));
    all
}
