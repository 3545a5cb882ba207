//! `crabhook knowledge`: documents that assistants search.

mod passages;

use std::path::{Path, PathBuf};

use aws_sdk_s3::primitives::ByteStream;
use clap::Subcommand;
use model::ModelConfig;
use model_invoker::Keys;
use tools::knowledge::{self, MAX_PASSAGES, Passage};
use tools::pdf::{self, Unread};

use crate::connect::configuration;
use crate::doctor::models;
use crate::place::Place;
use crate::{Error, Where};

/// What is read of a folder: text, and what is nearly text.
const KINDS: &[&str] = &["md", "markdown", "txt", "csv", "html", "htm", PDF];
const PDF: &str = "pdf";
/// Larger files are no documents that somebody wrote, MiB. A PDF has pictures and fonts beside its text.
const MAX_FILE: u64 = 4;
const MAX_PDF: u64 = 40;
/// Text of a PDF that is read, bytes: far more than can be searched.
const MAX_TEXT: usize = 16 << 20;
/// Passages whose vectors are asked for at once, so that the terminal shows how far it is.
const BATCH: usize = 100;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make the documents of a folder searchable, in place of those that were pushed before under the name
    Push {
        /// An entry of `knowledge` in the configuration
        name: String,
        /// Its .md, .txt, .csv, .html and .pdf files are read, those of folders below too
        folder: PathBuf,
    },
}

pub async fn run(command: Command, at: &Where) -> Result<(), Error> {
    let Command::Push { name, folder } = command;
    let passages = read(&folder)?;
    let place = Place::find(at).await?;
    let model = model_of(&place, &name).await?;
    let vectors = vectors(&place, &model, &passages).await?;
    let count = passages.len();
    let file = knowledge::write(&knowledge::model_name(&model), passages.into_iter().zip(vectors).collect())
        .map_err(|error| Error::failed(error.to_string()))?;
    let kilobytes = file.len().div_ceil(1_000);
    put(&place, &name, file).await?;
    println!(
        "{}: {name} has {count} passages now ({kilobytes} kB); functions notice within ten minutes",
        place.title()
    );
    Ok(())
}

/// The passages of all documents below a folder, in the order of their names.
fn read(folder: &Path) -> Result<Vec<Passage>, Error> {
    let mut paths = Vec::new();
    files(folder, &mut paths)?;
    paths.sort();
    let mut passages = Vec::new();
    for path in &paths {
        let text = document(path).map_err(|why| Error::failed(format!("{}: {why}", path.display())))?;
        let source = path.strip_prefix(folder).unwrap_or(path).display().to_string();
        passages.extend(passages::of(&source, &text));
    }
    match passages.len() {
        0 => Err(Error::failed(format!("{}: no text in .{} files", folder.display(), KINDS.join(", .")))),
        1..=MAX_PASSAGES => Ok(passages),
        many => Err(Error::failed(format!(
            "{}: {many} passages of about {} characters are more than the {MAX_PASSAGES} that are searched: push less",
            folder.display(),
            passages::LENGTH
        ))),
    }
}

/// The text of a document, or why it cannot be read.
fn document(path: &Path) -> Result<String, String> {
    let is_pdf = kind(path) == PDF;
    let most = if is_pdf { MAX_PDF } else { MAX_FILE };
    if path.metadata().map_err(|error| error.to_string())?.len() > most << 20 {
        return Err(format!("it is larger than {most} MiB: split it, or keep it out of the folder"));
    }
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    if is_pdf {
        return pdf::text(&bytes, MAX_TEXT).map_err(|unread| match unread {
            Unread::Locked => "it asks for a password: save it without one".to_owned(),
            Unread::NoText => {
                "it holds no text, only pictures of it: have the text recognised first".to_owned()
            }
        });
    }
    String::from_utf8(bytes).map_err(|error| format!("it cannot be read as UTF-8 text ({error})"))
}

/// The ending of a file's name.
fn kind(path: &Path) -> String {
    path.extension().and_then(|extension| extension.to_str()).unwrap_or_default().to_ascii_lowercase()
}

/// Hidden files and folders are left out.
fn files(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), Error> {
    let unreadable = |error: std::io::Error| Error::failed(format!("{}: {error}", folder.display()));
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let (path, found_there) = (entry.path(), entry.file_type().map_err(unreadable)?);
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        if found_there.is_dir() {
            files(&path, found)?;
        } else if found_there.is_file() && KINDS.contains(&kind(&path).as_str()) {
            found.push(path);
        }
    }
    Ok(())
}

/// The model that the configuration in force names for it, with its key.
async fn model_of(place: &Place, name: &str) -> Result<ModelConfig, Error> {
    let config = configuration(place).await?;
    let known: Vec<&str> = config.knowledge.keys().map(String::as_str).collect();
    let entry = config.knowledge.get(name).ok_or_else(|| {
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        Error::failed(format!(
            "no entry {name} under `knowledge` (there is {known}): add it, then crabhook config push"
        ))
    })?;
    let model = config.models.get(&entry.model).ok_or_else(|| {
        Error::failed(format!(
            "knowledge.{name}.model: there is no model {:?}: crabhook config check",
            entry.model
        ))
    })?;
    let (secrets, root) = (place.secrets(), format!("/{}", place.stack));
    Keys { secrets: &secrets, root: &root }
        .model(model)
        .await
        .map_err(|error| Error::failed(error.to_string()))
}

async fn vectors(place: &Place, model: &ModelConfig, passages: &[Passage]) -> Result<Vec<Vec<f32>>, Error> {
    let clients = models(place).await?.clients;
    let texts: Vec<String> = passages.iter().map(|passage| passage.text.clone()).collect();
    let mut vectors = Vec::with_capacity(texts.len());
    for batch in texts.chunks(BATCH) {
        let made = model::embed(model, &clients, batch).await;
        vectors.extend(
            made.map_err(|error| Error::failed(format!("{}: {error}", knowledge::model_name(model))))?,
        );
        println!("{} of {} passages", vectors.len(), texts.len());
    }
    Ok(vectors)
}

async fn put(place: &Place, name: &str, file: Vec<u8>) -> Result<(), Error> {
    let (client, bucket) = place.bucket().await?;
    let put = client.put_object().bucket(&bucket).key(knowledge::key(name));
    let put = put.content_type("application/json").body(ByteStream::from(file)).send().await;
    put.map_err(|error| Error::aws(format!("cannot write to the bucket {bucket}"), &error))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A PDF of one page.
    const PAGE: &str = "%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n\
        2 0 obj\n<< /Type /Pages /Kids [3 0 R] /Count 1 >>\nendobj\n\
        3 0 obj\n<< /Type /Page /Parent 2 0 R /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>\nendobj\n\
        4 0 obj\n<< /Length 47 >>\nstream\nBT /F1 12 Tf 72 720 Td (The moat is dry.) Tj ET\nendstream\nendobj\n\
        5 0 obj\n<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>\nendobj\ntrailer\n<< /Root 1 0 R >>\n";

    #[test]
    fn a_folder_is_read_with_those_below_it() {
        let folder = std::env::temp_dir().join(format!("crabhook-knowledge-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("more/.git")).unwrap();
        for (name, text) in [
            ("b.md", "# Gate\n\nThe gate is in the east."),
            ("more/a.html", "<title>Tower</title><p>North."),
            ("more/.git/c.md", "hidden"),
            ("d.png", "no text"),
            ("e.txt", "  \n"),
        ] {
            std::fs::write(folder.join(name), text).unwrap();
        }
        let passages = read(&folder).unwrap();
        let short: Vec<(&str, &str)> =
            passages.iter().map(|passage| (passage.source.as_str(), passage.text.as_str())).collect();
        assert_eq!(
            short,
            [("b.md", "# Gate\n\nThe gate is in the east."), ("more/a.html", "Tower\n\nNorth.")]
        );
        std::fs::write(folder.join("c.PDF"), PAGE).unwrap();
        let source_and_text = |passage: &Passage| (passage.source.clone(), passage.text.clone());
        let passages: Vec<_> = read(&folder).unwrap().iter().map(source_and_text).collect();
        assert_eq!(passages[1], ("c.PDF".to_owned(), "The moat is dry.".to_owned()), "{passages:?}");
        for (name, bytes, why) in [
            ("g.pdf", &b"%PDF-1.4 scanned"[..], "g.pdf: it holds no text"),
            ("g.pdf", &[PAGE.as_bytes(), b"<< /Encrypt 9 0 R >>"].concat(), "g.pdf: it asks for a password"),
        ] {
            std::fs::write(folder.join(name), bytes).unwrap();
            let error = read(&folder).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
            std::fs::remove_file(folder.join(name)).unwrap();
        }
        std::fs::write(folder.join("f.txt"), b"\xff\xfe").unwrap();
        assert!(read(&folder).unwrap_err().to_string().contains("f.txt: it cannot be read as UTF-8"));
        assert!(read(&folder.join("more/.git/none")).is_err());
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
