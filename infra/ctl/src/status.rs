//! `crabhook status`: what waits, what failed, what was answered and refused today.

use turn::access::{Cap, Refusal};

use crate::clock::{date, now};
use crate::connect::configuration;
use crate::place::Place;
use crate::{Error, Where};

pub async fn run(at: &Where) -> Result<(), Error> {
    let place = Place::find(at).await?;
    let (store, config) = (place.store(), configuration(&place).await);
    let (waiting, failed) = (place.queue().counts().await?, place.dead_letters().counts().await?);
    let day = model_invoker::day(now());
    println!("{}, {}", place.title(), date(now()));
    println!("messages waiting        {:>6}", waiting.waiting);
    println!("being answered, hidden  {:>6}", waiting.hidden);
    let hint = if failed.waiting > 0 { "   crabhook dead list" } else { "" };
    println!("failed messages         {:>6}{hint}", failed.waiting + failed.hidden);
    if let Err(error) = &config {
        println!("configuration           {error}; crabhook doctor");
    }
    println!("today ({day}, UTC)");
    let cap = config.map_or(0, |config| config.limits.per_stack);
    println!("  turns                 {}", turns(store.counted("turns", &day).await?, cap));
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

/// Turns are counted for their cap only.
fn turns(count: u64, cap: u32) -> String {
    match cap {
        0 => "not counted: there is no cap".to_owned(),
        cap => format!("{count:>6}   of {cap}"),
    }
}

/// Counters that say something only when they are not zero.
fn counters() -> Vec<(String, String)> {
    let refusals = [Refusal::NotAddressed, Refusal::Bot, Refusal::Stranger, Refusal::GroupNotAllowed];
    let mut all = vec![("uncertain".to_owned(), "posts in doubt".to_owned())];
    all.extend(refusals.map(|refusal| {
        let name = refusal.name();
        (format!("refused_{name}"), format!("refused: {}", name.replace('_', " ")))
    }));
    all.extend(Cap::ALL.map(|cap| {
        let title = cap.name().trim_start_matches("cap_").replace('_', " ");
        (cap.name().to_owned(), format!("over a cap: {title}"))
    }));
    all
}
