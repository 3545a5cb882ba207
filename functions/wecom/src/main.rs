//! The webhook Lambda of WeCom.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), ingress::Error> {
    ingress::serve(&wecom::WeCom).await
}
