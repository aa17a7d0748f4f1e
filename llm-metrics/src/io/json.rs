//! A lazy scanner of one JSON object: it finds the wanted fields and skips the rest, checking its grammar on the way.

use super::number::number;
use super::row::{Cell, Row};
use super::scanner::{DEPTH, Scan, Scanner};
use super::spans::Spans;

/// The wanted fields, each a path of keys and places.
pub(super) struct Paths {
    steps: Vec<Vec<Step>>,
    /// By depth, bit n for a key of n bytes (63 for all longer ones): most keys of a log are told apart by their length.
    lengths: Vec<u64>,
    repeated: bool,
}

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    /// A key, or, if it is a whole number, the place of an array's element, from 0.
    One(String, Option<usize>),
    /// `*`: every member of an object, every element of an array.
    Every,
}

impl Step {
    fn new(text: &str) -> Self {
        match text {
            "*" => Step::Every,
            one => Step::One(one.to_owned(), one.parse().ok()),
        }
    }
    fn is_key(&self, key: &[u8]) -> bool {
        match self {
            Step::Every => true,
            Step::One(name, _) => name.as_bytes() == key,
        }
    }
    fn is_place(&self, place: usize) -> bool {
        match self {
            Step::Every => true,
            Step::One(_, at) => *at == Some(place),
        }
    }
}

impl Paths {
    pub(super) fn new<S: AsRef<str>>(fields: &[S]) -> Self {
        let steps: Vec<Vec<Step>> = fields
            .iter()
            .map(|f| f.as_ref().split('.').map(Step::new).collect())
            .collect();
        Self::of(steps)
    }

    fn of(steps: Vec<Vec<Step>>) -> Self {
        let depth = steps.iter().map(Vec::len).max().unwrap_or(0);
        let lengths = (0..depth)
            .map(|d| {
                steps
                    .iter()
                    .filter_map(|s| s.get(d))
                    .fold(0, |mask, step| match step {
                        Step::Every => u64::MAX,
                        Step::One(name, _) => mask | 1 << name.len().min(63),
                    })
            })
            .collect();
        let repeated =
            (1..steps.len()).any(|i| !steps[i].is_empty() && steps[..i].contains(&steps[i]));
        Self {
            steps,
            lengths,
            repeated,
        }
    }

    /// Only the paths that are `kept` lead anywhere from now on.
    pub(super) fn keep(&mut self, kept: impl Fn(usize) -> bool) {
        let mut steps = std::mem::take(&mut self.steps);
        for (_, path) in steps.iter_mut().enumerate().filter(|(i, _)| !kept(*i)) {
            path.clear();
        }
        *self = Self::of(steps);
    }

    /// Whether the path of wanted field number `field` can lead to several values.
    fn several(&self, field: usize) -> bool {
        self.steps
            .get(field)
            .is_some_and(|p| p.contains(&Step::Every))
    }

    /// Of the `active` paths, those that go on through a step and the first that ends with it.
    fn split(
        &self,
        active: u64,
        depth: usize,
        matches: impl Fn(&Step) -> bool,
    ) -> (u64, Option<usize>) {
        let (mut deeper, mut here) = (0u64, None);
        for (i, path) in self.steps.iter().enumerate() {
            if active & (1 << i) != 0 && path.get(depth).is_some_and(&matches) {
                if path.len() == depth + 1 {
                    here = here.or(Some(i));
                } else {
                    deeper |= 1 << i;
                }
            }
        }
        (deeper, here)
    }
}

/// Reads one line into `row`, one cell per path; a path's steps lead through nested objects. The last of repeated keys wins. Where the
/// positions of the values are recorded in `spans`.
pub(super) fn scan(
    bytes: &[u8],
    paths: &Paths,
    row: &mut Row,
    spans: Option<&mut Spans>,
) -> Scan<()> {
    let mut s = Scanner {
        bytes,
        at: 0,
        spans,
    };
    s.space();
    if s.peek() != Some(b'{') {
        return Err(s.fault("expected an object"));
    }
    s.object(paths, 0, u64::MAX, row)?;
    row.settle();
    s.space();
    if s.at < bytes.len() {
        return Err(s.fault("expected the end of the line after the object"));
    }
    Ok(())
}

/// The number in a string: of JSON's grammar, or whatever else the standard library reads.
fn quoted(text: &[u8]) -> Option<f64> {
    match number(text) {
        Some((value, length)) if length == text.len() => Some(value),
        _ => std::str::from_utf8(text).ok()?.trim().parse().ok(),
    }
}

/// The names of the keys of one line's object, nested ones not included.
pub(super) fn keys(bytes: &[u8]) -> Scan<Vec<String>> {
    let mut s = Scanner {
        bytes,
        at: 0,
        spans: None,
    };
    let mut names = Vec::new();
    s.space();
    s.members(|s, key| {
        let name = if memchr::memchr(b'\\', key).is_some() {
            s.text(key)?
        } else {
            String::from_utf8_lossy(key).into_owned()
        };
        names.push(name);
        s.skip(1)
    })?;
    Ok(names)
}

impl Scanner<'_, '_> {
    /// `active` is a set of paths (bit i for path i) whose first `depth` steps lead here.
    fn object(&mut self, paths: &Paths, depth: usize, active: u64, row: &mut Row) -> Scan<()> {
        if depth > DEPTH {
            return Err(self.fault("objects nest too deep"));
        }
        let lengths = paths.lengths.get(depth).copied().unwrap_or(0);
        self.members(|s, key| {
            let decoded;
            let key = if memchr::memchr(b'\\', key).is_some() {
                decoded = s.text(key)?;
                decoded.as_bytes()
            } else {
                key
            };
            if lengths & (1 << key.len().min(63)) == 0 {
                return s.skip(depth + 1);
            }
            let (deeper, here) = paths.split(active, depth, |step| step.is_key(key));
            s.member(paths, depth, deeper, here, row)
        })
    }

    /// As [`Scanner::object`], for the elements of an array.
    fn places(&mut self, paths: &Paths, depth: usize, active: u64, row: &mut Row) -> Scan<()> {
        if depth > DEPTH {
            return Err(self.fault("arrays nest too deep"));
        }
        let mut place = 0;
        self.irregular();
        self.elements(|s| {
            let (deeper, here) = paths.split(active, depth, |step| step.is_place(place));
            place += 1;
            s.member(paths, depth, deeper, here, row)
        })
    }

    /// The value of a member or element at which the path `here` ends and the paths `deeper` go on.
    #[inline]
    fn member(
        &mut self,
        paths: &Paths,
        depth: usize,
        deeper: u64,
        here: Option<usize>,
        row: &mut Row,
    ) -> Scan<()> {
        if deeper != 0 {
            match self.peek() {
                Some(b'{') => return self.object(paths, depth + 1, deeper, row),
                Some(b'[') => return self.places(paths, depth + 1, deeper, row),
                _ => {}
            }
        }
        let Some(i) = here else {
            return self.skip(depth + 1);
        };
        let start = self.at;
        let cell = self.value(depth, row)?;
        self.note(start, Some(i));
        if paths.repeated
            || !matches!(
                cell,
                Cell::Missing | Cell::Number(_) | Cell::Bool(_) | Cell::Numbers(..)
            )
        {
            self.irregular();
        }
        if paths.several(i) {
            self.irregular();
            for k in i + 1..paths.steps.len() {
                if paths.steps[k] == paths.steps[i] {
                    row.gather(k, cell.clone());
                }
            }
            row.gather(i, cell);
            return Ok(());
        }
        if paths.repeated {
            for k in (i + 1..paths.steps.len()).filter(|k| paths.steps[*k] == paths.steps[i]) {
                row.set(k, cell.clone());
            }
        }
        row.set(i, cell);
        Ok(())
    }

    fn value(&mut self, depth: usize, row: &mut Row) -> Scan<Cell> {
        match self.peek() {
            Some(b'"') => {
                let raw = self.string()?;
                Ok(Cell::Text(self.text(raw)?))
            }
            Some(b'[') => {
                let (start, names) = (row.numbers.len(), row.texts.len());
                let mut words = false;
                // The array is one value: what is in it is not noted.
                let spans = self.spans.take();
                let plain = self.array(depth + 1, row, &mut words);
                self.spans = spans;
                if !plain? || row.numbers.len() == start {
                    self.irregular();
                }
                let named = row.texts.len() - names;
                Ok(
                    if words || named > 0 && named != row.numbers.len() - start {
                        Cell::Other
                    } else if named > 0 {
                        Cell::Map {
                            numbers: (start, row.numbers.len()),
                            names: (names, row.texts.len()),
                        }
                    } else {
                        Cell::Numbers(start, row.numbers.len())
                    },
                )
            }
            Some(b'{') => self.map(depth + 1, row),
            Some(b't' | b'f' | b'n') => match self.word()? {
                b'n' => Ok(Cell::Missing),
                b => Ok(Cell::Bool(b == b't')),
            },
            _ => Ok(Cell::Number(self.number()?)),
        }
    }

    /// The numbers of an array, nested arrays flattened, numbers in quotes included. lm-evaluation-harness writes every inner value as a string;
    /// its "True" and "False" (greedy or not) and nulls are skipped. Other words set `words`. Returns whether all elements are numbers.
    fn array(&mut self, depth: usize, row: &mut Row, words: &mut bool) -> Scan<bool> {
        if depth > DEPTH {
            return Err(self.fault("arrays nest too deep"));
        }
        let mut plain = true;
        self.elements(|s| {
            plain &= matches!(s.peek(), Some(b'-' | b'0'..=b'9'));
            match s.peek() {
                Some(b'[') => {
                    s.array(depth + 1, row, words)?;
                }
                Some(b'{') => match s.entry(depth + 1)? {
                    Some((name, v)) => {
                        row.numbers.push(v);
                        row.texts.push(name);
                    }
                    None => *words = true,
                },
                Some(b'"') => match s.string()? {
                    b"True" | b"False" => {}
                    text => match quoted(text) {
                        Some(v) => row.numbers.push(v),
                        None => *words = true,
                    },
                },
                Some(b't' | b'f' | b'n') => {
                    s.word()?;
                }
                _ => {
                    let v = s.number()?;
                    row.numbers.push(v);
                }
            }
            Ok(())
        })?;
        Ok(plain)
    }

    /// A token with its log-probability, as a member of a list of them.
    fn entry(&mut self, depth: usize) -> Scan<Option<(String, f64)>> {
        if depth > DEPTH {
            return Err(self.fault("objects nest too deep"));
        }
        let (mut name, mut value) = (None, None);
        self.members(|s, key| match (key, s.peek()) {
            (b"token" | b"label" | b"decoded_token", Some(b'"')) => {
                let raw = s.string()?;
                name = Some(s.text(raw)?);
                Ok(())
            }
            (b"logprob" | b"prob" | b"probability", Some(b'-' | b'I' | b'0'..=b'9')) => {
                value = Some(s.number()?);
                Ok(())
            }
            _ => s.skip(depth + 1),
        })?;
        Ok(name.zip(value))
    }

    /// An object of numbers by name, or of tokens with their log-probabilities; any other object is [`Cell::Other`].
    fn map(&mut self, depth: usize, row: &mut Row) -> Scan<Cell> {
        if depth > DEPTH {
            return Err(self.fault("objects nest too deep"));
        }
        let (start, names) = (row.numbers.len(), row.texts.len());
        let mut plain = true;
        let spans = self.spans.take();
        let read = self.members(|s, key| {
            let named = match s.peek() {
                Some(b'-' | b'0'..=b'9') if plain => Some((s.text(key)?, s.number()?)),
                // A token's number with its log-probability, as vLLM gives it.
                Some(b'{') if plain => s.entry(depth + 1)?,
                _ => {
                    plain = false;
                    return s.skip(depth + 1);
                }
            };
            match named {
                Some((name, v)) => {
                    row.numbers.push(v);
                    row.texts.push(name);
                }
                None => plain = false,
            }
            Ok(())
        });
        self.spans = spans;
        read?;
        if plain && row.numbers.len() > start {
            return Ok(Cell::Map {
                numbers: (start, row.numbers.len()),
                names: (names, row.texts.len()),
            });
        }
        row.numbers.truncate(start);
        row.texts.truncate(names);
        Ok(Cell::Other)
    }

    fn text(&self, raw: &[u8]) -> Scan<String> {
        let fault = |problem: &str| (self.at.saturating_sub(raw.len() + 1), problem.to_owned());
        if memchr::memchr(b'\\', raw).is_none() {
            return std::str::from_utf8(raw)
                .map(str::to_owned)
                .map_err(|_| fault("the string is not UTF-8"));
        }
        let quoted = [b"\"", raw, b"\""].concat();
        serde_json::from_slice(&quoted).map_err(|_| fault("the string has a wrong escape"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn paths(names: &[&str]) -> Paths {
        Paths::new(names)
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (-1e6f64..1e6).prop_map(Value::from),
            "[a-z\"\\\\\u{e9} \n]{0,12}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 20, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::btree_map("[a-z\"\\\\]{0,5}", inner, 0..4)
                    .prop_map(|m| Value::Object(m.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn wanted_fields_are_found_among_any_others(
            extra in proptest::collection::btree_map("[f-z\"\\\\]{1,4}", value(), 0..5),
            x in -1e300f64..1e300, text in "[ -~\u{e9}\n]{0,20}", pretty in any::<bool>(),
        ) {
            let mut object: serde_json::Map<String, Value> = extra.into_iter().collect();
            object.insert("a".into(), json!(x));
            object.insert("b".into(), json!({"c": {"d": text.clone()}, "e": [1, [2.5, "3"], "False"]}));
            let line = if pretty { serde_json::to_string_pretty(&object) } else { serde_json::to_string(&object) }.unwrap();
            let mut row = Row::new(3);
            scan(line.as_bytes(), &paths(&["a", "b.c.d", "b.e"]), &mut row, None).unwrap();
            prop_assert_eq!(row.cell(0), &Cell::Number(x));
            prop_assert_eq!(row.cell(1), &Cell::Text(text));
            prop_assert_eq!(row.numbers(2), Some(&[1.0, 2.5, 3.0][..]));
        }

        #[test]
        fn truncated_lines_are_faults_and_no_input_panics(v in value(), cut in 1usize..200, noise in proptest::collection::vec(any::<u8>(), 0..40)) {
            let line = serde_json::to_string(&json!({"x": v, "y": 1})).unwrap();
            let bytes = line.as_bytes();
            let mut row = Row::new(1);
            if cut < bytes.len() {
                prop_assert!(scan(&bytes[..cut], &paths(&["x"]), &mut row, None).is_err());
            }
            let _ = scan(&noise, &paths(&["x"]), &mut row, None);
            let _ = scan(&[b"{\"x\":", &noise[..]].concat(), &paths(&["x"]), &mut row, None);
            let _ = keys(&noise);
        }
    }

    #[test]
    fn malformed_lines_are_faults_with_their_column() {
        let mut row = Row::new(1);
        for (line, column) in [
            ("[1]", 0),
            ("{\"x\" 1}", 5),
            ("{\"x\":1,}", 7),
            ("{\"x\":1} 2", 8),
            ("{x:1}", 1),
            ("{\"x\":tru}", 5),
            ("{\"x\":NaN}", 5),
            ("{\"x\":+1}", 5),
            ("{\"y\":[1 2],\"x\":1}", 8),
            ("{\"y\":}", 5),
            ("{\"y\":-}", 5),
            ("", 0),
        ] {
            let e = scan(line.as_bytes(), &paths(&["x"]), &mut row, None).unwrap_err();
            assert_eq!(e.0, column, "{line}: {e:?}");
        }
        let deep = format!("{{\"y\":{}", "[".repeat(100_000));
        assert!(
            scan(deep.as_bytes(), &paths(&["x"]), &mut row, None)
                .unwrap_err()
                .1
                .contains("deep")
        );
    }
}
