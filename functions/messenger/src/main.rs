//! The webhook Lambda of Messenger.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), ingress::Error> {
    ingress::serve(&messenger::Messenger).await
}
