//! Writing all files of a run, or none.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};

use super::forgive_closed_pipe;
use super::target::{Kind, Target, folder_of};
use crate::error::CliError;

/// Temporary files that exist now, for the signal handler.
static PENDING: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

pub(super) fn pending() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    PENDING
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

pub(super) fn remove_files(files: &BTreeSet<PathBuf>) {
    for path in files {
        let _ = std::fs::remove_file(path);
    }
}

/// Writes every file, or none. Files are written beside their places and flushed to the disk, then renamed to their places, together:
/// where one rename fails, the earlier ones are undone. Streams are served in any case; where one fails, no file is kept.
///
/// # Errors
///
/// [`CliError::System`] that names the first target that failed.
pub(crate) fn write_all<'a, B: AsRef<[u8]>>(
    files: impl IntoIterator<Item = (&'a Target, B)>,
) -> Result<(), CliError> {
    let (mut staged, mut outcome) = (Vec::new(), Ok(()));
    for (target, bytes) in files {
        let done = match target.kind {
            Kind::File => {
                Staged::new(target, bytes.as_ref()).map(|file| staged.push((target, file)))
            }
            Kind::Standard | Kind::Stream => stream(target, bytes.as_ref()),
        };
        outcome = outcome.and(done);
    }
    outcome.and_then(|()| commit(staged))
}

fn stream(target: &Target, bytes: &[u8]) -> Result<(), CliError> {
    let outcome = if target.is_standard() {
        let mut out = std::io::stdout().lock();
        out.write_all(bytes).and_then(|()| out.flush())
    } else {
        let file = std::fs::OpenOptions::new().write(true).open(&target.path);
        file.and_then(|mut file| file.write_all(bytes))
    };
    forgive_closed_pipe(outcome).map_err(|error| CliError::writing(target.shown(), &error))
}

/// A temporary file that is gone when this is dropped, unless it was renamed to its place.
#[derive(Debug)]
struct Staged {
    temporary: Option<tempfile::TempPath>,
    registered: PathBuf,
}

impl Staged {
    fn new(target: &Target, bytes: &[u8]) -> Result<Self, CliError> {
        let wrong = |error: std::io::Error| CliError::writing(target.shown(), &error);
        let name = target
            .path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy();
        let prefix = format!(".{name}.");
        let mut builder = tempfile::Builder::new();
        builder.prefix(&prefix).suffix(".part");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            // The umask still applies; tempfile's own default would hide the report from everyone else.
            builder.permissions(std::fs::Permissions::from_mode(0o666));
        }
        // Registered under the lock that the signal handler takes, so that no moment is left in which the file exists unseen.
        let (mut file, temporary) = {
            let mut pending = pending();
            let parts = builder
                .tempfile_in(folder_of(&target.path))
                .map_err(wrong)?
                .into_parts();
            pending.insert(parts.1.to_path_buf());
            parts
        };
        let staged = Staged {
            registered: temporary.to_path_buf(),
            temporary: Some(temporary),
        };
        file.write_all(bytes)
            .and_then(|()| file.sync_all())
            .map_err(wrong)?;
        Ok(staged)
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        // Removed first, then forgotten.
        self.temporary.take();
        pending().remove(&self.registered);
    }
}

/// A file that was renamed to its place, and what stood there before.
struct Placed<'a> {
    path: &'a Path,
    before: Option<PathBuf>,
}

impl Placed<'_> {
    fn undo(&self) {
        let _ = match &self.before {
            Some(before) => std::fs::rename(before, self.path),
            None => std::fs::remove_file(self.path),
        };
    }
}

/// Renames all to their places, while the signal handler waits: an interrupt comes before all of them or after.
fn commit(mut staged: Vec<(&Target, Staged)>) -> Result<(), CliError> {
    let mut pending = pending();
    let mut placed: Vec<Placed<'_>> = Vec::new();
    for (target, file) in &mut staged {
        let Some(temporary) = file.temporary.take() else {
            continue;
        };
        // One file needs no way back: its rename happens or does not.
        let before = set_aside(&target.path, &temporary);
        let outcome = temporary
            .persist(&target.path)
            .map_err(|error| CliError::writing(target.shown(), &error.error));
        pending.remove(&file.registered);
        if let Err(error) = outcome {
            if let Some(before) = before {
                let _ = std::fs::remove_file(before);
            }
            for earlier in placed.iter().rev() {
                earlier.undo();
            }
            drop(pending);
            return Err(error);
        }
        placed.push(Placed {
            path: &target.path,
            before,
        });
    }
    for before in placed.iter().filter_map(|file| file.before.as_deref()) {
        let _ = std::fs::remove_file(before);
    }
    drop(pending);
    Ok(())
}

/// A second name of the file at `path`, beside the temporary file that will replace it; none where there is no file.
fn set_aside(path: &Path, temporary: &Path) -> Option<PathBuf> {
    let before = temporary.with_extension("before");
    // File systems without links get a copy.
    let kept =
        std::fs::hard_link(path, &before).or_else(|_| std::fs::copy(path, &before).map(|_| ()));
    kept.is_ok().then_some(before)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn one_failing_file_leaves_none() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("inner");
        std::fs::create_dir(&inner).unwrap();
        let good = Target::new(&folder.path().join("a.html"), false).unwrap();
        let bad = Target::new(&inner.join("b.json"), false).unwrap();
        std::fs::remove_dir(&inner).unwrap();
        let error = write_all([(&good, "a"), (&bad, "b")]).unwrap_err();
        assert_eq!(error.exit_code(), 1);
        assert!(error.to_string().contains("b.json"), "{error}");
        assert!(names(folder.path()).is_empty());
        assert!(!pending().iter().any(|path| path.starts_with(folder.path())));
    }

    #[test]
    fn a_rename_that_fails_undoes_the_earlier_ones() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("old.html"), "of yesterday").unwrap();
        let targets: Vec<Target> = ["old.html", "new.json", "blocked.json"]
            .iter()
            .map(|name| Target::new(&at(name), true).unwrap())
            .collect();
        // What the check could not foresee: in the meantime a folder took the name.
        std::fs::create_dir(at("blocked.json")).unwrap();
        let error = write_all(targets.iter().map(|target| (target, "of today"))).unwrap_err();
        assert!(error.to_string().contains("blocked.json"), "{error}");
        assert_eq!(names(folder.path()), ["blocked.json", "old.html"]);
        assert_eq!(
            std::fs::read_to_string(at("old.html")).unwrap(),
            "of yesterday"
        );
    }

    #[test]
    fn an_interrupt_removes_what_is_half_written() {
        let folder = tempfile::tempdir().unwrap();
        let target = Target::new(&folder.path().join("a.html"), false).unwrap();
        let staged = Staged::new(&target, b"half").unwrap();
        let seen: BTreeSet<PathBuf> = pending()
            .iter()
            .filter(|path| path.starts_with(folder.path()))
            .cloned()
            .collect();
        assert_eq!((seen.len(), names(folder.path()).len()), (1, 1));
        remove_files(&seen);
        assert!(names(folder.path()).is_empty());
        drop(staged);
    }
}
