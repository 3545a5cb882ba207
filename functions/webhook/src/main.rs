//! The generic webhook as a Lambda function.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), ingress::Error> {
    ingress::serve(&webhook::Webhook).await
}
