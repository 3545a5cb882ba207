//! What tool servers told, in the table, so that no invocation has to wait for them.

use crate::now;

/// The memory of [`tools::Tools`].
pub struct Remembered(pub store::Store);

#[async_trait::async_trait]
impl tools::Memory for Remembered {
    async fn recall(&self, name: &str) -> Option<String> {
        self.0.tools(name).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "what a tool server told cannot be read, so it is asked");
            None
        })
    }

    async fn keep(&self, name: &str, text: &str) {
        if let Err(error) = self.0.keep_tools(name, text, now()).await {
            tracing::warn!(%error, "what a tool server told is not kept");
        }
    }
}
