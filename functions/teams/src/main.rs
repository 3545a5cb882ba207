//! The webhook Lambda of Microsoft Teams.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), ingress::Error> {
    ingress::serve(&teams::Teams).await
}
