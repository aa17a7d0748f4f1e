//! JSON objects out of a document that is not one object a line: an array, objects over several lines, or an object that holds the records.

use std::io::BufRead;

use super::error::ReadError;

/// The longest record, in bytes; a longer one is an error.
pub(super) const RECORD_LIMIT: usize = 64 << 20;
/// How deep values may nest.
const DEPTH: usize = 128;

/// Names under which evaluation tools keep their records: inspect_ai, promptfoo, DeepEval, HELM, and exports of others.
const HOLDERS: [&[u8]; 12] = [
    b"samples",
    b"results",
    b"testCases",
    b"test_cases",
    b"testCasesData",
    b"testRunData",
    b"test_results",
    b"conversationalTestCases",
    b"request_states",
    b"records",
    b"data",
    b"rows",
];

/// One object, and where it starts.
#[derive(Debug, Default)]
pub(super) struct Frame {
    pub(super) bytes: Vec<u8>,
    /// Line of the first byte, from 1, and bytes before it on that line.
    pub(super) line: u64,
    pub(super) column: usize,
}

impl Frame {
    /// Line and byte, from 1, of a place within the object.
    pub(super) fn place(&self, at: usize) -> (u64, usize) {
        let before = &self.bytes[..at.min(self.bytes.len())];
        match memchr::memrchr(b'\n', before) {
            None => (self.line, self.column + at + 1),
            Some(last) => {
                let lines = memchr::memchr_iter(b'\n', before).count() as u64;
                (self.line + lines, at - last)
            }
        }
    }
}

/// Reads the objects of a document one at a time.
#[derive(Debug)]
pub(super) struct Frames<R> {
    reader: R,
    line: u64,
    column: usize,
    /// Brackets that are open around the records.
    open: Vec<u8>,
    /// Whether the records are being read, and how many brackets were open before them.
    within: Option<usize>,
    started: bool,
}

impl<R: BufRead> Frames<R> {
    /// A reader of a document whose first byte stands on `line`.
    pub(super) fn new(reader: R, line: u64) -> Self {
        Self {
            reader,
            line,
            column: 0,
            open: Vec::new(),
            within: None,
            started: false,
        }
    }

    /// Puts the next object into `frame`; returns false at the end.
    pub(super) fn next(&mut self, frame: &mut Frame) -> Result<bool, ReadError> {
        if !self.started {
            self.started = true;
            if self.space()? == Some(b'[') {
                self.step()?;
                self.open.push(b']');
                self.within = Some(0);
                if self.space()? == Some(b']') {
                    self.step()?;
                    self.open.clear();
                    return self.finish();
                }
                return self.object(frame);
            }
        }
        let Some(outside) = self.within else {
            return match self.space()? {
                None => Ok(false),
                Some(b'{') => {
                    self.top(frame)?;
                    Ok(true)
                }
                Some(_) => Err(self.fault("expected an object")),
            };
        };
        match self.space()? {
            Some(b',') => {
                self.step()?;
                self.space()?;
                self.object(frame)
            }
            Some(b']') => {
                self.step()?;
                self.open.truncate(outside);
                self.finish()
            }
            _ => Err(self.fault("expected a comma or the end of the array")),
        }
    }

    /// An element of the array of records.
    fn object(&mut self, frame: &mut Frame) -> Result<bool, ReadError> {
        if self.peek()? != Some(b'{') {
            return Err(self.fault("expected an object"));
        }
        self.begin(frame);
        self.value(Some(frame), 0)?;
        Ok(true)
    }

    fn begin(&self, frame: &mut Frame) {
        frame.bytes.clear();
        (frame.line, frame.column) = (self.line, self.column);
    }

    /// An object at the top: a record, or what holds them, which is found on the way.
    fn top(&mut self, frame: &mut Frame) -> Result<(), ReadError> {
        self.begin(frame);
        self.members(frame)?;
        Ok(())
    }

    /// Reads the members of the object that starts here into `frame`, until one of them turns out to hold the records; returns whether it did, with the first
    /// record in `frame`.
    fn members(&mut self, frame: &mut Frame) -> Result<bool, ReadError> {
        if self.open.len() > DEPTH {
            return Err(self.fault("values nest too deep"));
        }
        self.copy(frame)?;
        self.open.push(b'}');
        if self.blank(frame)? == Some(b'}') {
            self.copy(frame)?;
            self.open.pop();
            return Ok(false);
        }
        loop {
            if self.blank(frame)? != Some(b'"') {
                return Err(self.fault("expected a key in quotes"));
            }
            let start = frame.bytes.len();
            self.value(Some(frame), 0)?;
            let key = frame.bytes[start + 1..frame.bytes.len() - 1].to_vec();
            if self.blank(frame)? != Some(b':') {
                return Err(self.fault("expected a colon"));
            }
            self.copy(frame)?;
            let next = self.blank(frame)?;
            let holder = HOLDERS.contains(&&key[..]);
            if holder && next == Some(b'[') && self.holds(frame)? {
                return Ok(true);
            }
            if holder && next == Some(b'{') {
                if self.members(frame)? {
                    return Ok(true);
                }
            } else if next != Some(b'[') || !holder {
                self.value(Some(frame), 0)?;
            }
            match self.blank(frame)? {
                Some(b',') => self.copy(frame)?,
                Some(b'}') => {
                    self.copy(frame)?;
                    self.open.pop();
                    return Ok(false);
                }
                _ => return Err(self.fault("expected a comma or the end of the object")),
            }
        }
    }

    /// Whether the array that starts here has objects: then its first is in `frame` and the others follow. Otherwise the array has been copied.
    fn holds(&mut self, frame: &mut Frame) -> Result<bool, ReadError> {
        self.copy(frame)?;
        if self.blank(frame)? == Some(b'{') {
            self.within = Some(self.open.len());
            self.open.push(b']');
            self.object(frame)?;
            return Ok(true);
        }
        // The bracket is copied already: the elements follow.
        while self.blank(frame)? != Some(b']') {
            self.value(Some(frame), 0)?;
            if self.blank(frame)? == Some(b',') {
                self.copy(frame)?;
            }
        }
        self.copy(frame)?;
        Ok(false)
    }

    /// Reads what follows the records, so that a document cut short is an error.
    fn finish(&mut self) -> Result<bool, ReadError> {
        while let Some(close) = self.open.pop() {
            loop {
                match self.space()? {
                    Some(b) if b == close => {
                        self.step()?;
                        break;
                    }
                    Some(b',' | b':') => self.step()?,
                    None => return Err(self.fault("expected the end of the document")),
                    Some(_) => self.value(None, 0)?,
                }
            }
        }
        self.within = None;
        match self.space()? {
            None => Ok(false),
            Some(_) => Err(self.fault("expected the end of the document")),
        }
    }

    /// Passes one value, into `frame` if given. Brackets and strings are followed; the grammar within is the scanner's to check.
    fn value(&mut self, mut frame: Option<&mut Frame>, depth: usize) -> Result<(), ReadError> {
        let mut open = depth;
        loop {
            let Some(b) = self.peek()? else {
                return Err(self.fault("expected the end of a value"));
            };
            match b {
                b'"' => self.string(frame.as_deref_mut())?,
                b'{' | b'[' => {
                    open += 1;
                    self.take(frame.as_deref_mut())?;
                }
                b'}' | b']' if open > 0 => {
                    open -= 1;
                    self.take(frame.as_deref_mut())?;
                }
                b'}' | b']' | b',' | b':' if open == 0 => {
                    return Err(self.fault("expected a value"));
                }
                _ if open == 0 => {
                    while self.peek()?.is_some_and(|b| {
                        !matches!(b, b',' | b'}' | b']') && !b.is_ascii_whitespace()
                    }) {
                        self.take(frame.as_deref_mut())?;
                    }
                }
                _ => {
                    self.take(frame.as_deref_mut())?;
                    continue;
                }
            }
            if open == 0 {
                return Ok(());
            }
        }
    }

    fn string(&mut self, mut frame: Option<&mut Frame>) -> Result<(), ReadError> {
        self.take(frame.as_deref_mut())?;
        loop {
            match self.peek()? {
                None => return Err(self.fault("expected the end of a string")),
                Some(b'\\') => {
                    self.take(frame.as_deref_mut())?;
                    self.take(frame.as_deref_mut())?;
                }
                Some(b) => {
                    self.take(frame.as_deref_mut())?;
                    if b == b'"' {
                        return Ok(());
                    }
                }
            }
        }
    }

    fn take(&mut self, frame: Option<&mut Frame>) -> Result<(), ReadError> {
        match frame {
            Some(frame) => self.copy(frame),
            None => self.step(),
        }
    }

    fn copy(&mut self, frame: &mut Frame) -> Result<(), ReadError> {
        if frame.bytes.len() >= RECORD_LIMIT {
            return Err(ReadError::TooLong {
                line: frame.line,
                limit: RECORD_LIMIT,
            });
        }
        frame.bytes.extend(self.peek()?);
        self.step()
    }

    /// The next byte that is not blank, blanks copied.
    fn blank(&mut self, frame: &mut Frame) -> Result<Option<u8>, ReadError> {
        while self.peek()?.is_some_and(|b| b.is_ascii_whitespace()) {
            self.copy(frame)?;
        }
        self.peek()
    }

    fn space(&mut self) -> Result<Option<u8>, ReadError> {
        while self.peek()?.is_some_and(|b| b.is_ascii_whitespace()) {
            self.step()?;
        }
        self.peek()
    }

    #[inline]
    fn peek(&mut self) -> Result<Option<u8>, ReadError> {
        Ok(self.reader.fill_buf()?.first().copied())
    }

    #[inline]
    fn step(&mut self) -> Result<(), ReadError> {
        match self.reader.fill_buf()?.first() {
            Some(b'\n') => (self.line, self.column) = (self.line + 1, 0),
            Some(_) => self.column += 1,
            None => return Ok(()),
        }
        self.reader.consume(1);
        Ok(())
    }

    fn fault(&mut self, problem: &str) -> ReadError {
        let found = match self.reader.fill_buf().ok().and_then(|b| b.first().copied()) {
            None => "the end of the document".to_owned(),
            Some(b) if b.is_ascii_graphic() => format!("{:?}", char::from(b)),
            Some(b) => format!("byte {b}"),
        };
        ReadError::Syntax {
            line: self.line,
            column: self.column + 1,
            problem: format!("{problem}, found {found}"),
        }
    }
}

/// Whether the object that a line holds keeps records under one of the known names.
pub(super) fn holds_records(line: &[u8]) -> bool {
    let mut frames = Frames::new(line, 1);
    let mut frame = Frame::default();
    frames.next(&mut frame).is_ok() && frames.within.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Result<Vec<(String, u64)>, ReadError> {
        let mut frames = Frames::new(std::io::BufReader::with_capacity(7, text.as_bytes()), 1);
        let (mut frame, mut out) = (Frame::default(), vec![]);
        while frames.next(&mut frame)? {
            out.push((String::from_utf8(frame.bytes.clone()).unwrap(), frame.line));
        }
        Ok(out)
    }

    #[test]
    fn objects_come_out_of_arrays_lines_and_holders() {
        let two = vec![
            ("{\"a\": 1}".to_owned(), 2),
            ("{\"a\": [2, {}]}".to_owned(), 3),
        ];
        assert_eq!(all("[\n{\"a\": 1},\n{\"a\": [2, {}]}\n]\n").unwrap(), two);
        assert_eq!(all("\n{\"a\": 1}\n{\"a\": [2, {}]}").unwrap(), two);
        for holder in ["samples", "results", "testCases", "request_states"] {
            let text = format!(
                "{{\"v\": [1], \"{holder}\": [\n{{\"a\": 1}},\n{{\"a\": [2, {{}}]}}], \"z\": {{\"y\": \"]\"}}}}\n"
            );
            assert_eq!(all(&text).unwrap(), two, "{holder}");
            assert!(holds_records(text.replace('\n', " ").as_bytes()));
        }
        // promptfoo: results within results; inspect_ai: results that are none.
        assert_eq!(all("{\"results\": {\"version\": 3, \"results\": [\n{\"a\": 1},\n{\"a\": [2, {}]}]}, \"config\": {}}").unwrap(), two);
        assert_eq!(all("{\"results\": {\"scores\": [{\"x\": 1}]}, \"samples\": [\n{\"a\": 1},\n{\"a\": [2, {}]}]}").unwrap(), two);
        let record = "{\n  \"conf\": 0.5,\n  \"data\": [1, 2],\n  \"results\": {\"x\": 1}\n}";
        assert_eq!(all(record).unwrap(), [(record.to_owned(), 1)]);
        assert!(all("[]").unwrap().is_empty() && all(" ").unwrap().is_empty());
    }

    #[test]
    fn documents_cut_short_or_broken_name_the_place() {
        for (text, line, column) in [
            ("[{\"a\": 1}", 1, 10),
            ("[\n{\"a\": 1}\n{\"a\": 2}]", 3, 1),
            ("[{\"a\": 1}, 5]", 1, 12),
            ("{\"samples\": [\n{\"a\": \"x]", 2, 10),
            ("{\"samples\": [{\"a\": 1}]", 1, 23),
            ("[{\"a\": 1}] x", 1, 12),
        ] {
            match all(text) {
                Err(ReadError::Syntax {
                    line: l, column: c, ..
                }) => assert_eq!((l, c), (line, column), "{text}"),
                other => panic!("{text}: {other:?}"),
            }
        }
    }
}
