//! The webhook Lambda of Mattermost.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), ingress::Error> {
    ingress::serve(&mattermost::Mattermost).await
}
