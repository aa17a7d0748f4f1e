//! From the bytes of a file to text: compression, byte order mark, and what is no text at all.

use std::io::{BufRead, BufReader, Read};

use crate::error::{Place, Problem, SheetError};
use crate::packed::{GZIP, ZSTD, unpacked};

/// The text of a file.
pub(crate) type Unpacked = Box<dyn BufRead>;

const BUFFER: usize = 1 << 16;

/// How a file is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Packing {
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
    pub(crate) fn problem(self, error: &std::io::Error) -> Option<Problem> {
        use std::io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
        if self == Packing::Plain {
            return None;
        }
        let packing = self.name();
        match error.kind() {
            UnexpectedEof => Some(Problem::CutOff { packing }),
            // Our own reader calls so what stands behind the data; the decoder calls damage invalid input.
            InvalidData if self == Packing::Gzip => Some(Problem::Behind { packing }),
            InvalidData | InvalidInput => Some(Problem::Damaged { packing }),
            _ => None,
        }
    }
}

/// Unpacks what `reader` gives, by its first bytes.
///
/// # Errors
///
/// [`SheetError`] for what is no table: an empty file, an archive, UTF-16.
pub(crate) fn unpack(
    reader: impl Read + 'static,
    place: &Place,
) -> Result<(Unpacked, Packing), SheetError> {
    let mut packed = BufReader::with_capacity(BUFFER, reader);
    let packing = match recognised(&mut packed, place, Packing::Plain)? {
        Head::Text => Packing::Plain,
        Head::Packed(packing) => packing,
    };
    let mut text = unpacked(packed).map_err(|error| failed(place, packing, &error))?;
    if packing != Packing::Plain
        && let Head::Packed(inner) = recognised(&mut text, place, packing)?
    {
        let (outer, inner) = (packing.name(), inner.name());
        return Err(place.problem(Problem::PackedTwice { outer, inner }));
    }
    if text
        .fill_buf()
        .is_ok_and(|head| head.starts_with(&[0xef, 0xbb, 0xbf]))
    {
        text.consume(3);
    }
    Ok((text, packing))
}

/// What a failure to read the first bytes says.
fn failed(place: &Place, packing: Packing, error: &std::io::Error) -> SheetError {
    match packing.problem(error) {
        Some(problem) => place.clone().line(1).problem(problem),
        None => place.problem(Problem::reading(error)),
    }
}

enum Head {
    Text,
    Packed(Packing),
}

fn recognised(
    reader: &mut impl BufRead,
    place: &Place,
    packing: Packing,
) -> Result<Head, SheetError> {
    let head = reader
        .fill_buf()
        .map_err(|error| failed(place, packing, &error))?;
    let kind = match head {
        [] => return Err(place.problem(Problem::Empty)),
        _ if head.starts_with(&GZIP) => return Ok(Head::Packed(Packing::Gzip)),
        _ if head.starts_with(&ZSTD) => return Ok(Head::Packed(Packing::Zstd)),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => {
            return Err(place.clone().line(1).problem(Problem::Utf16));
        }
        [b'P', b'K', 3, 4, ..] => "a zip archive or a spreadsheet",
        [b'B', b'Z', b'h', ..] => "packed by bzip2",
        [0xfd, b'7', b'z', b'X', b'Z', ..] => "packed by xz",
        [b'7', b'z', 0xbc, 0xaf, ..] => "a 7z archive",
        [b'P', b'A', b'R', b'1', ..] => "a Parquet file",
        _ => return Ok(Head::Text),
    };
    Err(place.problem(Problem::Foreign { kind }))
}
