//! Places to write: checked before any work, so that no result is computed that cannot be kept.

use std::ffi::OsString;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use report::{Page, Svg};
use same_file::Handle;

use crate::error::CliError;

/// The name under which pages and drawings are written, up to the version.
const PROGRAM: &str = "hindsight ";
/// How JSON of ours begins, before and after a name of [`NAMES`]: `document::Head`, a fitted map, answers line by line.
const JSON: [(&str, &str); 3] = [
    ("{\n  \"hindsight\": \"", ",\n  \"version\": \""),
    ("{\n  \"hindsight\": \"", ",\n  \"records\": "),
    ("{\"hindsight\":\"", ",\""),
];
/// The first words of the name there: a subcommand, or the version.
const NAMES: [&str; 8] = [
    "arrivals",
    "backtest",
    "bandit",
    "drain",
    "games",
    "llm",
    "lost-sales",
    env!("CARGO_PKG_VERSION"),
];

/// A place that may be written.
#[derive(Debug)]
pub(crate) struct Target {
    shown: PathBuf,
    pub(super) path: PathBuf,
    pub(super) kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `-`, or another name of the standard output.
    Standard,
    /// A device or a pipe (`/dev/null`, `>(...)`): written straight.
    Stream,
    /// A regular file: written under a temporary name, then renamed.
    File,
}

impl Target {
    /// Checks that `path` can be written: its folder exists and takes a file, it is no folder itself, and it is ours to replace (or
    /// `force` is given).
    ///
    /// # Errors
    ///
    /// [`CliError::Input`] that names the path; [`CliError::System`] if the folder takes no file.
    pub(crate) fn new(path: &Path, force: bool) -> Result<Self, CliError> {
        let bad = |problem: &str| CliError::Input(format!("{}: {problem}", path.display()));
        let target = |path_behind: &Path, kind| Target {
            shown: path.to_path_buf(),
            path: path_behind.to_path_buf(),
            kind,
        };
        if path == Path::new("-") || is_standard_output(path) {
            return Ok(target(path, Kind::Standard));
        }
        // A link is followed, so that the file it names is replaced and not the link.
        let path_behind = resolved(path).unwrap_or_else(|| path.to_path_buf());
        match std::fs::metadata(&path_behind) {
            Ok(meta) if meta.is_dir() => return Err(bad("is a folder, not a file to write")),
            Ok(meta) if !meta.is_file() => return Ok(target(path, Kind::Stream)),
            Ok(_) if !force && !is_ours(&path_behind) => {
                return Err(bad(
                    "exists and was not written by hindsight (--force replaces it)",
                ));
            }
            _ => {}
        }
        let folder = folder_of(&path_behind);
        if !folder.is_dir() {
            return Err(bad("its folder does not exist"));
        }
        // A file that comes and goes: a folder without permission, or a disk that is full of files, is known now.
        tempfile::tempfile_in(folder).map_err(|error| CliError::writing(path, &error))?;
        Ok(target(&path_behind, Kind::File))
    }

    /// The place as the user named it.
    pub(crate) fn shown(&self) -> &Path {
        &self.shown
    }

    /// Whether it is the standard output.
    pub(crate) fn is_standard(&self) -> bool {
        self.kind == Kind::Standard
    }

    /// Refuses a target that is an input: the same file under any name, links included.
    ///
    /// # Errors
    ///
    /// [`CliError::Input`] that names both.
    pub(crate) fn is_not(&self, input: &Path) -> Result<(), CliError> {
        if self.kind != Kind::File {
            return Ok(());
        }
        let of_input = if input == Path::new("-") {
            Handle::stdin()
        } else {
            Handle::from_path(input)
        };
        match (of_input, Handle::from_path(&self.path)) {
            (Ok(input_file), Ok(own)) if input_file == own => Err(CliError::Input(format!(
                "{}: is the input {} and cannot be the output too",
                self.shown.display(),
                input.display()
            ))),
            _ => Ok(()),
        }
    }

    /// Whether two targets are one place.
    pub(crate) fn is_same(&self, other: &Target) -> bool {
        if self.kind == Kind::Standard || other.kind == Kind::Standard {
            return self.kind == other.kind;
        }
        let handles = (
            Handle::from_path(&self.path),
            Handle::from_path(&other.path),
        );
        self.path == other.path || matches!(handles, (Ok(a), Ok(b)) if a == b)
    }
}

/// The path with every link followed; of a file that is not there yet, its folder's.
fn resolved(path: &Path) -> Option<PathBuf> {
    if let Ok(path) = std::fs::canonicalize(path) {
        return Some(path);
    }
    // A link to a file that is not there: the file it names is made, the link stays.
    if let Ok(behind) = std::fs::read_link(path) {
        return resolved(&folder_of(path).join(behind));
    }
    let name: OsString = path.file_name()?.to_owned();
    Some(std::fs::canonicalize(folder_of(path)).ok()?.join(name))
}

pub(super) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

/// Whether the path names what the standard output goes to: a rename would then lose the text that is printed there.
fn is_standard_output(path: &Path) -> bool {
    // The device that forgets is one place for everybody, and nothing is lost there.
    path != Path::new("/dev/null")
        && matches!((Handle::stdout(), Handle::from_path(path)), (Ok(out), Ok(own)) if out == own)
}

/// Whether a file may be replaced: it is empty, or opens exactly as a file that this command writes.
fn is_ours(path: &Path) -> bool {
    let mut start = Vec::new();
    File::open(path)
        .and_then(|file| file.take(512).read_to_end(&mut start))
        .is_ok_and(|_| start.is_empty() || opening_is_ours(&start))
}

/// Whether these first bytes are those of a page, a drawing or a document of this command.
fn opening_is_ours(start: &[u8]) -> bool {
    let Some(start) = start.utf8_chunks().next().map(|chunk| chunk.valid()) else {
        return false;
    };
    if start.starts_with(&Page::opening(PROGRAM)) || start.starts_with(&Svg::opening(PROGRAM)) {
        return true;
    }
    let tables = ["# ", "<!-- "]
        .iter()
        .filter_map(|mark| start.strip_prefix(mark));
    if tables
        .filter_map(|rest| rest.strip_prefix(super::TABLES))
        .any(|rest| rest.starts_with(PROGRAM))
    {
        return true;
    }
    JSON.iter().any(|(opening, next)| {
        start
            .strip_prefix(opening)
            .and_then(|rest| rest.split_once('"'))
            .is_some_and(|(name, rest)| {
                let first = name.split(' ').next().unwrap_or_default();
                NAMES.contains(&first) && rest.starts_with(next)
            })
    })
}
