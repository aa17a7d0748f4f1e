//! Files that may be compressed.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

const BUFFER: usize = 1 << 18;

/// Returns a reader of `path`, or of the standard input for `-`. Gzip, zstd and zip are recognised by their first bytes, not by the name; a file of
/// several compressed members reads as their concatenation. Of a zip archive the samples of inspect_ai (`samples/*.json`) are read.
///
/// # Errors
/// The system's error if the file cannot be opened, or a broken compressed header.
pub fn open(path: &Path) -> io::Result<Box<dyn BufRead>> {
    let raw: Box<dyn Read> = if path.as_os_str() == "-" {
        Box::new(io::stdin())
    } else {
        Box::new(File::open(path)?)
    };
    decompressed(BufReader::with_capacity(BUFFER, raw))
}

/// Returns the bytes behind `reader`, decompressed where its first bytes are those of gzip, zstd or zip, as [`open`] does for a file.
///
/// # Errors
/// The error of `reader` at its first bytes, or a broken compressed header; Parquet files, as of lighteval's details, must be converted first.
pub fn decompressed<R: BufRead + 'static>(mut reader: R) -> io::Result<Box<dyn BufRead>> {
    let head = reader.fill_buf()?;
    if head.starts_with(b"PK\x03\x04") {
        Ok(super::zip::samples(reader, BUFFER))
    } else if head.starts_with(b"PAR1") {
        Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "this is a Parquet file, which is not read: convert it to JSON lines, with DuckDB or pandas say",
        ))
    } else {
        hindsight_sheet::unpacked(reader)
    }
}
