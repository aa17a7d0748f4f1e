//! Files of JSON objects, one a line.

use std::io::{BufRead, BufReader};
use std::path::Path;

use crate::error::{CliError, Complain as _, Place};
use crate::inputs::Inputs;

/// Calls `visit` with the number (from 1) and the text of each line that is not blank; a line that is no text comes as words that say so. A byte order mark
/// is skipped.
pub(super) fn each_line(
    inputs: &Inputs,
    path: &Path,
    mut visit: impl FnMut(u64, Result<&str, &'static str>) -> Result<(), CliError>,
) -> Result<(), CliError> {
    let mut reader = BufReader::new(inputs.open(path)?);
    let mut bytes = Vec::new();
    let (mut number, mut any) = (0, false);
    loop {
        bytes.clear();
        let read = reader
            .read_until(b'\n', &mut bytes)
            .map_err(|e| CliError::reading(path, &e))?;
        if read == 0 {
            break;
        }
        number += 1;
        let mut line = bytes.as_slice();
        if number == 1 {
            line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
        }
        let line = std::str::from_utf8(line).map_err(|_| "is not UTF-8 text");
        if line.is_ok_and(|l| l.trim().is_empty()) {
            continue;
        }
        any = true;
        visit(number, line.map(str::trim))?;
    }
    if any {
        Ok(())
    } else {
        Err(Place::file(path).error("has no lines"))
    }
}

/// The parser's words with the character instead of the line, which the place tells.
pub(super) fn json_problem(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let words = text.split(" at line ").next().unwrap_or(&text);
    format!("{words} (character {})", error.column())
}
