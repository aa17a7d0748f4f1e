//! The command as a user runs it, for the tests of its subcommands.

use std::ffi::OsStr;
use std::process::Command;

/// The standard output, or the exit code and the words of the error.
pub(crate) fn run<S: AsRef<OsStr>>(
    arguments: impl IntoIterator<Item = S>,
) -> Result<String, (i32, String)> {
    let output = Command::new(env!("CARGO_BIN_EXE_hindsight"))
        .args(arguments)
        .output()
        .unwrap();
    if output.status.success() {
        return Ok(String::from_utf8(output.stdout).unwrap());
    }
    let words = String::from_utf8(output.stderr).unwrap();
    let words = words.trim_start_matches("hindsight: ").trim_end();
    Err((output.status.code().unwrap(), words.to_owned()))
}
