//! The bytes between the values of a line, and the values of another line that repeats them.

use memchr::memchr3;

use super::number::number;
use super::spans::Slot;

/// A plain value of a wanted field.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Scalar {
    /// Not there, or null.
    Missing,
    Number(f64),
    Bool(bool),
    /// A range of the numbers read with it.
    Numbers(usize, usize),
}

/// The largest number of wanted fields.
pub(super) const FIELDS: usize = 8;

/// The plain values of a line by wanted field: kinds and numbers apart, so that neither is copied through memory byte by byte.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Scalars {
    kinds: [Kind; FIELDS],
    /// Of an array, the bits are its range: start, then end, in 32 bits each.
    numbers: [f64; FIELDS],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Kind {
    #[default]
    Missing,
    Number,
    True,
    False,
    Numbers,
}

impl Scalars {
    /// The value of the wanted field number `field`.
    #[inline(always)]
    pub(super) fn get(&self, field: usize) -> Scalar {
        match self.kinds.get(field) {
            None | Some(Kind::Missing) => Scalar::Missing,
            Some(Kind::Number) => Scalar::Number(self.numbers[field]),
            Some(Kind::True) => Scalar::Bool(true),
            Some(Kind::False) => Scalar::Bool(false),
            Some(Kind::Numbers) => {
                let range = self.numbers[field].to_bits();
                #[allow(clippy::cast_possible_truncation)] // 32 bits each.
                let (start, end) = ((range >> 32) as usize, (range & 0xFFFF_FFFF) as usize);
                Scalar::Numbers(start, end)
            }
        }
    }
}

/// The bytes between the values of a line, and which values are wanted.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Layout {
    parts: Vec<Part>,
    tail: Literal,
}

#[derive(Debug, PartialEq)]
struct Part {
    before: Literal,
    field: Option<usize>,
}

/// Bytes to be met again.
#[derive(Debug, Default, PartialEq)]
struct Literal {
    bytes: Vec<u8>,
    /// The first eight of them as a number, and which of its bits count.
    word: u64,
    mask: u64,
}

impl Literal {
    fn new(bytes: &[u8]) -> Self {
        let mut word = [0u8; 8];
        let n = bytes.len().min(8);
        word[..n].copy_from_slice(&bytes[..n]);
        Self {
            bytes: bytes.to_vec(),
            word: u64::from_le_bytes(word),
            mask: if n == 8 { u64::MAX } else { (1 << (8 * n)) - 1 },
        }
    }

    /// What follows in `bytes` after this literal.
    #[inline(always)]
    fn strip<'a>(&self, bytes: &'a [u8]) -> Option<&'a [u8]> {
        let Some(eight) = bytes.first_chunk::<8>() else {
            return bytes.strip_prefix(&self.bytes[..]);
        };
        if u64::from_le_bytes(*eight) & self.mask != self.word {
            return None;
        }
        if self.bytes.len() <= 8 {
            return bytes.get(self.bytes.len()..);
        }
        // Longer ones by two overlapping words up to sixteen bytes.
        if let (Some(last), Some(wanted)) = (
            bytes
                .get(self.bytes.len() - 8..)
                .and_then(<[u8]>::first_chunk::<8>),
            self.bytes.last_chunk::<8>(),
        ) && self.bytes.len() <= 16
        {
            return (last == wanted).then(|| &bytes[self.bytes.len()..]);
        }
        bytes.strip_prefix(&self.bytes[..])
    }
}

impl Layout {
    /// The layout of a line whose values are `slots`.
    pub(super) fn new(line: &[u8], slots: &[Slot]) -> Self {
        let mut at = 0;
        let mut parts = Vec::with_capacity(slots.len());
        for slot in slots {
            parts.push(Part {
                before: Literal::new(&line[at..slot.start]),
                field: slot.field,
            });
            at = slot.end;
        }
        Self {
            parts,
            tail: Literal::new(&line[at..]),
        }
    }

    /// Reads the line that starts `bytes`; returns its length with the line feed.
    #[inline(always)]
    pub(super) fn read(
        &self,
        bytes: &[u8],
        scalars: &mut Scalars,
        numbers: &mut Vec<f64>,
    ) -> Option<usize> {
        if self.parts.is_empty() {
            return None;
        }
        let mut rest = bytes;
        for part in &self.parts {
            rest = part.before.strip(rest)?;
            rest = match part.field {
                Some(field) if rest.first() == Some(&b'[') => {
                    let start = u32::try_from(numbers.len()).ok()?;
                    rest = array(rest, numbers)?;
                    let end = u32::try_from(numbers.len()).ok()?;
                    *scalars.kinds.get_mut(field)? = Kind::Numbers;
                    scalars.numbers[field] =
                        f64::from_bits(u64::from(start) << 32 | u64::from(end));
                    rest
                }
                Some(field) => {
                    let (kind, number, length) = scalar(rest)?;
                    *scalars.kinds.get_mut(field)? = kind;
                    scalars.numbers[field] = number;
                    rest.get(length..)?
                }
                None if rest.first() == Some(&b'"') => string(rest)?,
                None if rest.first() == Some(&b'[') => pass_array(rest)?,
                None => rest.get(scalar(rest)?.2..)?,
            };
        }
        rest = self.tail.strip(rest)?;
        if rest.first() == Some(&b'\r') {
            rest = &rest[1..];
        }
        (rest.first() == Some(&b'\n')).then(|| bytes.len() - rest.len() + 1)
    }
}

/// Kind, value and length of the number or word that starts `bytes`.
#[inline(always)]
fn scalar(bytes: &[u8]) -> Option<(Kind, f64, usize)> {
    match bytes.first()? {
        b'-' | b'0'..=b'9' => number(bytes).map(|(v, length)| (Kind::Number, v, length)),
        b't' if bytes.starts_with(b"true") => Some((Kind::True, 0.0, 4)),
        b'f' if bytes.starts_with(b"false") => Some((Kind::False, 0.0, 5)),
        b'n' if bytes.starts_with(b"null") => Some((Kind::Missing, 0.0, 4)),
        _ => None,
    }
}

/// What follows the string that starts `bytes`, if it ends on this line.
#[inline]
fn string(bytes: &[u8]) -> Option<&[u8]> {
    let mut rest = bytes.get(1..)?;
    loop {
        let at = memchr3(b'"', b'\\', b'\n', rest)?;
        match rest[at] {
            b'"' => return rest.get(at + 1..),
            b'\\' if rest.get(at + 1).is_some_and(|b| *b != b'\n') => rest = rest.get(at + 2..)?,
            _ => return None,
        }
    }
}

/// What follows the array of numbers that starts `bytes`; the numbers are added to `numbers`. Written as programs do, with a comma and at most
/// one blank between two of them.
#[inline]
fn array<'a>(bytes: &'a [u8], numbers: &mut Vec<f64>) -> Option<&'a [u8]> {
    let mut rest = bytes.get(1..)?;
    loop {
        let (value, length) = number(rest)?;
        numbers.push(value);
        rest = next_element(rest.get(length..)?)?;
        if rest.first() == Some(&b']') {
            return rest.get(1..);
        }
    }
}

/// What follows the array of plain values that starts `bytes`.
fn pass_array(bytes: &[u8]) -> Option<&[u8]> {
    let mut rest = bytes.get(1..)?;
    if rest.first() == Some(&b']') {
        return rest.get(1..);
    }
    loop {
        rest = match rest.first()? {
            b'"' => string(rest)?,
            _ => rest.get(scalar(rest)?.2..)?,
        };
        rest = next_element(rest)?;
        if rest.first() == Some(&b']') {
            return rest.get(1..);
        }
    }
}

/// The next element of an array after one of its elements, or the bracket at its end. A bracket after a comma is nobody's.
#[inline(always)]
fn next_element(bytes: &[u8]) -> Option<&[u8]> {
    match bytes.first()? {
        b']' => Some(bytes),
        b',' => {
            let blank = usize::from(bytes.get(1) == Some(&b' '));
            let rest = bytes.get(1 + blank..)?;
            (rest.first() != Some(&b']')).then_some(rest)
        }
        _ => None,
    }
}
