//! The webhook Lambda of Discord.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), ingress::Error> {
    ingress::serve(&discord::Discord).await
}
