//! The webhook Lambda of WeChat.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), ingress::Error> {
    ingress::serve(&wechat::WeChat).await
}
