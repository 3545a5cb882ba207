//! The zips that Lambda takes: each function's binary under the name `bootstrap`.

use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::Error;

/// The zip of the function's binary, the same bytes for the same binary. Not compressed: it only travels over loopback.
pub(crate) fn zip(function: &str) -> Result<Vec<u8>, Error> {
    let path = folder(function)?.join(function);
    let binary = std::fs::read(&path).map_err(|error| Error::file(&path, error))?;
    packed(&binary).map_err(|error| Error::Broken(format!("{function} cannot be zipped: {error}")))
}

fn packed(binary: &[u8]) -> zip::result::ZipResult<Vec<u8>> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let executable =
        SimpleFileOptions::default().compression_method(CompressionMethod::Stored).unix_permissions(0o755);
    zip.start_file("bootstrap", executable)?;
    zip.write_all(binary)?;
    Ok(zip.finish()?.into_inner())
}

/// Where cargo put the binaries: beside this one, or above it where this is a test.
fn folder(function: &str) -> Result<PathBuf, Error> {
    let this = std::env::current_exe().unwrap_or_default();
    let found =
        this.ancestors().skip(1).take(3).find(|folder| folder.join(function).is_file()).map(Path::to_owned);
    found.ok_or_else(|| Error::Change(format!("{function} is not built: make build")))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_same_binary_makes_the_same_zip() {
        let once = super::packed(b"ELF").unwrap();
        assert_eq!(once, super::packed(b"ELF").unwrap());
        let mut zip = zip::ZipArchive::new(std::io::Cursor::new(once)).unwrap();
        let file = zip.by_name("bootstrap").unwrap();
        assert_eq!((file.unix_mode().unwrap() & 0o777, file.size()), (0o755, 3));
    }
}
