//! The webhook Lambda of Instagram.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), ingress::Error> {
    ingress::serve(&instagram::Instagram).await
}
