//! The webhook Lambda of Twilio.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), ingress::Error> {
    ingress::serve(&twilio::Twilio).await
}
