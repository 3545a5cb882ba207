//! `crabhook trace`: one message's path from webhook to reply, its times and its cost, out of the functions' logs. The logs
//! hold no text, so neither does this.

mod logs;
mod path;

use clap::Args;

use crate::place::Place;
use crate::{Error, Where};
use logs::Logs;
pub use path::Path;

#[derive(Debug, Args)]
pub struct Trace {
    /// The platform's id of the message as the logs have it, or its end behind a colon
    pub id: String,
    /// How far back to look, in days; logs are kept for 14 unless the stack says otherwise
    #[arg(long, default_value_t = 3)]
    pub days: u32,
}

pub async fn run(trace: &Trace, at: &Where) -> Result<(), Error> {
    let place = Place::find(at).await?;
    let logs = Logs::new(&place, trace.days);
    // What the invoker says names the channel, so that one webhook's log is read and not all of them.
    let mut lines = logs.lines("model-invoker", &trace.id).await?;
    let known = lines.iter().find(|line| path::is_about(line, &trace.id));
    let known = known.and_then(|line| line["channel"].as_str().map(str::to_owned));
    let mut channels: Vec<&String> = place.endpoints.channels.keys().collect();
    channels.retain(|channel| known.is_none() || known.as_ref() == Some(channel));
    for channel in channels {
        lines.extend(logs.lines(channel, &trace.id).await?);
    }
    match Path::of(&trace.id, &lines) {
        Some(path) => {
            print!("{path}");
            Ok(())
        }
        None => Err(Error::failed(format!(
            "{}: no log line of the last {} days names the message {}. Lines show up some seconds after they are written; \
             the id is the platform's, as in the field `id` of a webhook's log line; --days looks further back",
            place.title(),
            trace.days,
            trace.id
        ))),
    }
}
