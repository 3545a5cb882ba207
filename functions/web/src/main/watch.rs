//! Looking into an outbox until it changes. The table tells nobody, so it is asked again and again.

use std::time::Duration;

use store::{Error, Store};
use web::View;

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(500);

/// The outbox of one conversation.
pub struct Watch {
    pub store: Store,
    pub partition: String,
    /// The first key that matters.
    pub from: String,
}

impl Watch {
    /// The outbox as it is.
    ///
    /// # Errors
    /// The table did not answer.
    pub async fn look(&self) -> Result<View, Error> {
        self.store.outbox(&self.partition, &self.from, ingress::now()).await.map(View::of)
    }

    /// The outbox as soon as its state is another one; as it is at `until`, Unix milliseconds. A table that is busy is asked
    /// again.
    ///
    /// # Errors
    /// The table refused, or did not answer until the end.
    pub async fn change(&self, state: &str, until: i64) -> Result<View, Error> {
        loop {
            let seen = self.look().await;
            let is_over = ingress::now() >= until;
            match seen {
                Ok(view) if is_over || view.state() != state => return Ok(view),
                Err(error) if is_over || !error.is_transient() => return Err(error),
                _ => tokio::time::sleep(PAUSE).await,
            }
        }
    }
}
