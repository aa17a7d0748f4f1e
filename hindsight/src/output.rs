//! Files out: whole or not at all, and text on the standard output.
//!
//! A file is first written beside its final place under a temporary name, flushed to the disk, then renamed. Ctrl-C (and a
//! termination signal) removes what is still under a temporary name and ends with code 130. Several files of one run are staged
//! first and committed together, so that a run either leaves all of them or none:
//!
//! ```ignore
//! // Early, before the long computation: wrong places are told at once.
//! let report = output::Target::new(&args.report, args.force)?;
//! let json = args.json.as_deref().map(|path| output::Target::new(path, args.force)).transpose()?;
//! // ... compute ...
//! output::write_all([(&report, page.to_html()), ...])?;
//! output::print(&table.to_string())?;
//! ```
//!
//! An existing file is replaced only if this command wrote it (the word `hindsight` stands among its first 512 bytes) or it is
//! empty; any other needs `--force`. `-` means the standard output.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};

use report::Width;

use crate::error::CliError;

/// How a file of ours starts: within so many bytes the word [`MARK`] stands.
const MARK_WITHIN: u64 = 512;
/// The program, as its pages and drawings name it.
pub(crate) const GENERATOR: &str = concat!("hindsight ", env!("CARGO_PKG_VERSION"));
/// The word that tells our files.
pub(crate) const MARK: &str = "hindsight";

/// Temporary files that exist now, for the signal handler.
static PENDING: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// A place that may be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    shown: PathBuf,
    path: PathBuf,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// `-`.
    Standard,
    /// A device or a pipe (`/dev/stdout`, `>(...)`): written straight.
    Stream,
    /// A regular file: written under a temporary name, then renamed.
    File,
}

impl Target {
    /// Checks that `path` can be written: its folder exists, it is no folder itself, and it is ours to replace.
    ///
    /// # Errors
    ///
    /// [`CliError::Input`] that names the path.
    pub(crate) fn new(path: &Path, force: bool) -> Result<Self, CliError> {
        let bad = |problem: &str| CliError::Input(format!("{}: {problem}", path.display()));
        if path == Path::new("-") {
            return Ok(Target {
                shown: path.to_path_buf(),
                path: path.to_path_buf(),
                kind: Kind::Standard,
            });
        }
        // A link is followed, so that the file it names is replaced and not the link.
        let in_folder = || {
            Some(
                std::fs::canonicalize(folder_of(path))
                    .ok()?
                    .join(path.file_name()?),
            )
        };
        let path_behind = std::fs::canonicalize(path)
            .ok()
            .or_else(in_folder)
            .unwrap_or_else(|| path.to_path_buf());
        match std::fs::metadata(&path_behind) {
            Ok(meta) if meta.is_dir() => return Err(bad("is a folder, not a file to write")),
            Ok(meta) if !meta.is_file() => {
                return Ok(Target {
                    shown: path.to_path_buf(),
                    path: path.to_path_buf(),
                    kind: Kind::Stream,
                });
            }
            Ok(_) if !force && !is_ours(&path_behind) => {
                return Err(bad(
                    "exists and was not written by hindsight (--force replaces it)",
                ));
            }
            _ => {}
        }
        if !folder_of(&path_behind).is_dir() {
            return Err(bad("its folder does not exist"));
        }
        Ok(Target {
            shown: path.to_path_buf(),
            path: path_behind,
            kind: Kind::File,
        })
    }

    /// The place as the user named it.
    pub(crate) fn shown(&self) -> &Path {
        &self.shown
    }

    /// Where it will be written, from the root.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it is the standard output.
    pub(crate) fn is_standard(&self) -> bool {
        self.kind == Kind::Standard
    }
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

fn is_ours(path: &Path) -> bool {
    let mut start = Vec::new();
    match File::open(path).and_then(|file| file.take(MARK_WITHIN).read_to_end(&mut start)) {
        Ok(_) => {
            start.is_empty()
                || start
                    .windows(MARK.len())
                    .any(|window| window == MARK.as_bytes())
        }
        Err(_) => false,
    }
}

/// A temporary file that is gone when this is dropped, unless it was renamed to its place.
#[derive(Debug)]
struct Staged {
    temporary: Option<tempfile::TempPath>,
    registered: PathBuf,
}

impl Staged {
    fn new(path: &Path, bytes: &[u8]) -> Result<Self, CliError> {
        let wrong = |error: std::io::Error| CliError::writing(path, &error);
        let name = path.file_name().unwrap_or_default().to_string_lossy();
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
                .tempfile_in(folder_of(path))
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

fn pending() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    PENDING
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Renames all to their places, while the signal handler waits: an interrupt comes before all of them or after.
fn commit(mut staged: Vec<(&Target, Staged)>) -> Result<(), CliError> {
    let mut pending = pending();
    let mut outcome = Ok(());
    for (target, file) in &mut staged {
        if let (Ok(()), Some(temporary)) = (&outcome, file.temporary.take()) {
            outcome = temporary
                .persist(&target.path)
                .map_err(|error| CliError::writing(&target.shown, &error.error));
            pending.remove(&file.registered);
        }
    }
    drop(pending);
    outcome
}

/// Writes every target, or none: nothing is renamed to its place before all are safely on the disk.
///
/// # Errors
///
/// [`CliError::System`] that names the first target that failed.
pub(crate) fn write_all<'a, B: AsRef<[u8]>>(
    files: impl IntoIterator<Item = (&'a Target, B)>,
) -> Result<(), CliError> {
    let mut staged = Vec::new();
    let mut streams = Vec::new();
    for (target, bytes) in files {
        match target.kind {
            Kind::File => staged.push((target, Staged::new(&target.path, bytes.as_ref())?)),
            Kind::Standard | Kind::Stream => streams.push((target, bytes)),
        }
    }
    commit(staged)?;
    for (target, bytes) in streams {
        let bytes = bytes.as_ref();
        let outcome = match target.kind {
            Kind::Standard => std::io::stdout()
                .lock()
                .write_all(bytes)
                .and_then(|()| std::io::stdout().flush()),
            _ => std::fs::OpenOptions::new()
                .write(true)
                .open(&target.path)
                .and_then(|mut file| file.write_all(bytes)),
        };
        forgive_closed_pipe(outcome).map_err(|error| CliError::writing(&target.shown, &error))?;
    }
    Ok(())
}

/// Writes `text` and a line end to the standard output; a reader that went away (`| head`) is no error.
///
/// # Errors
///
/// [`CliError::System`] if the output cannot be written for another reason.
pub(crate) fn print(text: &str) -> Result<(), CliError> {
    let mut out = std::io::stdout().lock();
    let end = if text.ends_with('\n') { "" } else { "\n" };
    let outcome = out
        .write_all(text.as_bytes())
        .and_then(|()| out.write_all(end.as_bytes()))
        .and_then(|()| out.flush());
    forgive_closed_pipe(outcome)
        .map_err(|error| CliError::writing(Path::new("the standard output"), &error))
}

/// What the standard output allows a table: the terminal's width, or no limit when it is a file or a pipe.
pub(crate) fn width() -> Width {
    let terminal = console::Term::stdout();
    if !terminal.is_term() {
        return Width::unlimited();
    }
    let width = match terminal.size_checked() {
        Some((_, columns)) => Width::at_most(usize::from(columns)),
        None => Width::unlimited(),
    };
    if console::colors_enabled() {
        width.styled()
    } else {
        width
    }
}

fn forgive_closed_pipe(outcome: std::io::Result<()>) -> std::io::Result<()> {
    match outcome {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// Makes Ctrl-C and the termination signals remove temporary files and end with code 130. Called once, by `main`.
///
/// # Errors
///
/// [`CliError::System`] if the system refuses a signal handler.
pub(crate) fn clean_up_on_interrupt() -> Result<(), CliError> {
    ctrlc::set_handler(|| {
        // Held until the end: no new temporary file can appear, and no rename is under way.
        let pending = pending();
        remove_files(&pending);
        // The cursor that a progress bar hid.
        let terminal = console::Term::stderr();
        if terminal.is_term() {
            let _ = terminal.show_cursor();
        }
        eprintln!("hindsight: interrupted");
        std::process::exit(130);
    })
    .map_err(|error| CliError::System(format!("cannot watch for Ctrl-C: {error}")))
}

fn remove_files(files: &BTreeSet<PathBuf>) {
    for path in files {
        let _ = std::fs::remove_file(path);
    }
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
    fn files_appear_whole_and_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (a, b) = (folder.path().join("a.html"), folder.path().join("b.json"));
        let targets = (
            Target::new(&a, false).unwrap(),
            Target::new(&b, false).unwrap(),
        );
        write_all([(&targets.0, "hindsight one"), (&targets.1, "{}")]).unwrap();
        assert_eq!(std::fs::read_to_string(&a).unwrap(), "hindsight one");
        assert_eq!(names(folder.path()), ["a.html", "b.json"]);
        // Ours is replaced without a question.
        write_all([(&Target::new(&a, false).unwrap(), "two")]).unwrap();
        assert_eq!(std::fs::read_to_string(&a).unwrap(), "two");
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
    fn an_interrupt_removes_what_is_half_written() {
        let folder = tempfile::tempdir().unwrap();
        let staged = Staged::new(&folder.path().join("a.html"), b"half").unwrap();
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

    #[test]
    fn a_file_of_the_user_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sales.csv");
        std::fs::write(&path, "product,week\n").unwrap();
        let error = Target::new(&path, false).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().contains("sales.csv"), "{error}");
        assert!(Target::new(&path, true).is_ok());
    }

    #[test]
    fn places_that_cannot_be_written_are_told() {
        let folder = tempfile::tempdir().unwrap();
        for path in [
            folder.path().to_path_buf(),
            folder.path().join("no/where.html"),
        ] {
            assert_eq!(Target::new(&path, true).unwrap_err().exit_code(), 2);
        }
        assert!(Target::new(Path::new("-"), false).unwrap().is_standard());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (
            folder.path().join("real.html"),
            folder.path().join("link.html"),
        );
        std::fs::write(&real, "").unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        write_all([(&Target::new(&link, false).unwrap(), "new")]).unwrap();
        assert_eq!(std::fs::read_to_string(&real).unwrap(), "new");
        assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
    }
}
