//! What goes on beside an answer: lease and token are renewed, `/stop` and newer messages are seen, the typing sign is shown.

use std::time::Duration;

use channel::{Inbound, Part};
use turn::machine::{LEASE_MS, TICK_MS};

use super::Reply;
use super::stream::Show;
use crate::now;
use crate::run::{Run, Trouble};

/// How the work on an answer ended.
pub(super) enum Ended {
    Done(Reply),
    /// The user stopped it; what was written by then stands.
    Stopped,
    /// The user stopped it at the platform, where the message stays as it is: it says this.
    StoppedThere(String),
    /// Newer messages want to be asked along.
    Interrupted,
    /// The lease is somebody else's.
    Lost,
}

/// What is held meanwhile.
#[derive(Clone, Copy)]
pub(super) struct Hold {
    pub epoch: u64,
    /// When the newest of the messages was kept, Unix milliseconds: a `/stop` before it does not mean it.
    pub kept_at: i64,
    /// HEAD's `rev` as last looked at, where a newer message may interrupt.
    pub looked_at: Option<u64>,
}

impl Run<'_> {
    /// Keeps lease and token, until something ends the answer.
    pub(super) async fn hold(&self, hold: Hold) -> Result<Ended, Trouble> {
        // They were seen to a moment ago.
        let first_tick = tokio::time::Instant::now() + Duration::from_millis(TICK_MS);
        let mut ticks = tokio::time::interval_at(first_tick, Duration::from_millis(TICK_MS));
        loop {
            ticks.tick().await;
            if let Some(end) = self.tick(hold).await? {
                return Ok(end);
            }
        }
    }

    /// Renews lease and token; says so when the question is to end.
    async fn tick(&self, hold: Hold) -> Result<Option<Ended>, Trouble> {
        let until = now() + LEASE_MS;
        let renew = self.services.store.renew(&self.conversation, hold.epoch, until);
        let hide = self.services.queue.hide(self.receipt, turn::machine::TOKEN_S);
        let (renewed, hidden) = tokio::join!(renew, hide);
        hidden?;
        let renewed = renewed?;
        if let store::Renewed::Renewed(_) = renewed {
            self.hold_until(until);
        }
        Ok(match renewed {
            store::Renewed::Fenced => Some(Ended::Lost),
            store::Renewed::Renewed(head)
                if head.cancel == Some(hold.epoch)
                    && (head.cancel_at == 0 || hold.kept_at <= head.cancel_at) =>
            {
                Some(Ended::Stopped)
            }
            store::Renewed::Renewed(head) if head.interrupt > hold.looked_at && hold.looked_at.is_some() => {
                Some(Ended::Interrupted)
            }
            store::Renewed::Renewed(_) => None,
        })
    }

    /// Shows the typing sign for ever. Not with the tick: a platform that is slow to show it must not delay `/stop`.
    pub(super) async fn type_on(&self, newest: &Inbound, show: &Show<'_>) -> Ended {
        let typing = self.steps(&[Part::Typing], &newest.address, "typing", now());
        let mut ticks = tokio::time::interval(Duration::from_millis(TICK_MS));
        loop {
            ticks.tick().await;
            for step in typing.iter().filter(|_| !show.is_streaming()) {
                self.send(&step.clone().optional(), now()).await;
            }
        }
    }
}
