//! The webhook Lambda of Slack.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), ingress::Error> {
    ingress::serve(&slack::Slack).await
}
