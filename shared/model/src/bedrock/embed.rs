//! Embeddings by Amazon's Titan models.

use aws_sdk_bedrockruntime::primitives::Blob;
use futures::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};

use super::{client, failure};
use crate::{Clients, Error, ModelConfig};

/// Titan takes one text a call.
const AT_ONCE: usize = 4;

/// One vector for each text.
///
/// <https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html>
pub(crate) async fn embed(
    config: &ModelConfig,
    clients: &Clients,
    texts: &[String],
) -> Result<Vec<Vec<f32>>, Error> {
    let model = config.model_name()?;
    if !model.contains("titan-embed-text") {
        return Err(Error::NotSetUp(format!(
            "on Bedrock `{model}` cannot be used for embeddings: use amazon.titan-embed-text-v2:0"
        )));
    }
    let client = client(config, clients)?;
    let one = async |text: &String| {
        let body = json!({ "inputText": text }).to_string();
        let call =
            client.invoke_model().model_id(model).content_type("application/json").body(Blob::new(body));
        let answer = call.send().await.map_err(|error| failure::unsent(&error))?;
        let read: Option<Value> = serde_json::from_slice(answer.body.as_ref()).ok();
        let vector =
            read.and_then(|mut answer| serde_json::from_value(answer.get_mut("embedding")?.take()).ok());
        vector.ok_or(Error::busy("it answered something unreadable"))
    };
    stream::iter(texts).map(one).buffered(AT_ONCE).try_collect().await
}
