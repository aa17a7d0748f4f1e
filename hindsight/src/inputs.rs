//! Files in: every input of a run is opened here, so that its name and the digest of its bytes stand in the run's documents.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::error::{CliError, Complain as _, Place};

/// The digest of an input, once it is known.
type Digest = Arc<Mutex<Option<String>>>;

/// The inputs of a run.
#[derive(Debug, Default)]
pub(crate) struct Inputs {
    entries: Mutex<Vec<(String, Digest)>>,
}

/// One input as a document names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Input {
    /// The name as the user wrote it, `-` for the standard input.
    pub(crate) name: String,
    /// SHA-256 of its bytes as they were read (before decompression), in hexadecimal digits; none where reading failed.
    pub(crate) sha256: Option<String>,
}

impl Inputs {
    /// Opens a file, or the standard input for `-`, and registers it.
    ///
    /// # Errors
    ///
    /// [`CliError::Input`] if there is no such file, or it is a folder.
    pub(crate) fn open(&self, path: &Path) -> Result<InputReader, CliError> {
        let reader: Box<dyn Read + Send> = if path == Path::new("-") {
            Box::new(std::io::stdin())
        } else {
            let file = File::open(path).map_err(|error| CliError::reading(path, &error))?;
            if file.metadata().is_ok_and(|meta| meta.is_dir()) {
                return Err(Place::file(path).error("is a folder, not a file"));
            }
            Box::new(file)
        };
        Ok(self.register(&path.display().to_string(), shown(path), reader))
    }

    /// Registers bytes that are part of the program.
    pub(crate) fn bundled(&self, name: &str, bytes: &'static [u8]) -> InputReader {
        self.register(name, PathBuf::from(name), Box::new(bytes))
    }

    fn register(&self, name: &str, shown: PathBuf, inner: Box<dyn Read + Send>) -> InputReader {
        let digest = Arc::new(Mutex::new(None));
        self.entries
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push((name.to_owned(), Arc::clone(&digest)));
        InputReader {
            name: shown,
            inner,
            hash: Sha256::new(),
            failed: false,
            digest,
        }
    }

    /// The inputs opened so far, in that order, each with its digest once its reader is dropped.
    pub(crate) fn list(&self) -> Vec<Input> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let read = |digest: &Mutex<Option<String>>| {
            let digest = digest.lock().unwrap_or_else(PoisonError::into_inner);
            digest.clone()
        };
        let entry = |(name, digest): &(String, Digest)| Input {
            name: name.clone(),
            sha256: read(digest),
        };
        entries.iter().map(entry).collect()
    }
}

/// How messages name an input.
fn shown(path: &Path) -> PathBuf {
    if path == Path::new("-") {
        PathBuf::from("standard input")
    } else {
        path.to_path_buf()
    }
}

/// The bytes of an input; dropping it reads what is left, so that the digest is that of the whole file.
pub(crate) struct InputReader {
    name: PathBuf,
    inner: Box<dyn Read + Send>,
    hash: Sha256,
    failed: bool,
    digest: Digest,
}

impl InputReader {
    /// The name for messages.
    pub(crate) fn name(&self) -> &Path {
        &self.name
    }
}

impl std::fmt::Debug for InputReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InputReader")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Read for InputReader {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        match self.inner.read(out) {
            Ok(count) => {
                self.hash.update(&out[..count]);
                Ok(count)
            }
            Err(error) => {
                self.failed |= error.kind() != std::io::ErrorKind::Interrupted;
                Err(error)
            }
        }
    }
}

impl Drop for InputReader {
    fn drop(&mut self) {
        if !self.failed {
            let mut rest = BufReader::with_capacity(1 << 16, &mut *self);
            let _ = std::io::copy(&mut rest, &mut std::io::sink());
        }
        if !self.failed {
            let bytes = std::mem::take(&mut self.hash).finalize();
            let text = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            *self.digest.lock().unwrap_or_else(PoisonError::into_inner) = Some(text);
        }
    }
}
