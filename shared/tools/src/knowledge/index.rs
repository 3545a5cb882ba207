//! The index: passages with their vectors, written once, read whole.

use channel::sign;
use serde::{Deserialize, Serialize};

/// The shape of the file as written today.
const VERSION: u32 = 1;

/// More passages than this are a matter for a search service: reading them would cost every cold start too much.
pub const MAX_PASSAGES: usize = 2_000;

/// A piece of a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passage {
    /// Name of the document, as an answer may quote it.
    pub source: String,
    pub text: String,
}

/// A passage that a search gave, with the cosine of its vector and the question's.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    pub passage: Passage,
    pub score: f32,
}

/// Something that finds passages by their vectors.
pub trait Index: Send + Sync {
    /// The model that made the vectors, as [`super::model_name`] names it.
    fn model(&self) -> &str;

    /// The nearest first.
    fn nearest(&self, question: &[f32], most: usize) -> Vec<Found>;
}

/// The file cannot be searched; the text says why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unreadable(String);

/// Every vector is looked at.
pub struct Flat {
    model: String,
    entries: Vec<Entry>,
}

struct Entry {
    passage: Passage,
    vector: Vec<i8>,
    /// The vector's length, for the cosine.
    length: f32,
}

#[derive(Serialize, Deserialize)]
struct File {
    v: u32,
    model: String,
    passages: Vec<Written>,
}

#[derive(Serialize, Deserialize)]
struct Written {
    #[serde(flatten)]
    passage: Passage,
    /// Base64 of one signed byte per dimension: only the direction counts, and a file of text has to be read at every cold start.
    vector: String,
}

/// The file for these passages, whose vectors that model made.
///
/// # Errors
/// There are too many, or vectors of different lengths or without a direction.
pub fn write(model: &str, passages: Vec<(Passage, Vec<f32>)>) -> Result<Vec<u8>, Unreadable> {
    if passages.len() > MAX_PASSAGES {
        return Err(Unreadable(format!(
            "{} passages are more than the {MAX_PASSAGES} that are searched",
            passages.len()
        )));
    }
    let dimensions = passages.first().map_or(0, |(_, vector)| vector.len());
    let mut written = Vec::with_capacity(passages.len());
    for (passage, vector) in passages {
        let largest = vector.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
        if vector.len() != dimensions || !largest.is_normal() {
            return Err(Unreadable(format!(
                "the model gave a vector that cannot be used for {}",
                passage.source
            )));
        }
        // A conversion from a float saturates; what is within 127 of 127 fits.
        let bytes: Vec<u8> =
            vector.iter().map(|value| ((value / largest * 127.0).round() as i8).to_ne_bytes()[0]).collect();
        written.push(Written { passage, vector: sign::base64(&bytes) });
    }
    let file = File { v: VERSION, model: model.to_owned(), passages: written };
    serde_json::to_vec(&file).map_err(|error| Unreadable(error.to_string()))
}

impl Flat {
    /// # Errors
    /// It is none of our files, or of a later shape.
    pub fn read(file: &[u8]) -> Result<Flat, Unreadable> {
        let file: File = serde_json::from_slice(file)
            .map_err(|_| Unreadable("it is no index: push it again".to_owned()))?;
        if file.v != VERSION {
            return Err(Unreadable(format!(
                "it has the shape {} and this release reads {VERSION}: push it again",
                file.v
            )));
        }
        let broken = || Unreadable("it holds a vector that cannot be read: push it again".to_owned());
        let entry = |written: Written| {
            let bytes = sign::from_base64(&written.vector).ok_or_else(broken)?;
            let vector: Vec<i8> = bytes.into_iter().map(|byte| i8::from_ne_bytes([byte])).collect();
            let length = vector.iter().map(|value| f32::from(*value) * f32::from(*value)).sum::<f32>().sqrt();
            if length > 0.0 { Ok(Entry { passage: written.passage, vector, length }) } else { Err(broken()) }
        };
        let entries = file.passages.into_iter().map(entry).collect::<Result<Vec<_>, _>>()?;
        Ok(Flat { model: file.model, entries })
    }
}

impl Index for Flat {
    fn model(&self) -> &str {
        &self.model
    }

    fn nearest(&self, question: &[f32], most: usize) -> Vec<Found> {
        let length = question.iter().map(|value| value * value).sum::<f32>().sqrt();
        if length == 0.0 {
            return Vec::new();
        }
        let score = |entry: &Entry| {
            let product: f32 = entry.vector.iter().zip(question).map(|(a, b)| f32::from(*a) * b).sum();
            product / (entry.length * length)
        };
        let comparable = self.entries.iter().filter(|entry| entry.vector.len() == question.len());
        let mut scored: Vec<(f32, &Entry)> = comparable.map(|entry| (score(entry), entry)).collect();
        scored.sort_by(|a, b| b.0.total_cmp(&a.0));
        scored.truncate(most);
        scored.into_iter().map(|(score, entry)| Found { passage: entry.passage.clone(), score }).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn passage(text: &str) -> Passage {
        Passage { source: "guide.md".into(), text: text.into() }
    }

    fn flat(vectors: &[(&str, Vec<f32>)]) -> Flat {
        let passages = vectors.iter().map(|(text, vector)| (passage(text), vector.clone())).collect();
        Flat::read(&write("openai small", passages).unwrap()).unwrap()
    }

    #[test]
    fn the_nearest_come_first() {
        let index = flat(&[("east", vec![1.0, 0.0]), ("north", vec![0.0, 3.0]), ("west", vec![-2.0, 0.1])]);
        let found = index.nearest(&[0.9, 0.5], 2);
        assert_eq!(
            found.iter().map(|found| found.passage.text.as_str()).collect::<Vec<_>>(),
            ["east", "north"]
        );
        assert!((found[0].score - 0.874).abs() < 0.001, "{}", found[0].score);
        assert_eq!(index.model(), "openai small");
        assert!(index.nearest(&[0.0, 0.0], 2).is_empty() && index.nearest(&[1.0], 2).is_empty());
    }

    #[test]
    fn what_cannot_be_searched_is_not_written_or_read() {
        let many = vec![(passage("x"), vec![1.0]); MAX_PASSAGES + 1];
        assert!(write("m", many).unwrap_err().to_string().contains("2001"));
        assert!(write("m", vec![(passage("x"), vec![0.0, 0.0])]).is_err());
        assert!(write("m", vec![(passage("x"), vec![1.0]), (passage("y"), vec![1.0, 2.0])]).is_err());
        assert!(write("m", vec![(passage("x"), vec![f32::NAN])]).is_err());
        let file = String::from_utf8(write("m", vec![(passage("x"), vec![1.0])]).unwrap()).unwrap();
        for (from, to) in
            [(r#""v":1"#, r#""v":2"#), (r#""fw==""#, r#""!""#), (r#""fw==""#, r#""AA==""#), ("{", "[")]
        {
            assert!(file.contains(from), "{file}");
            assert!(Flat::read(file.replacen(from, to, 1).as_bytes()).is_err(), "{from}");
        }
    }

    proptest! {
        /// One byte per dimension is enough: the score is the cosine of the vectors as the model gave them.
        #[test]
        fn scores_are_cosines(a in proptest::collection::vec(-1.0_f32..1.0, 64), b in proptest::collection::vec(-1.0_f32..1.0, 64)) {
            let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
            let exact = dot(&a, &b) / (dot(&a, &a) * dot(&b, &b)).sqrt();
            prop_assume!(exact.is_finite() && a.iter().any(|value| value.abs() > 0.1));
            let found = flat(&[("a", a)]).nearest(&b, 1);
            prop_assert!((found[0].score - exact).abs() < 0.02, "{} {exact}", found[0].score);
        }
    }
}
