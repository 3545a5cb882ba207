//! The webhook Lambda of Google Chat.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), ingress::Error> {
    ingress::serve(&googlechat::GoogleChat).await
}
