//! The Lambda that mail comes through.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), ingress::Error> {
    ingress::serve(&email::Email).await
}
