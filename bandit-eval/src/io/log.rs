//! A log's columns, and its rounds.

use std::collections::HashMap;
use std::io::BufRead;

use super::cells::{Cells, Kind};
use super::csv::Csv;
use super::error::{Problem, ReadError};
use super::json::Json;
use crate::error::{Error, Whose};
use crate::evaluation::Evaluation;
use crate::round::Round;

/// Where the target policy stands in a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// One column of probabilities per action, all that begin so; the rest of the name is the action (`target_small` with the action `small`).
    Probabilities(String),
    /// A column that holds the action which the target takes.
    Action(String),
    /// Every one of so many actions alike.
    Uniform(usize),
}

/// The columns of a log (in JSON lines, the fields).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns {
    /// The logged action: any words. Default `action`.
    pub action: String,
    /// Its reward. Default `reward`.
    pub reward: String,
    /// Its propensity. Default `propensity`.
    pub propensity: String,
    /// The target policy. Default: the probabilities of all columns that begin with `target_`.
    pub target: Target,
    /// Beginning of the columns with predicted rewards, one per action, if there are any.
    pub predicted: Option<String>,
    /// Beginning of the columns with the logging policy's probabilities of all actions, if there are any.
    pub logging: Option<String>,
    /// A column that says to which part of the log a round belongs.
    pub segment: Option<String>,
}

impl Default for Columns {
    fn default() -> Self {
        Columns {
            action: "action".into(),
            reward: "reward".into(),
            propensity: "propensity".into(),
            target: Target::Probabilities("target_".into()),
            predicted: None,
            logging: None,
            segment: None,
        }
    }
}

/// Most actions of a log.
const ACTIONS: usize = 100_000;

/// Reads the rounds of a log, CSV or (if it begins with a brace) JSON lines.
#[derive(Debug)]
pub struct LogReader<R> {
    source: Source<R>,
    cells: Cells,
    places: Places,
    names: Vec<String>,
    numbers: HashMap<Vec<u8>, usize>,
    /// Whether actions that are met for the first time are new ones.
    open: bool,
    action: usize,
    target: Vec<f64>,
    predicted: Vec<f64>,
    logging: Vec<f64>,
}

#[derive(Debug)]
pub(super) enum Source<R> {
    Csv(Csv<R>),
    Json(Json<R>),
}

impl<R: BufRead> Source<R> {
    /// Opens a log; returns it with the names of its columns.
    pub(super) fn open(mut reader: R) -> Result<(Self, Vec<String>), ReadError> {
        let head = reader.fill_buf().map_err(ReadError::file)?;
        let head = head
            .strip_prefix(b"\xEF\xBB\xBF")
            .unwrap_or(head)
            .trim_ascii_start();
        if head.first() == Some(&b'{') {
            let (json, found) = Json::open(reader)?;
            return Ok((Source::Json(json), found));
        }
        let (csv, found) = Csv::open(reader)?;
        Ok((Source::Csv(csv), found))
    }

    /// Says which columns are wanted, once they are known.
    pub(super) fn want(&mut self, found: &[String], cells: &Cells) {
        if let Source::Csv(csv) = self {
            csv.want(found, cells);
        }
    }

    /// Reads the next record; returns false at the end.
    pub(super) fn next(&mut self, cells: &mut Cells) -> Result<bool, ReadError> {
        match self {
            Source::Csv(csv) => csv.next(cells),
            Source::Json(json) => json.next(cells),
        }
    }
}

/// Where the wanted cells lie.
#[derive(Debug)]
struct Places {
    action: usize,
    reward: usize,
    propensity: usize,
    target: TargetPlaces,
    predicted: Vec<usize>,
    logging: Vec<usize>,
    segment: Option<usize>,
}

#[derive(Debug)]
enum TargetPlaces {
    Probabilities(Vec<usize>),
    Action(usize),
    Uniform,
}

impl<R: BufRead> LogReader<R> {
    /// Opens a log: reads its header, or its first record, and finds the columns.
    ///
    /// # Errors
    /// When there is no record, or a column is not there.
    pub fn new(reader: R, columns: &Columns) -> Result<Self, ReadError> {
        let (mut source, found) = Source::open(reader)?;
        let mut cells = Cells::default();
        let finder = Finder { found: &found };
        let mut names = Vec::new();
        let target = match &columns.target {
            Target::Probabilities(beginning) => {
                names = finder.rest(beginning)?;
                TargetPlaces::Probabilities(finder.all(beginning, &names, &mut cells)?)
            }
            Target::Action(column) => {
                TargetPlaces::Action(finder.one(column, Kind::Text, &mut cells)?)
            }
            Target::Uniform(actions) => {
                if !(1..=ACTIONS).contains(actions) {
                    return Err(ReadError::file(Problem::TooManyActions(ACTIONS)));
                }
                TargetPlaces::Uniform
            }
        };
        let open = names.is_empty();
        for beginning in [&columns.predicted, &columns.logging].into_iter().flatten() {
            if names.is_empty() {
                names = finder.rest(beginning)?;
            }
        }
        let mut rows = |beginning: &Option<String>| {
            beginning
                .as_ref()
                .map_or(Ok(Vec::new()), |b| finder.all(b, &names, &mut cells))
        };
        let (predicted, logging) = (rows(&columns.predicted)?, rows(&columns.logging)?);
        let places = Places {
            action: finder.one(&columns.action, Kind::Text, &mut cells)?,
            reward: finder.one(&columns.reward, Kind::Number, &mut cells)?,
            propensity: finder.one(&columns.propensity, Kind::Number, &mut cells)?,
            segment: match &columns.segment {
                Some(name) => Some(finder.one(name, Kind::Text, &mut cells)?),
                None => None,
            },
            target,
            predicted,
            logging,
        };
        source.want(&found, &cells);
        let uniform = match columns.target {
            Target::Uniform(actions) => actions,
            _ => 0,
        };
        #[allow(clippy::cast_precision_loss, reason = "a number of actions")]
        let target = vec![1.0 / uniform.max(1) as f64; uniform];
        let closed = !open || !names.is_empty();
        let numbers = names
            .iter()
            .enumerate()
            .map(|(i, n)| (n.as_bytes().to_vec(), i))
            .collect();
        Ok(LogReader {
            source,
            cells,
            places,
            numbers,
            names,
            open: !closed,
            action: 0,
            target,
            predicted: Vec::new(),
            logging: Vec::new(),
        })
    }

    /// Reads the next round; returns false at the end.
    ///
    /// # Errors
    /// When the file cannot be read, a record is broken, a cell is missing or no number, or an action is not among those of the target.
    pub fn next_round(&mut self) -> Result<bool, ReadError> {
        if !self.source.next(&mut self.cells)? {
            return Ok(false);
        }
        if let Some(place) = self.cells.found.iter().position(|found| !found) {
            return Err(self.fault(place, Problem::Missing));
        }
        self.action = self.number(self.places.action)?;
        match &self.places.target {
            TargetPlaces::Probabilities(places) => gather(places, &self.cells, &mut self.target),
            TargetPlaces::Action(place) => {
                let taken = self.number(*place)?;
                self.target.clear();
                self.target.resize(self.names.len(), 0.0);
                self.target[taken] = 1.0;
            }
            TargetPlaces::Uniform => {}
        }
        gather(&self.places.predicted, &self.cells, &mut self.predicted);
        gather(&self.places.logging, &self.cells, &mut self.logging);
        Ok(true)
    }

    /// The present round.
    #[must_use]
    pub fn round(&self) -> Round<'_> {
        let row = |places: &[usize], row: &'_ [f64]| (!places.is_empty()).then_some(row.len());
        Round {
            action: self.action,
            reward: self.cells.numbers[self.places.reward],
            propensity: self.cells.numbers[self.places.propensity],
            target: &self.target,
            predicted: row(&self.places.predicted, &self.predicted).map(|_| &self.predicted[..]),
            logging: row(&self.places.logging, &self.logging).map(|_| &self.logging[..]),
        }
    }

    /// Gives the present round to an evaluation.
    ///
    /// # Errors
    /// What the evaluation finds wrong with it, with line and column.
    pub fn push_to(&self, evaluation: &mut Evaluation) -> Result<(), ReadError> {
        evaluation
            .push(&self.round())
            .map_err(|error| self.explain(error))
    }

    /// The part of the log to which the present round belongs; empty without such a column.
    #[must_use]
    pub fn segment(&self) -> std::borrow::Cow<'_, str> {
        let text = self
            .places
            .segment
            .map_or(&[][..], |place| &self.cells.texts[place]);
        String::from_utf8_lossy(text)
    }

    /// The line of the present round, from 1.
    #[must_use]
    pub fn line(&self) -> u64 {
        self.cells.line
    }

    /// Names of the actions met so far, by number.
    #[must_use]
    pub fn actions(&self) -> &[String] {
        &self.names
    }

    /// The place of what an evaluation found wrong with the present round.
    #[must_use]
    pub fn explain(&self, error: Error) -> ReadError {
        let probability =
            |places: &[usize], action: usize| places.get(action).or(places.first()).copied();
        let place = match &error {
            Error::Propensity { .. } | Error::Disagreement { .. } | Error::WeightBound { .. } => {
                Some(self.places.propensity)
            }
            Error::Reward { .. } | Error::RewardRange { .. } => Some(self.places.reward),
            Error::Action { .. } => Some(self.places.action),
            Error::Prediction { action, .. } => probability(&self.places.predicted, *action),
            Error::Probability { whose, action, .. } => probability(self.row_of(*whose), *action),
            Error::Sum { whose, .. } => probability(self.row_of(*whose), 0),
            _ => None,
        };
        match place {
            Some(place) => self.fault(place, Problem::Round(error)),
            None => ReadError::at(self.cells.line, Problem::Round(error)),
        }
    }

    fn row_of(&self, whose: Whose) -> &[usize] {
        match (whose, &self.places.target) {
            (Whose::Target, TargetPlaces::Probabilities(places)) => places,
            (Whose::Target, _) => &[],
            (Whose::Logging, _) => &self.places.logging,
        }
    }

    fn fault(&self, place: usize, problem: Problem) -> ReadError {
        ReadError::cell(self.cells.line, &self.cells.names[place], problem)
    }

    /// The number of the action that a cell names.
    fn number(&mut self, place: usize) -> Result<usize, ReadError> {
        let text = &self.cells.texts[place];
        if let Some(&number) = self.numbers.get(text) {
            return Ok(number);
        }
        let name = String::from_utf8_lossy(text).into_owned();
        let limit = if matches!(self.places.target, TargetPlaces::Uniform) {
            self.target.len()
        } else {
            ACTIONS
        };
        if !self.open {
            return Err(self.fault(place, Problem::UnknownAction(name)));
        }
        if self.names.len() >= limit {
            return Err(self.fault(place, Problem::TooManyActions(limit)));
        }
        self.numbers.insert(text.clone(), self.names.len());
        self.names.push(name);
        Ok(self.names.len() - 1)
    }
}

fn gather(places: &[usize], cells: &Cells, out: &mut Vec<f64>) {
    if !places.is_empty() {
        out.clear();
        out.extend(places.iter().map(|place| cells.numbers[*place]));
    }
}

/// Finds columns among those that there are.
pub(super) struct Finder<'a> {
    pub(super) found: &'a [String],
}

impl Finder<'_> {
    pub(super) fn one(
        &self,
        name: &str,
        kind: Kind,
        cells: &mut Cells,
    ) -> Result<usize, ReadError> {
        match self.found.iter().filter(|f| *f == name).count() {
            0 => Err(self.lacks(name)),
            1 => Ok(cells.want(name, kind)),
            _ => Err(ReadError {
                line: None,
                column: Some(name.to_owned()),
                problem: Problem::Twice,
            }),
        }
    }

    /// What follows a beginning in the names of columns.
    pub(super) fn rest(&self, beginning: &str) -> Result<Vec<String>, ReadError> {
        let rest = self
            .found
            .iter()
            .filter_map(|name| name.strip_prefix(beginning));
        let rest: Vec<String> = rest.filter(|r| !r.is_empty()).map(str::to_owned).collect();
        if rest.is_empty() {
            Err(self.lacks(&format!("{beginning}...")))
        } else {
            Ok(rest)
        }
    }

    pub(super) fn all(
        &self,
        beginning: &str,
        names: &[String],
        cells: &mut Cells,
    ) -> Result<Vec<usize>, ReadError> {
        names
            .iter()
            .map(|n| self.one(&format!("{beginning}{n}"), Kind::Number, cells))
            .collect()
    }

    fn lacks(&self, name: &str) -> ReadError {
        let shown = self
            .found
            .iter()
            .take(12)
            .map(|n| format!("{n:?}"))
            .collect::<Vec<_>>()
            .join(", ");
        let more = if self.found.len() > 12 { ", ..." } else { "" };
        ReadError {
            line: None,
            column: Some(name.to_owned()),
            problem: Problem::NoColumn(format!("{shown}{more}")),
        }
    }
}
