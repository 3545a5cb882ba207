//! The webhook Lambda of Matrix.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), ingress::Error> {
    ingress::serve(&matrix::Matrix).await
}
