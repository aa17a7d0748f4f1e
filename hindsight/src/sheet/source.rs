//! From the bytes of a file to text: compression, byte order mark, and what is no text at all.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use crate::error::{CliError, Place};

/// The text of a file.
pub(super) type Unpacked = Box<dyn BufRead>;

const BUFFER: usize = 1 << 16;

/// How a file is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packing {
    Plain,
    Gzip,
    Zstd,
}

impl Packing {
    fn name(self) -> &'static str {
        match self {
            Packing::Plain => "plain",
            Packing::Gzip => "gzip",
            Packing::Zstd => "zstd",
        }
    }

    /// What a reading error says about the packing; none where the disk failed.
    pub(super) fn problem(self, error: &std::io::Error) -> Option<String> {
        use std::io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
        if self == Packing::Plain {
            return None;
        }
        let name = self.name();
        match error.kind() {
            UnexpectedEof => Some(format!(
                "the {name} data end too early: the file is cut off"
            )),
            // Words of our own reader: what stands behind the data.
            InvalidData if self == Packing::Gzip => Some(error.to_string()),
            InvalidData | InvalidInput => Some(format!("the {name} data are damaged or cut off")),
            _ => None,
        }
    }
}

/// Unpacks what `reader` gives, by its first bytes.
///
/// # Errors
///
/// [`CliError::Input`] for what is no table: an empty file, an archive, UTF-16.
pub(super) fn unpack(
    reader: impl Read + 'static,
    name: &Path,
) -> Result<(Unpacked, Packing), CliError> {
    let mut packed = BufReader::with_capacity(BUFFER, reader);
    let packing = match recognised(&mut packed, name, Packing::Plain)? {
        Head::Text => Packing::Plain,
        Head::Packed(packing) => packing,
    };
    let mut text = llm_metrics::io::decompressed(packed).map_err(|error| {
        packing.problem(&error).map_or_else(
            || CliError::reading(name, &error),
            |problem| Place::file(name).line(1).error(problem),
        )
    })?;
    if packing != Packing::Plain
        && let Head::Packed(inner) = recognised(&mut text, name, packing)?
    {
        return Err(Place::file(name).error(format!(
            "is {} packed twice: the {} data hold {} data again",
            packing.name(),
            packing.name(),
            inner.name()
        )));
    }
    if text
        .fill_buf()
        .is_ok_and(|head| head.starts_with(&[0xef, 0xbb, 0xbf]))
    {
        text.consume(3);
    }
    Ok((text, packing))
}

enum Head {
    Text,
    Packed(Packing),
}

fn recognised(reader: &mut impl BufRead, name: &Path, packing: Packing) -> Result<Head, CliError> {
    let place = Place::file(name);
    let head = reader.fill_buf().map_err(|error| {
        packing.problem(&error).map_or_else(
            || CliError::reading(name, &error),
            |problem| place.clone().line(1).error(problem),
        )
    })?;
    let other = match head {
        [] => return Err(place.error("is empty")),
        [0x1f, 0x8b, ..] => return Ok(Head::Packed(Packing::Gzip)),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => return Ok(Head::Packed(Packing::Zstd)),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => {
            return Err(place.line(1).error("is in UTF-16; save it as UTF-8"));
        }
        [b'P', b'K', 3, 4, ..] => "a zip archive or a spreadsheet",
        [b'B', b'Z', b'h', ..] => "packed by bzip2",
        [0xfd, b'7', b'z', b'X', b'Z', ..] => "packed by xz",
        [b'7', b'z', 0xbc, 0xaf, ..] => "a 7z archive",
        [b'P', b'A', b'R', b'1', ..] => "a Parquet file",
        _ => return Ok(Head::Text),
    };
    Err(place.error(format!("is {other}; save it as CSV (plain, gzip or zstd)")))
}
