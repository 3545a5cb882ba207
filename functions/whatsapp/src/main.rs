//! The webhook Lambda of WhatsApp.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), ingress::Error> {
    ingress::serve(&whatsapp::WhatsApp).await
}
