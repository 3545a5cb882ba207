//! The webhook of Telegram as a Lambda function.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), ingress::Error> {
    ingress::serve(&telegram::Telegram).await
}
