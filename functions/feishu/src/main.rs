//! The webhook Lambda of Feishu and Lark.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), ingress::Error> {
    ingress::serve(&feishu::Feishu).await
}
