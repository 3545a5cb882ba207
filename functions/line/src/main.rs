//! The webhook Lambda of LINE.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), ingress::Error> {
    ingress::serve(&line::Line).await
}
