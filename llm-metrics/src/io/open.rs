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
    if head.starts_with(&[0x1F, 0x8B]) {
        Ok(Box::new(BufReader::with_capacity(
            BUFFER,
            flate2::bufread::MultiGzDecoder::new(reader),
        )))
    } else if head.starts_with(&[0x28, 0xB5, 0x2F, 0xFD]) {
        Ok(Box::new(BufReader::with_capacity(
            BUFFER,
            Zstd {
                state: Some(State::Between(reader)),
            },
        )))
    } else if head.starts_with(b"PK\x03\x04") {
        Ok(super::zip::samples(reader, BUFFER))
    } else if head.starts_with(b"PAR1") {
        Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "this is a Parquet file, which is not read: convert it to JSON lines, with DuckDB or pandas say",
        ))
    } else {
        Ok(Box::new(reader))
    }
}

/// Frame after frame of a zstd stream.
struct Zstd<R: BufRead> {
    state: Option<State<R>>,
}

enum State<R: BufRead> {
    Between(R),
    Inside(Box<ruzstd::decoding::StreamingDecoder<R, ruzstd::decoding::FrameDecoder>>),
}

impl<R: BufRead> Read for Zstd<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        loop {
            match self.state.take() {
                None => return Ok(0),
                Some(State::Between(mut reader)) => {
                    if reader.fill_buf()?.is_empty() {
                        return Ok(0);
                    }
                    let frame =
                        ruzstd::decoding::StreamingDecoder::new(reader).map_err(|_| damaged())?;
                    self.state = Some(State::Inside(Box::new(frame)));
                }
                Some(State::Inside(mut frame)) => {
                    let n = frame.read(out).map_err(|_| damaged())?;
                    if n > 0 {
                        self.state = Some(State::Inside(frame));
                        return Ok(n);
                    }
                    self.state = Some(State::Between(frame.into_inner()));
                }
            }
        }
    }
}

/// The decoder's own words are about its insides.
fn damaged() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        "the zstd data are damaged or cut short",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn text() -> Vec<u8> {
        (0..20_000)
            .flat_map(|i| format!("line {i}\n").into_bytes())
            .collect()
    }

    fn read(bytes: Vec<u8>) -> io::Result<Vec<u8>> {
        let mut out = vec![];
        decompressed(BufReader::new(io::Cursor::new(bytes)))?.read_to_end(&mut out)?;
        Ok(out)
    }

    #[test]
    fn plain_and_gzip_members_read_alike_and_broken_ones_fail() {
        let gz = |part: &[u8]| {
            let mut e = flate2::write::GzEncoder::new(vec![], flate2::Compression::fast());
            e.write_all(part).unwrap();
            e.finish().unwrap()
        };
        let all = text();
        assert_eq!(read(all.clone()).unwrap(), all);
        let (a, b) = all.split_at(777);
        assert_eq!(read([gz(a), gz(b)].concat()).unwrap(), all);
        let mut broken = gz(&all);
        broken.truncate(broken.len() / 2);
        assert!(read(broken).is_err());
        assert!(read(vec![]).unwrap().is_empty());
    }

    #[test]
    fn zstd_frames_read_as_their_concatenation() {
        let pack = |part: &[u8]| {
            ruzstd::encoding::compress_to_vec(part, ruzstd::encoding::CompressionLevel::Fastest)
        };
        let all = text();
        let (a, b) = all.split_at(100_000);
        assert_eq!(read([pack(a), pack(b)].concat()).unwrap(), all);
        let mut broken = pack(&all);
        broken.truncate(broken.len() / 2);
        assert!(read(broken).is_err());
    }
}
