//! What people send along: fetched from their platform and made into something that a model can read. Pictures are shown to
//! it, voice messages and documents become text; of what cannot be read it is told why, and people are told where there is
//! nothing else to answer.
//!
//! What is too long for the history, and every picture, is kept in the stack's bucket for a while: the model sees it again
//! while the talk is still about it.

mod kind;
mod voice;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use channel::{Attachment, File, Inbound, MAX_PICTURE, MAX_SIDE, Settled};
use model::Image;
use tools::pdf;
use turn::{Kept, Spoken, Turn, Waiting};

use super::tally::Tally;
use super::{Question, Reply};
use crate::now;
use crate::outgoing::MAX_FILE;
use crate::run::Run;
use kind::Kind;

/// More files of one question are named only.
const MOST_FILES: usize = 8;
/// Largest picture that is shown to a model, bytes.
const MAX_IMAGE: usize = MAX_PICTURE as usize;
/// How long a file is waited for that its platform does not hand over yet, how long at most, and how often.
const WAIT: Duration = Duration::from_secs(1);
const MOST_WAIT: Duration = Duration::from_secs(5);
const MOST_WAITS: usize = 3;
/// Text of a document that the model gets, bytes.
const MAX_TEXT: usize = 48 << 10;
/// What of it stays in the history itself, bytes.
pub(super) const IN_HISTORY: usize = 2 << 10;
/// Turns after which the model no longer sees a file again, and how many it sees at most.
const RECALLED_TURNS: usize = 4;
const RECALLED_FILES: usize = 3;

/// What came of the files of this invocation's messages, by what they are fetched by.
#[derive(Default)]
pub(crate) struct Files(Mutex<HashMap<String, Read>>);

/// What came of a file. The key is that of the bucket, where it is kept.
#[derive(Clone)]
enum Read {
    Image(Arc<Image>, Option<String>),
    /// Nobody has listened to it yet: its bytes and its type.
    Voice(Arc<[u8]>, String),
    Heard(String),
    Text(Arc<str>, Option<String>),
    /// Why not, as the end of a sentence about it.
    Unread(String),
    /// It holds several, by name.
    Several(Vec<(String, Read)>),
}

/// What was sent earlier, as the model sees it again.
#[derive(Default)]
pub(super) struct Recalled {
    pub text: String,
    pub images: Vec<Image>,
}

impl Files {
    fn get(&self, attachment: &Attachment) -> Option<Read> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&attachment.fetch.id).cloned()
    }

    fn put(&self, attachment: &Attachment, read: Read) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(attachment.fetch.id.clone(), read);
    }
}

impl Run<'_> {
    /// Reads what came with the messages. What is said instead of an answer, where there was nothing else and none of it can
    /// be read, or where there is no room under a cap to listen to it.
    pub(super) async fn read_files(
        &self,
        question: &Question<'_>,
        epoch: u64,
        tally: &Tally,
    ) -> Result<Option<Reply>, store::Error> {
        let of = |waiting: &&Waiting| waiting.inbound.attachments.clone();
        let all: Vec<Attachment> = question.waiting.iter().rev().flat_map(of).collect();
        for (n, attachment) in all.iter().enumerate() {
            if self.files.get(attachment).is_none() {
                let read = match n {
                    _ if question.careful => {
                        unread("it is left out, because an earlier try may have failed over it")
                    }
                    MOST_FILES.. => unread("there are too many files at once"),
                    _ => self.read_file(attachment).await,
                };
                match self.heard_in(read, question, epoch, tally).await? {
                    Ok(read) => self.files.put(attachment, read),
                    Err(cap) => return Ok(Some(self.refused_by(question, cap).await?)),
                }
            }
        }
        Ok(self.nothing_read(question, &all))
    }

    /// Why nothing of it can be read, where nothing else was said.
    fn nothing_read(&self, question: &Question<'_>, all: &[Attachment]) -> Option<Reply> {
        let silent = question.waiting.iter().all(|waiting| waiting.inbound.text().trim().is_empty());
        let read: Vec<Read> =
            all.iter().map(|attachment| self.files.get(attachment)).collect::<Option<_>>()?;
        let why = read.iter().flat_map(|read| read.each("")).map(|(_, read)| match read {
            Read::Unread(why) => Some(why.clone()),
            _ => None,
        });
        let why: Vec<String> = why.collect::<Option<_>>()?;
        let why = why.first().filter(|_| silent)?;
        Some(Reply::Notice(format!("Sorry, I cannot read what you sent: {why}.")))
    }

    /// A message as history and prompt hold it, its files as text where that is what they are.
    pub(crate) fn spoken(&self, inbound: &Inbound, whole: bool) -> Spoken {
        let mut spoken = super::spoken(inbound);
        let names = inbound.attachments.iter().map(|attachment| (attachment, self.files.get(attachment)));
        for (attachment, read) in names.filter_map(|(attachment, read)| Some((attachment, read?))) {
            let named = format!("[file: {}]", attachment.name);
            let told = read.told(&attachment.name, whole);
            spoken.text = spoken.text.replacen(&named, &told, 1);
            // A mail without files.
            if told.is_empty() {
                spoken.text.truncate(spoken.text.trim_end().len());
            }
        }
        spoken
    }

    /// The pictures that came with the messages, oldest first.
    pub(super) fn images(&self, question: &Question<'_>) -> Vec<Image> {
        let all = question.waiting.iter().flat_map(|waiting| &waiting.inbound.attachments);
        let read: Vec<Read> = all.filter_map(|attachment| self.files.get(attachment)).collect();
        read.iter()
            .flat_map(|read| read.each(""))
            .filter_map(|(_, read)| match read {
                Read::Image(image, _) => Some((**image).clone()),
                _ => None,
            })
            .collect()
    }

    /// What of a message's files is in the bucket.
    pub(crate) fn kept_of(&self, inbound: &Inbound) -> Vec<Kept> {
        let read: Vec<(&str, Read)> = inbound
            .attachments
            .iter()
            .filter_map(|attachment| Some((attachment.name.as_str(), self.files.get(attachment)?)))
            .collect();
        read.iter()
            .flat_map(|(name, read)| read.each(name))
            .filter_map(|(name, read)| {
                let (key, media_type) = match read {
                    Read::Image(image, key) => (key.clone()?, image.media_type.clone()),
                    Read::Text(_, key) => (key.clone()?, "text/plain".to_owned()),
                    Read::Voice(..) | Read::Heard(_) | Read::Unread(_) | Read::Several(_) => return None,
                };
                Some(Kept { name: name.to_owned(), media_type, key })
            })
            .collect()
    }

    /// What earlier turns brought along and the talk may still be about: texts, and pictures. `again` is what `/retry` is about,
    /// `history` comes newest first.
    pub(super) async fn recalled(&self, again: &[&Kept], history: &[Turn]) -> Recalled {
        let mut recalled = Recalled::default();
        let recent = history.iter().filter(|turn| turn.history && !turn.undone).take(RECALLED_TURNS);
        let files = again.iter().copied().chain(recent.flat_map(|turn| &turn.files));
        for kept in files.take(RECALLED_FILES.max(again.len())) {
            let read = self.services.tools.kept_file(&kept.key, MAX_IMAGE).await;
            match read {
                Ok(Some(bytes)) if kept.media_type.starts_with("image/") => {
                    recalled.text.push_str(&format!("[image sent earlier: {}]\n", kept.name));
                    recalled.images.push(Image { media_type: kept.media_type.clone(), bytes });
                }
                Ok(Some(bytes)) => {
                    recalled.text.push_str(&block(&kept.name, &String::from_utf8_lossy(&bytes)));
                    recalled.text.push('\n');
                }
                // It is over its time.
                Ok(None) => {}
                Err(error) => {
                    tracing::warn!(conversation = %self.conversation, error = error.kind(), "a file that was kept cannot be read");
                }
            }
        }
        recalled
    }

    async fn read_file(&self, attachment: &Attachment) -> Read {
        if attachment.size.is_some_and(|size| size > MAX_FILE as u64) {
            return unread("it is larger than 20 MB");
        }
        let mut fetched = self.fetch_file(&attachment.fetch, now()).await;
        // Some platforms convert what was just sent, and say so.
        for _ in 0..MOST_WAITS {
            let Some(Settled::Later(after)) = fetched else { break };
            tokio::time::sleep(after.unwrap_or(WAIT).min(MOST_WAIT)).await;
            fetched = self.fetch_file(&attachment.fetch, now()).await;
        }
        let bytes = match fetched {
            Some(Settled::Fetched(bytes)) => bytes,
            Some(Settled::Files(files)) => return self.read_each(files).await,
            None => return unread("it is too large, or takes too long to come"),
            Some(other) => {
                tracing::warn!(conversation = %self.conversation, outcome = ?other, "a file cannot be fetched");
                return unread("its platform does not hand it over");
            }
        };
        let Attachment { name, media_type, .. } = attachment;
        self.made_of(File { name: name.clone(), media_type: media_type.clone(), bytes }).await
    }

    /// Reads files that came as one.
    async fn read_each(&self, files: Vec<File>) -> Read {
        let mut each = Vec::new();
        for (n, file) in files.into_iter().enumerate() {
            let name = file.name.clone();
            let read = if n < MOST_FILES {
                self.made_of(file).await
            } else {
                unread("there are too many files at once")
            };
            each.push((name, read));
        }
        Read::Several(each)
    }

    /// What can be made of a file.
    async fn made_of(&self, file: File) -> Read {
        let File { name, media_type, bytes } = file;
        if bytes.is_empty() {
            return unread("it is empty");
        }
        match kind::of(&bytes, &name, &media_type) {
            Kind::Image(_) if bytes.len() > MAX_IMAGE => unread("the picture is larger than 3.75 MB"),
            Kind::Image(_)
                if kind::size(&bytes)
                    .is_some_and(|(width, height)| u64::from(width.max(height)) > MAX_SIDE) =>
            {
                unread("the picture has more than 8,000 pixels a side")
            }
            Kind::Image(media_type) => {
                let key = self.keep(media_type, &bytes).await;
                Read::Image(Arc::new(Image { media_type: media_type.to_owned(), bytes }), key)
            }
            Kind::OtherImage(format) => {
                Read::Unread(format!("it is a picture in the format {format}; as JPEG or PNG it can be seen"))
            }
            Kind::Audio => Read::Voice(bytes.into(), media_type),
            Kind::Video => unread("videos cannot be watched here"),
            Kind::Pdf => match tokio::task::spawn_blocking(move || pdf::text(&bytes, MAX_TEXT)).await {
                Ok(Ok(text)) => self.document(text).await,
                Ok(Err(pdf::Unread::Locked)) => unread("it is locked by a password"),
                Ok(Err(pdf::Unread::NoText)) | Err(_) => unread("it holds no text, only pictures of it"),
            },
            Kind::Text => self.document(channel::text::cut(kind::text(&bytes), MAX_TEXT)).await,
            Kind::Archive => unread("documents are read as PDF or text only"),
            Kind::Other => unread("files of this kind cannot be read"),
        }
    }

    async fn document(&self, text: String) -> Read {
        let key = if text.len() > IN_HISTORY { self.keep("text/plain", text.as_bytes()).await } else { None };
        Read::Text(text.into(), key)
    }

    /// Puts it into the bucket. Where that fails it is read in this turn only.
    async fn keep(&self, media_type: &str, bytes: &[u8]) -> Option<String> {
        let hash = channel::sign::sha256_hex(bytes);
        let key = format!("media/{}/{}", self.conversation, hash.get(..32).unwrap_or(&hash));
        match self.services.tools.keep_file(&key, media_type, bytes.to_vec()).await {
            Ok(()) => Some(key),
            Err(error) => {
                tracing::warn!(conversation = %self.conversation, error = error.kind(), "a file is not kept");
                None
            }
        }
    }
}

impl Read {
    /// Itself, or those that it holds, each with its name.
    fn each<'r>(&'r self, name: &'r str) -> Vec<(&'r str, &'r Read)> {
        match self {
            Read::Several(each) => each.iter().flat_map(|(name, read)| read.each(name)).collect(),
            alone => vec![(name, alone)],
        }
    }

    /// What the model is told of it in the place of its name.
    fn told(&self, name: &str, whole: bool) -> String {
        match self {
            Read::Several(each) => {
                each.iter().map(|(name, read)| read.told(name, whole)).collect::<Vec<_>>().join("\n")
            }
            Read::Image(..) => format!("[image: {name}]"),
            Read::Heard(text) => format!("[voice message, as heard: {text}]"),
            Read::Voice(..) => format!("[voice message: {name}]"),
            Read::Text(text, _) if whole => block(name, text),
            Read::Text(text, _) => block(name, &channel::text::cut(text.to_string(), IN_HISTORY)),
            Read::Unread(why) => format!("[file: {name}, which you cannot read: {why}]"),
        }
    }
}

/// Somebody else's words, marked as such: a document that says what to do is no instruction.
fn block(name: &str, text: &str) -> String {
    format!("[file: {name}, its text]\n{}\n[end of {name}]", text.trim())
}

fn unread(why: &str) -> Read {
    Read::Unread(why.to_owned())
}
