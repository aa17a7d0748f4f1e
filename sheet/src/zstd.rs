//! Frames of a zstd stream, one after another.

use std::io::{self, BufRead, Read};

/// Frame after frame of a zstd stream.
pub(crate) struct Zstd<R: BufRead> {
    state: Option<State<R>>,
}

enum State<R: BufRead> {
    Between(R),
    Inside(Box<ruzstd::decoding::StreamingDecoder<R, ruzstd::decoding::FrameDecoder>>),
}

impl<R: BufRead> Zstd<R> {
    pub(crate) fn new(reader: R) -> Self {
        Zstd {
            state: Some(State::Between(reader)),
        }
    }
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
