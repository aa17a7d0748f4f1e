//! The samples of a zip archive (`.eval` of inspect_ai), one after the other, without seeking.

use std::io::{self, BufRead, BufReader, Read};

/// Signature of a file's header; anything else ends the files.
const HEADER: [u8; 4] = *b"PK\x03\x04";
/// Signature of what may follow a file of unknown size.
const DESCRIPTOR: [u8; 4] = *b"PK\x07\x08";

/// Reads the members under `samples/` that end with `.json`, one line each; the others are skipped.
pub(super) struct Zip<R: BufRead> {
    state: State<R>,
}

enum State<R: BufRead> {
    Between(R),
    Inside {
        member: Box<Member<R>>,
        wanted: bool,
        described: bool,
        wide: bool,
    },
    Done,
}

/// The bytes of one member.
enum Member<R: BufRead> {
    Stored(io::Take<R>),
    Deflated(flate2::bufread::DeflateDecoder<R>),
    Zstd(Box<ruzstd::decoding::StreamingDecoder<io::Take<R>, ruzstd::decoding::FrameDecoder>>),
}

impl<R: BufRead> Zip<R> {
    pub(super) fn new(reader: R) -> Self {
        Self {
            state: State::Between(reader),
        }
    }
}

fn damaged(problem: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, problem)
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |n, b| n << 8 | u64::from(*b))
}

/// The next member; `None` after the last.
fn header<R: BufRead>(mut reader: R) -> io::Result<Option<State<R>>> {
    let mut fixed = [0u8; 30];
    reader.read_exact(&mut fixed[..4])?;
    if fixed[..4] != HEADER {
        return Ok(None);
    }
    reader.read_exact(&mut fixed[4..])?;
    let (flags, method) = (number(&fixed[6..8]), number(&fixed[8..10]));
    let (mut size, full) = (number(&fixed[18..22]), number(&fixed[22..26]));
    let mut name = vec![0; usize::try_from(number(&fixed[26..28])).unwrap_or(0)];
    reader.read_exact(&mut name)?;
    let mut extra = vec![0; usize::try_from(number(&fixed[28..30])).unwrap_or(0)];
    reader.read_exact(&mut extra)?;
    let mut wide = false;
    let mut rest = &extra[..];
    while rest.len() >= 4 {
        let length = usize::try_from(number(&rest[2..4]))
            .unwrap_or(0)
            .min(rest.len() - 4);
        let field = &rest[4..4 + length];
        if number(&rest[..2]) == 1 {
            wide = true;
            let at = if full == 0xFFFF_FFFF { 8 } else { 0 };
            if size == 0xFFFF_FFFF && field.len() >= at + 8 {
                size = number(&field[at..at + 8]);
            }
        }
        rest = &rest[4 + length..];
    }
    let described = flags & 8 != 0;
    if flags & 1 != 0 {
        return Err(damaged("a member of the zip archive is encrypted"));
    }
    let member = match method {
        8 => Member::Deflated(flate2::bufread::DeflateDecoder::new(reader)),
        0 if !described => Member::Stored(reader.take(size)),
        93 if !described => Member::Zstd(Box::new(
            ruzstd::decoding::StreamingDecoder::new(reader.take(size))
                .map_err(|_| damaged("a zstd member of the zip archive is damaged"))?,
        )),
        _ => {
            return Err(damaged(
                "a member of the zip archive is compressed in an unknown way",
            ));
        }
    };
    let wanted = name.starts_with(b"samples/") && name.ends_with(b".json");
    Ok(Some(State::Inside {
        member: Box::new(member),
        wanted,
        described,
        wide,
    }))
}

/// What follows a member.
fn end<R: BufRead>(member: Member<R>, described: bool, wide: bool) -> io::Result<R> {
    let mut reader = match member {
        Member::Stored(take) => take.into_inner(),
        Member::Deflated(decoder) => decoder.into_inner(),
        Member::Zstd(decoder) => {
            let mut take = decoder.into_inner();
            io::copy(&mut take, &mut io::sink())?;
            take.into_inner()
        }
    };
    if described {
        let mut head = [0u8; 4];
        reader.read_exact(&mut head)?;
        // The signature is optional; sizes are of four bytes, or of eight in wide archives.
        let left = if wide { 16 } else { 8 } + if head == DESCRIPTOR { 4 } else { 0 };
        io::copy(&mut (&mut reader).take(left), &mut io::sink())?;
    }
    Ok(reader)
}

impl<R: BufRead> Read for Zip<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        let mut waste = [0u8; 4096];
        loop {
            match std::mem::replace(&mut self.state, State::Done) {
                State::Done => return Ok(0),
                State::Between(reader) => {
                    if let Some(next) = header(reader)? {
                        self.state = next;
                    }
                }
                State::Inside {
                    mut member,
                    wanted,
                    described,
                    wide,
                } => {
                    let buffer = if wanted { &mut *out } else { &mut waste[..] };
                    let n = match &mut *member {
                        Member::Stored(r) => r.read(buffer)?,
                        Member::Deflated(r) => r.read(buffer)?,
                        Member::Zstd(r) => r
                            .read(buffer)
                            .map_err(|_| damaged("a zstd member of the zip archive is damaged"))?,
                    };
                    if n > 0 {
                        self.state = State::Inside {
                            member,
                            wanted,
                            described,
                            wide,
                        };
                        if wanted {
                            // One line a member: in JSON a line feed is a blank.
                            for b in out[..n].iter_mut().filter(|b| **b == b'\n') {
                                *b = b' ';
                            }
                            return Ok(n);
                        }
                        continue;
                    }
                    self.state = State::Between(end(*member, described, wide)?);
                    if wanted {
                        out[0] = b'\n';
                        return Ok(1);
                    }
                }
            }
        }
    }
}

/// The samples of an archive as one stream.
pub(super) fn samples<R: BufRead + 'static>(reader: R, capacity: usize) -> Box<dyn BufRead> {
    Box::new(BufReader::with_capacity(capacity, Zip::new(reader)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    /// A member as Python's zipfile writes it, its sizes in the header or in a descriptor.
    fn member(name: &str, text: &str, deflated: bool, described: bool) -> Vec<u8> {
        let mut data = text.as_bytes().to_vec();
        if deflated {
            let mut encoder =
                flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
            encoder.write_all(text.as_bytes()).unwrap();
            data = encoder.finish().unwrap();
        }
        let le4 = |v: usize| u32::try_from(v).unwrap().to_le_bytes();
        let sizes = [le4(data.len()), le4(text.len())].concat();
        let mut out = b"PK\x03\x04\x14\x00".to_vec();
        out.extend([
            if described { 8u8 } else { 0 },
            0,
            if deflated { 8 } else { 0 },
            0,
            0,
            0,
            0,
            0,
            1,
            2,
            3,
            4,
        ]);
        out.extend(if described { vec![0; 8] } else { sizes.clone() });
        out.extend(u16::try_from(name.len()).unwrap().to_le_bytes());
        out.extend([0, 0]);
        out.extend(name.as_bytes());
        out.extend(data);
        if described {
            out.extend(b"PK\x07\x08\x01\x02\x03\x04");
            out.extend(sizes);
        }
        out
    }

    #[test]
    fn samples_come_out_in_order_and_other_members_do_not() {
        let archive = [
            member("header.json", "{\"eval\": 1}", true, false),
            member("samples/1_epoch_1.json", "{\"id\": 1}", true, true),
            member("samples/2_epoch_1.json", "{\n \"id\": 2\n}", true, false),
            member("samples/3_epoch_1.json", "{\"id\": 3}", false, false),
            member("summaries.json", "[]", false, false),
            b"PK\x01\x02 the directory".to_vec(),
        ]
        .concat();
        let mut text = String::new();
        samples(io::Cursor::new(archive.clone()), 64)
            .read_to_string(&mut text)
            .unwrap();
        assert_eq!(text, "{\"id\": 1}\n{  \"id\": 2 }\n{\"id\": 3}\n");
        let cut = archive[..archive.len() / 2].to_vec();
        assert!(
            samples(io::Cursor::new(cut), 64)
                .read_to_string(&mut text)
                .is_err()
        );
    }
}
