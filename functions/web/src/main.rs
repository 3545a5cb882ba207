//! The Lambda of the channel `web`: the webhook half as everywhere, and beside it the half that reads the outbox.

// The runtime's future is nested deeper than the default allows.
#![recursion_limit = "256"]

#[path = "main/bucket.rs"]
mod bucket;
#[path = "main/completion.rs"]
mod completion;
#[path = "main/desk.rs"]
mod desk;
#[path = "main/limit.rs"]
mod limit;
#[path = "main/watch.rs"]
mod watch;

use ingress::{Error, aws, door};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    door::init();
    let config = aws::from_env()?;
    // For the life of the process, because answers are written by tasks of their own.
    let desk: &'static desk::Desk = Box::leak(Box::new(desk::Desk {
        door: door::Door::open(&web::Web, &config)?,
        bucket: bucket::Bucket::from_env()?,
        store: store::Store::connect(&config, aws::variable("TABLE")?),
        limit: limit::Limit::default(),
    }));
    door::serve(|knock| desk.answer(knock)).await
}
