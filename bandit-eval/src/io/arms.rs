//! Logs of live exploration: which arm was taken, with which probability, and what the window behind it earned.

use std::collections::HashMap;
use std::io::BufRead;

use super::cells::Cells;
use super::cells::Kind;
use super::error::{Problem, ReadError};
use super::log::{Finder, Source};
use crate::equilibrium::{GainTable, Gap, LoggedArm, MapClass, Question};
use crate::learn::History;
use crate::model::{Features, Folds, Regressor, Ridge};

/// The columns of a log of exploration, or of any log with contexts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArmColumns {
    /// The arm that was taken: any words. Default `arm`.
    pub arm: String,
    /// The arm that keeps the action, number 0; none where no arm is special. Default `keep`.
    pub keep: Option<String>,
    /// Its propensity. Default `propensity`.
    pub propensity: String,
    /// Discounted reward of the window. Default `reward`.
    pub reward: String,
    /// The product, any words: decisions of one product are not independent; none where all are. Default `product`.
    pub product: Option<String>,
    /// The week, a whole number: decisions of one week are not independent either; none where weeks are not known. Default none.
    pub week: Option<String>,
    /// Beginning of the columns with features of the context. Default `context_`.
    pub context: String,
}

impl Default for ArmColumns {
    fn default() -> Self {
        ArmColumns {
            arm: "arm".into(),
            keep: Some("keep".into()),
            propensity: "propensity".into(),
            reward: "reward".into(),
            product: Some("product".into()),
            week: None,
            context: "context_".into(),
        }
    }
}

impl ArmColumns {
    /// The usual columns of rounds that are independent and whose actions are all alike: the action is in `action`.
    #[must_use]
    pub fn rounds() -> Self {
        ArmColumns {
            arm: "action".into(),
            keep: None,
            product: None,
            ..ArmColumns::default()
        }
    }
}

/// A log of exploration, or of any policy that met contexts, in memory.
#[derive(Debug, Clone, PartialEq)]
pub struct ArmLog {
    /// Names of the arms; the first keeps, where one does.
    pub arms: Vec<String>,
    /// Names of the features.
    pub contexts: Vec<String>,
    rounds: Vec<LoggedArm>,
    features: Vec<f64>,
    product: Vec<u64>,
    week: Vec<u64>,
}

impl ArmLog {
    /// Reads a log, CSV or JSON lines.
    ///
    /// # Errors
    /// What is wrong with it, with line and column.
    pub fn read(reader: impl BufRead, columns: &ArmColumns) -> Result<Self, ReadError> {
        let (mut source, found) = Source::open(reader)?;
        let finder = Finder { found: &found };
        let mut cells = Cells::default();
        let contexts = finder.rest(&columns.context)?;
        let features = finder.all(&columns.context, &contexts, &mut cells)?;
        let arm = finder.one(&columns.arm, Kind::Text, &mut cells)?;
        let product = match &columns.product {
            Some(name) => Some(finder.one(name, Kind::Text, &mut cells)?),
            None => None,
        };
        let week = match &columns.week {
            Some(name) => Some(finder.one(name, Kind::Number, &mut cells)?),
            None => None,
        };
        let propensity = finder.one(&columns.propensity, Kind::Number, &mut cells)?;
        let reward = finder.one(&columns.reward, Kind::Number, &mut cells)?;
        source.want(&found, &cells);
        let mut log = ArmLog {
            arms: columns.keep.iter().cloned().collect(),
            contexts,
            rounds: Vec::new(),
            features: Vec::new(),
            product: Vec::new(),
            week: Vec::new(),
        };
        let mut products: HashMap<Vec<u8>, u64> = HashMap::new();
        while source.next(&mut cells)? {
            let fault = |place: usize, problem| {
                Err(ReadError::cell(cells.line, &cells.names[place], problem))
            };
            if let Some(place) = cells.found.iter().position(|found| !found) {
                return fault(place, Problem::Missing);
            }
            for (place, least, most) in [
                (propensity, f64::MIN_POSITIVE, 1.0),
                (reward, f64::MIN, f64::MAX),
            ]
            .into_iter()
            .chain(week.map(|w| (w, 0.0, 1e9)))
            .chain(features.iter().map(|f| (*f, f64::MIN, f64::MAX)))
            {
                let value = cells.numbers[place];
                if !(least..=most).contains(&value) {
                    return fault(place, Problem::Outside { value, least, most });
                }
            }
            let name = String::from_utf8_lossy(&cells.texts[arm]);
            let number = log.arms.iter().position(|a| *a == name).unwrap_or_else(|| {
                log.arms.push(name.into_owned());
                log.arms.len() - 1
            });
            if number > ARMS {
                return fault(arm, Problem::TooManyActions(ARMS));
            }
            log.product.push(match product {
                Some(place) => {
                    let next = products.len() as u64;
                    *products.entry(cells.texts[place].clone()).or_insert(next)
                }
                None => log.rounds.len() as u64,
            });
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "from 0 to a thousand million"
            )]
            log.week.extend(week.map(|w| cells.numbers[w] as u64));
            log.features
                .extend(features.iter().map(|f| cells.numbers[*f]));
            log.rounds.push(LoggedArm {
                arm: number,
                propensity: cells.numbers[propensity],
                reward: cells.numbers[reward],
            });
        }
        if log.rounds.is_empty() {
            return Err(ReadError::file(Problem::Empty));
        }
        Ok(log)
    }

    /// The number of decisions.
    #[must_use]
    pub fn decisions(&self) -> usize {
        self.rounds.len()
    }

    /// Its rounds in columns, for learners; see [`OwnedHistory::history`].
    #[must_use]
    pub fn rounds(&self) -> OwnedHistory<'_> {
        #[allow(clippy::cast_possible_truncation, reason = "at most a hundred arms")]
        let action = self.rounds.iter().map(|r| r.arm as u32);
        OwnedHistory {
            log: self,
            action: action.collect(),
            reward: self.rounds.iter().map(|r| r.reward).collect(),
            propensity: self.rounds.iter().map(|r| r.propensity).collect(),
        }
    }

    /// The gap of the log's policy in each of [`CLASSES`], with rewards predicted by ridge regression across five folds.
    ///
    /// # Errors
    /// As [`GainTable::from_log`] and [`GainTable::gap`].
    pub fn gaps(&self, question: &Question) -> crate::Result<Vec<(&'static str, Gap)>> {
        let folds = Folds {
            count: 5,
            seed: question.seed,
            groups: None,
        };
        let table = self.table(&Ridge::new(1.0)?, folds)?;
        let gap = |(name, class)| Ok((name, table.gap(class, question)?));
        CLASSES.into_iter().map(gap).collect()
    }

    /// The table of estimated gains; see [`GainTable::from_log`].
    ///
    /// # Errors
    /// As there.
    pub fn table<R: Regressor>(
        &self,
        regressor: &R,
        folds: Folds<'_>,
    ) -> crate::Result<GainTable<'_>> {
        let features = Features::new(self.contexts.len(), &self.features)?;
        GainTable::from_log(
            self.arms.len() - 1,
            &self.rounds,
            features,
            &self.product,
            regressor,
            folds,
        )
        .and_then(|table| {
            if self.week.is_empty() {
                Ok(table)
            } else {
                table.with_weeks(&self.week)
            }
        })
    }
}

/// The classes of maps that are usually asked for, by name.
pub const CLASSES: [(&str, MapClass); 4] = [
    ("one arm for all", MapClass::Global),
    ("by the first context", MapClass::Tabular),
    ("linear", MapClass::Linear { penalty: 1.0 }),
    (
        "tree",
        MapClass::Tree {
            depth: 2,
            least: 50,
        },
    ),
];

/// The rounds of an [`ArmLog`] in columns.
#[derive(Debug, Clone, PartialEq)]
pub struct OwnedHistory<'a> {
    log: &'a ArmLog,
    action: Vec<u32>,
    reward: Vec<f64>,
    propensity: Vec<f64>,
}

impl OwnedHistory<'_> {
    /// The rounds with their contexts.
    ///
    /// # Errors
    /// As [`Features::new`].
    pub fn history(&self) -> crate::Result<History<'_>> {
        Ok(History {
            actions: self.log.arms.len(),
            features: Features::new(self.log.contexts.len(), &self.log.features)?,
            action: &self.action,
            reward: &self.reward,
            propensity: &self.propensity,
        })
    }
}

/// Most arms beside keeping.
const ARMS: usize = 100;
