//! What outlives the process, kept by whoever has a table.

/// Where what servers told outlives the process. Both may fail without a word: then servers are asked.
#[async_trait::async_trait]
pub trait Memory: Send + Sync {
    /// What was kept under that name.
    async fn recall(&self, name: &str) -> Option<String>;

    /// Keeps it, in place of what was kept before.
    async fn keep(&self, name: &str, text: &str);
}
