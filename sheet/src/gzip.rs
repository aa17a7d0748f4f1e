//! Members of a gzip file, one after another, and what may stand behind the last.

use std::io::{self, BufRead, Read};

use flate2::bufread::GzDecoder;

/// Member after member of a gzip stream. Zeros behind the last member, with which tapes and block devices fill up, are skipped; anything
/// else there is an error.
pub(crate) struct Gzip<R: BufRead> {
    state: Option<State<R>>,
}

enum State<R: BufRead> {
    Between(R),
    Inside(Box<GzDecoder<R>>),
}

impl<R: BufRead> Gzip<R> {
    pub(crate) fn new(reader: R) -> Self {
        Gzip {
            state: Some(State::Between(reader)),
        }
    }
}

impl<R: BufRead> Read for Gzip<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        loop {
            match self.state.take() {
                None => return Ok(0),
                Some(State::Between(mut reader)) => match reader.fill_buf()?.first() {
                    None => return Ok(0),
                    Some(0) => return only_zeros(reader).map(|()| 0),
                    Some(0x1F) => {
                        self.state = Some(State::Inside(Box::new(GzDecoder::new(reader))));
                    }
                    Some(_) => return Err(rubbish()),
                },
                Some(State::Inside(mut member)) => {
                    let n = member.read(out)?;
                    if n > 0 {
                        self.state = Some(State::Inside(member));
                        return Ok(n);
                    }
                    self.state = Some(State::Between(member.into_inner()));
                }
            }
        }
    }
}

fn only_zeros(mut reader: impl BufRead) -> io::Result<()> {
    loop {
        let bytes = reader.fill_buf()?;
        if bytes.is_empty() {
            return Ok(());
        }
        if bytes.iter().any(|&byte| byte != 0) {
            return Err(rubbish());
        }
        let length = bytes.len();
        reader.consume(length);
    }
}

fn rubbish() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        "there are other bytes behind the gzip data",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn read(parts: &[&[u8]]) -> io::Result<String> {
        let bytes = parts.concat();
        let mut text = String::new();
        Gzip::new(&bytes[..]).read_to_string(&mut text)?;
        Ok(text)
    }

    #[test]
    fn zeros_behind_are_skipped_and_rubbish_is_refused() {
        let mut packed = flate2::write::GzEncoder::new(vec![], flate2::Compression::fast());
        packed.write_all(b"week\n").unwrap();
        let member = packed.finish().unwrap();
        assert_eq!(read(&[&member, &member]).unwrap(), "week\nweek\n");
        assert_eq!(read(&[&member, &[0; 700]]).unwrap(), "week\n");
        for behind in [&b"x"[..], b"\0\0x", b"\x1f\x8b"] {
            assert!(read(&[&member, behind]).is_err(), "{behind:?}");
        }
        assert!(read(&[&member[..member.len() - 5]]).is_err());
    }
}
