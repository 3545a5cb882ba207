//! The webhook Lambda of Viber.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), ingress::Error> {
    ingress::serve(&viber::Viber).await
}
