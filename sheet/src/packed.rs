//! Bytes that may be compressed.

use std::io::{self, BufRead, BufReader};

use crate::gzip::Gzip;
use crate::zstd::Zstd;

/// The first bytes of gzip data.
pub(crate) const GZIP: [u8; 2] = [0x1F, 0x8B];
/// The first bytes of a zstd frame.
pub(crate) const ZSTD: [u8; 4] = [0x28, 0xB5, 0x2F, 0xFD];

const BUFFER: usize = 1 << 18;

/// Returns the bytes behind `reader`, unpacked where its first bytes are those of gzip or zstd; several members or frames read as their
/// concatenation, other bytes come as they are.
///
/// # Errors
///
/// The error of `reader` at its first bytes, or a broken compressed header. Damage further on is an error of the reader that is returned.
///
/// ```
/// use std::io::Read;
/// let mut text = String::new();
/// hindsight_sheet::unpacked(&b"plain text"[..])?.read_to_string(&mut text)?;
/// assert_eq!(text, "plain text");
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn unpacked<R: BufRead + 'static>(mut reader: R) -> io::Result<Box<dyn BufRead>> {
    let head = reader.fill_buf()?;
    if head.starts_with(&GZIP) {
        Ok(Box::new(BufReader::with_capacity(
            BUFFER,
            Gzip::new(reader),
        )))
    } else if head.starts_with(&ZSTD) {
        Ok(Box::new(BufReader::with_capacity(
            BUFFER,
            Zstd::new(reader),
        )))
    } else {
        Ok(Box::new(reader))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read as _, Write as _};

    fn text() -> Vec<u8> {
        (0..20_000)
            .flat_map(|i| format!("line {i}\n").into_bytes())
            .collect()
    }

    fn read(bytes: Vec<u8>) -> io::Result<Vec<u8>> {
        let mut out = vec![];
        unpacked(BufReader::new(io::Cursor::new(bytes)))?.read_to_end(&mut out)?;
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
