//! A reader that turns line ends of any system into one form, so that lines are counted as editors count them.

use std::io::{Read, Result};

/// The bytes of `inner` with `\r\n` as `\n`, and with a line end after the last line.
#[derive(Debug)]
pub(crate) struct UnixLines<R> {
    inner: R,
    held_return: bool,
    last: u8,
    ended: bool,
}

impl<R: Read> UnixLines<R> {
    pub(crate) fn new(inner: R) -> Self {
        UnixLines {
            inner,
            held_return: false,
            last: b'\n',
            ended: false,
        }
    }

    /// Copies `from` to the front of `to` without returns that stand before a line feed; `to` has room for one byte more.
    fn convert(&mut self, from: &[u8], to: &mut [u8]) -> usize {
        let mut length = 0;
        for &byte in from {
            if self.held_return && byte != b'\n' {
                to[length] = b'\r';
                length += 1;
            }
            self.held_return = byte == b'\r';
            if !self.held_return {
                to[length] = byte;
                length += 1;
                self.last = byte;
            }
        }
        length
    }
}

impl<R: Read> Read for UnixLines<R> {
    fn read(&mut self, out: &mut [u8]) -> Result<usize> {
        let mut chunk = [0; 8192];
        // A held return may come out besides.
        let room = out.len().saturating_sub(1).min(chunk.len());
        if room == 0 {
            // Callers that read byte by byte are not served; the CSV reader never does.
            return if out.is_empty() {
                Ok(0)
            } else {
                Err(std::io::Error::from(std::io::ErrorKind::InvalidInput))
            };
        }
        while !self.ended {
            let count = self.inner.read(&mut chunk[..room])?;
            if count == 0 {
                self.ended = true;
                if self.held_return || self.last != b'\n' {
                    out[0] = b'\n';
                    return Ok(1);
                }
                break;
            }
            let length = self.convert(&chunk[..count], out);
            if length > 0 {
                return Ok(length);
            }
        }
        Ok(0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn convert(text: &[u8], step: usize) -> Vec<u8> {
        let mut reader = UnixLines::new(text);
        let (mut out, mut buffer) = (Vec::new(), vec![0; step]);
        loop {
            match reader.read(&mut buffer).unwrap() {
                0 => return out,
                count => out.extend_from_slice(&buffer[..count]),
            }
        }
    }

    proptest! {
        #[test]
        fn as_if_replaced_at_once(parts in prop::collection::vec(prop::sample::select(vec!["\r", "\n", "\r\n", "a", "bc"]), 0..30), step in 2usize..9) {
            let text = parts.concat();
            let mut expected = text.replace("\r\n", "\n");
            if expected.ends_with('\r') {
                expected.pop();
            }
            if !expected.is_empty() && !expected.ends_with('\n') || text.ends_with('\r') {
                expected.push('\n');
            }
            prop_assert_eq!(String::from_utf8(convert(text.as_bytes(), step)).unwrap(), expected);
        }
    }
}
