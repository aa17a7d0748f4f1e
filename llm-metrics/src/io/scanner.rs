//! The grammar of JSON: a cursor over the bytes of one line.

use memchr::memchr2;

use super::number::{grammatical, number};
use super::spans::{Slot, Spans};

/// A fault and the byte at which it was seen.
pub(super) type Fault = (usize, String);

pub(super) type Scan<T> = Result<T, Fault>;

/// How deep values may nest: far above any log, far below the stack.
pub(super) const DEPTH: usize = 128;

/// A place in a line, and where the values seen are noted.
pub(super) struct Scanner<'a, 'n> {
    pub(super) bytes: &'a [u8],
    pub(super) at: usize,
    pub(super) spans: Option<&'n mut Spans>,
}

impl<'a> Scanner<'a, '_> {
    pub(super) fn fault(&self, problem: &str) -> Fault {
        match self.peek() {
            None => (self.at, format!("{problem}, found the end of the line")),
            Some(b) if b.is_ascii_graphic() => {
                (self.at, format!("{problem}, found {:?}", char::from(b)))
            }
            Some(b) => (self.at, format!("{problem}, found byte {b}")),
        }
    }

    #[inline(always)]
    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    #[inline(always)]
    pub(super) fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    /// The raw bytes of the string that starts here (between its quotes).
    #[inline]
    pub(super) fn string(&mut self) -> Scan<&'a [u8]> {
        self.at += 1;
        let start = self.at;
        // Most keys and many values are short: two words of eight bytes before the vector search is set up.
        for word in 0..2 {
            let from = start + 8 * word;
            let Some(eight) = self.bytes.get(from..).and_then(<[u8]>::first_chunk::<8>) else {
                break;
            };
            if let Some(i) = quote_or_backslash(u64::from_le_bytes(*eight)) {
                if self.bytes[from + i] == b'"' {
                    self.at = from + i + 1;
                    return Ok(&self.bytes[start..from + i]);
                }
                break;
            }
        }
        loop {
            match memchr2(b'"', b'\\', self.bytes.get(self.at..).unwrap_or(&[])) {
                None => {
                    self.at = self.bytes.len();
                    return Err(self.fault("expected the end of a string"));
                }
                Some(i) => {
                    self.at += i + 1;
                    if self.bytes[self.at - 1] == b'"' {
                        return Ok(&self.bytes[start..self.at - 1]);
                    }
                    self.at += 1;
                }
            }
        }
    }

    /// The members of the object that starts here; `visit` must consume each value.
    #[inline]
    pub(super) fn members(
        &mut self,
        mut visit: impl FnMut(&mut Self, &'a [u8]) -> Scan<()>,
    ) -> Scan<()> {
        if self.peek() != Some(b'{') {
            return Err(self.fault("expected an object"));
        }
        self.at += 1;
        self.space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.space();
            if self.peek() != Some(b'"') {
                return Err(self.fault("expected a key in quotes"));
            }
            let key = self.string()?;
            self.space();
            if self.peek() != Some(b':') {
                return Err(self.fault("expected a colon"));
            }
            self.at += 1;
            self.space();
            visit(self, key)?;
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return Ok(());
                }
                _ => return Err(self.fault("expected a comma or the end of the object")),
            }
        }
    }

    /// The elements of the array that starts here; `visit` must consume each.
    #[inline]
    pub(super) fn elements(&mut self, mut visit: impl FnMut(&mut Self) -> Scan<()>) -> Scan<()> {
        self.at += 1;
        self.space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.space();
            visit(self)?;
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return Ok(());
                }
                _ => return Err(self.fault("expected a comma or the end of the array")),
            }
        }
    }

    /// true, false or null; returns its first letter.
    pub(super) fn word(&mut self) -> Scan<u8> {
        for word in ["true", "false", "null"] {
            if self.bytes[self.at..].starts_with(word.as_bytes()) {
                self.at += word.len();
                return Ok(word.as_bytes()[0]);
            }
        }
        Err(self.fault("expected a value"))
    }

    #[inline]
    pub(super) fn number(&mut self) -> Scan<f64> {
        match number(&self.bytes[self.at..]) {
            Some((value, length)) => {
                self.at += length;
                Ok(value)
            }
            None if self.bytes[self.at..].starts_with(b"NaN") => Err((
                self.at,
                "NaN is no JSON number and no measurement".to_owned(),
            )),
            None => match self.infinity() {
                Some(v) => Ok(v),
                None if matches!(self.peek(), Some(b'-' | b'0'..=b'9' | b'.' | b'+')) => {
                    Err(self.fault("expected a number as JSON writes it"))
                }
                None => Err(self.fault("expected a value")),
            },
        }
    }

    /// Infinity or -Infinity, as Python writes them.
    fn infinity(&mut self) -> Option<f64> {
        for (word, value) in [
            ("Infinity", f64::INFINITY),
            ("-Infinity", f64::NEG_INFINITY),
        ] {
            if self.bytes[self.at..].starts_with(word.as_bytes()) {
                self.at += word.len();
                return Some(value);
            }
        }
        None
    }

    /// Skips any value, checking brackets, strings, commas and colons.
    pub(super) fn skip(&mut self, depth: usize) -> Scan<()> {
        if depth > DEPTH {
            return Err(self.fault("values nest too deep"));
        }
        match self.peek() {
            Some(b'{') => self.members(|s, _| s.skip(depth + 1)),
            Some(b'[') => {
                let start = self.at;
                // The array is one value: what is in it is not noted.
                let spans = self.spans.take();
                let mut nested = false;
                let passed = self.elements(|s| {
                    nested |= matches!(s.peek(), Some(b'[' | b'{'));
                    s.skip(depth + 1)
                });
                self.spans = spans;
                if nested {
                    self.irregular();
                }
                self.note(start, None);
                passed
            }
            _ => {
                let start = self.at;
                self.skip_plain()?;
                self.note(start, None);
                Ok(())
            }
        }
    }

    /// Skips a string, a word or a number.
    pub(super) fn skip_plain(&mut self) -> Scan<()> {
        match self.peek() {
            Some(b'"') => self.string().map(|_| ()),
            Some(b't' | b'f' | b'n') => self.word().map(|_| ()),
            // Python writes these; in a field that nobody reads they do no harm.
            Some(b'N') if self.bytes[self.at..].starts_with(b"NaN") => {
                self.at += 3;
                Ok(())
            }
            Some(b'I' | b'-' | b'.' | b'+' | b'0'..=b'9') => {
                if let Some(length) = grammatical(&self.bytes[self.at..]) {
                    self.at += length;
                    return Ok(());
                }
                match self.infinity() {
                    Some(_) => Ok(()),
                    None => Err(self.fault("expected a number as JSON writes it")),
                }
            }
            _ => Err(self.fault("expected a value")),
        }
    }

    #[inline(always)]
    pub(super) fn note(&mut self, start: usize, field: Option<usize>) {
        if let Some(spans) = &mut self.spans {
            let end = self.at;
            spans.slots.push(Slot { start, end, field });
        }
    }

    #[inline(always)]
    pub(super) fn irregular(&mut self) {
        if let Some(spans) = &mut self.spans {
            spans.irregular = true;
        }
    }
}

/// The first of eight bytes (the first byte lowest) that is a quote or a backslash.
#[inline(always)]
fn quote_or_backslash(word: u64) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    // A byte that becomes 0 gets its high bit set; a borrow reaches later bytes only.
    let zero = |v: u64| v.wrapping_sub(ONES) & !v;
    let found = (zero(word ^ (ONES * 0x22)) | zero(word ^ (ONES * 0x5C))) & (ONES * 0x80);
    (found != 0).then(|| found.trailing_zeros() as usize / 8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn strings_end_at_the_first_quote_that_no_backslash_escapes(
            text in proptest::collection::vec(prop_oneof![4 => any::<u8>(), 1 => Just(b'"'), 1 => Just(b'\\'), 1 => Just(b'#'), 1 => Just(b'!')], 0..40),
        ) {
            let bytes = [b"\"", &text[..]].concat();
            let mut s = Scanner { bytes: &bytes, at: 0, spans: None };
            let (mut at, mut end) = (1, None);
            while at < bytes.len() {
                match bytes[at] {
                    b'\\' => at += 2,
                    b'"' => { end = Some(at); break; }
                    _ => at += 1,
                }
            }
            match end {
                Some(end) => prop_assert_eq!(s.string().map(|t| (t.to_vec(), s.at)), Ok((bytes[1..end].to_vec(), end + 1))),
                None => prop_assert!(s.string().is_err()),
            }
        }
    }
}
