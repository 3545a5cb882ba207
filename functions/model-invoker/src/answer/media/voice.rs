//! Voice messages as text. Listening is a call of a model like any other: reserved before, settled after it.

use model::Transcript;
use turn::Usage;
use turn::spend::{Amount, SpendCap};

use super::{Read, kind, unread};
use crate::answer::Question;
use crate::answer::tally::Tally;
use crate::run::Run;

impl Run<'_> {
    /// It with its voices as text. The cap that has no room for them, where one has none.
    pub(super) async fn heard_in(
        &self,
        read: Read,
        question: &Question<'_>,
        epoch: u64,
        tally: &Tally,
    ) -> Result<Result<Read, SpendCap>, store::Error> {
        Ok(Ok(match read {
            Read::Voice(audio, media_type) => {
                return self.hear(&audio, &media_type, question, epoch, tally).await;
            }
            Read::Several(each) => {
                let mut heard = Vec::new();
                for (name, read) in each {
                    match Box::pin(self.heard_in(read, question, epoch, tally)).await? {
                        Ok(read) => heard.push((name, read)),
                        Err(cap) => return Ok(Err(cap)),
                    }
                }
                Read::Several(heard)
            }
            other => other,
        }))
    }

    async fn hear(
        &self,
        audio: &[u8],
        media_type: &str,
        question: &Question<'_>,
        epoch: u64,
        tally: &Tally,
    ) -> Result<Result<Read, SpendCap>, store::Error> {
        let config = &self.place.config;
        let named = question.persona.assistant.transcribe.as_ref();
        let Some((name, entry)) = named.and_then(|name| config.models.get_key_value(name)) else {
            return Ok(Ok(unread("voice messages cannot be heard here, please write")));
        };
        let (price, seconds) = (config.price(name), kind::seconds(audio));
        let about = voice_usage(seconds);
        let most = Amount::heard(&about, seconds, price.as_ref());
        if let Err(cap) = self.reserve_for(question, epoch, most, most, tally).await? {
            return Ok(Err(cap));
        }
        tally.listening(about, most);
        let heard = match self.services.keys().model(entry).await {
            Ok(model) => model::transcribe(&model, &self.services.models.clients, audio, media_type).await,
            Err(error) => Err(error),
        };
        Ok(Ok(match heard {
            Ok(Transcript { text, usage, seconds: counted }) => {
                let usage = Usage { input: usage.input, output: usage.output, ..Usage::default() };
                tally.heard(usage, Amount::heard(&usage, counted.unwrap_or(seconds), price.as_ref()));
                if text.is_empty() { unread("nothing is said in it") } else { Read::Heard(text) }
            }
            Err(error) => {
                tally.heard(Usage::default(), Amount::default());
                tracing::warn!(conversation = %self.conversation, %error, "a voice message cannot be heard");
                unread("voice messages cannot be heard at the moment, please write")
            }
        }))
    }
}

/// What listening for so long takes at most, where the provider counts tokens: Gemini takes 32 a second of sound
/// (<https://ai.google.dev/gemini-api/docs/audio>), the most of all; fast speakers say less than 8 a second.
fn voice_usage(seconds: f64) -> Usage {
    Usage { input: (seconds * 32.0).ceil() as u32, output: (seconds * 8.0).ceil() as u32, ..Usage::default() }
}
