//! Limits of shared resources, week by week.

pub use hindsight_exo_idp::market::Resource as Kind;

pub use crate::constraint_paths::{Family, Summary};
#[cfg(feature = "io")]
#[cfg_attr(docsrs, doc(cfg(feature = "io")))]
pub use crate::read::{read_limits, read_volumes};

use crate::error::{Argument, Error, amount};

/// A shared resource: its name, what of a product it is used by, and the volume of a unit of every product.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Resource {
    name: String,
    kind: Kind,
    volumes: Vec<f64>,
}

impl Resource {
    /// A resource that is used by `volumes[product]` a unit: by what is on hand at the end of a week ([`Kind::Storage`]), or by what is
    /// received in it ([`Kind::Inbound`]).
    ///
    /// # Errors
    /// No product, or a volume that is not above zero or not finite.
    pub fn new(name: impl Into<String>, kind: Kind, volumes: Vec<f64>) -> Result<Self, Error> {
        let name = name.into();
        if volumes.is_empty() {
            return Err(Error::Empty(Argument::Volume));
        }
        let wrong = |value: f64| !(value.is_finite() && value > 0.0);
        if let Some(index) = volumes.iter().position(|&v| wrong(v)) {
            return Err(Error::Value {
                argument: Argument::Volume,
                of: name,
                index,
                value: volumes[index],
            });
        }
        Ok(Resource {
            name,
            kind,
            volumes,
        })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is used by.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The volume of a unit of every product.
    #[must_use]
    pub fn volumes(&self) -> &[f64] {
        &self.volumes
    }
}

/// The first week in which a limit cannot be met whatever is ordered.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Infeasible {
    /// The resource, by number.
    pub resource: usize,
    /// The week, from 0.
    pub week: usize,
    /// How much more is used than there is, in volume.
    pub excess: f64,
}

/// A fall of a limit from one week to the next.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Fall {
    /// The first week of the lower limit, from 0.
    pub week: usize,
    /// The week in which it becomes known.
    pub announced: usize,
    /// How much of the limit of the week before is gone, as a share of it.
    pub share: f64,
}

/// The limits of all resources over some weeks, and how far ahead they are known.
///
/// A week's limit is known [`notice`](Limits::notice) weeks ahead. What lies beyond is expected to be as the last week that is known.
///
/// ```
/// use hindsight_capacity::limits::Limits;
/// let limits = Limits::new(vec![vec![9.0, 9.0, 4.0, 4.0]], 1)?;
/// assert_eq!([limits.outlook(0, 0, 1), limits.outlook(0, 0, 2), limits.outlook(0, 1, 1)], [9.0, 9.0, 4.0]);
/// assert!(Limits::new(vec![vec![9.0, -1.0]], 1).is_err());
/// # Ok::<(), hindsight_capacity::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Limits {
    /// `[resource][week]`, in volume.
    values: Vec<Vec<f64>>,
    notice: usize,
}

impl Limits {
    /// Limits `values[resource][week]`, in volume, known `notice` weeks ahead.
    ///
    /// # Errors
    /// No resource or week, resources of unequal length, a limit that is negative or not finite.
    pub fn new(values: Vec<Vec<f64>>, notice: usize) -> Result<Self, Error> {
        let weeks = values.first().map_or(0, Vec::len);
        if weeks == 0 {
            return Err(Error::Empty(Argument::Limit));
        }
        for (resource, row) in values.iter().enumerate() {
            if row.len() != weeks {
                return Err(Error::Length {
                    argument: Argument::Limit,
                    expected: weeks,
                    found: row.len(),
                });
            }
            for (week, &value) in row.iter().enumerate() {
                amount(
                    Argument::Limit,
                    &format!("resource {resource}"),
                    week,
                    value,
                )?;
            }
        }
        Ok(Limits { values, notice })
    }

    /// The number of weeks.
    #[must_use]
    pub fn weeks(&self) -> usize {
        self.values[0].len()
    }

    /// The number of resources.
    #[must_use]
    pub fn resources(&self) -> usize {
        self.values.len()
    }

    /// How many weeks ahead a limit is known.
    #[must_use]
    pub fn notice(&self) -> usize {
        self.notice
    }

    /// The limits of a resource, by week.
    #[must_use]
    pub fn of(&self, resource: usize) -> &[f64] {
        &self.values[resource]
    }

    /// The limits `[resource][week]`.
    pub(crate) fn all(&self) -> &[Vec<f64>] {
        &self.values
    }

    /// What is expected in week `week` of the limit `ahead` weeks later.
    #[must_use]
    pub fn outlook(&self, resource: usize, week: usize, ahead: usize) -> f64 {
        let row = &self.values[resource];
        row[(week + ahead.min(self.notice)).min(row.len() - 1)]
    }

    /// The steepest fall of a resource's limit from one week to the next, the first of equals; none where it never falls.
    ///
    /// ```
    /// use hindsight_capacity::limits::{Fall, Limits};
    /// let limits = Limits::new(vec![vec![10.0, 10.0, 9.0, 9.0, 6.0, 8.0], vec![1.0; 6]], 3)?;
    /// let fall = limits.steepest_fall(0).expect("it falls twice");
    /// assert_eq!((fall.week, fall.announced), (4, 1));
    /// assert_eq!(limits.steepest_fall(1), None);
    /// # Ok::<(), hindsight_capacity::Error>(())
    /// ```
    #[must_use]
    pub fn steepest_fall(&self, resource: usize) -> Option<Fall> {
        let pairs = self.values[resource].windows(2).zip(1_usize..);
        let falls = pairs.filter(|(pair, _)| pair[1] < pair[0]);
        let mut steepest: Option<Fall> = None;
        for (pair, week) in falls {
            let share = 1.0 - pair[1] / pair[0];
            if steepest.is_none_or(|fall| share > fall.share) {
                let announced = week.saturating_sub(self.notice);
                steepest = Some(Fall {
                    week,
                    announced,
                    share,
                });
            }
        }
        steepest
    }

    /// The limits times a factor: those of a cohort of another size.
    #[must_use]
    pub fn scaled(&self, factor: f64) -> Self {
        let row = |row: &Vec<f64>| row.iter().map(|x| x * factor).collect();
        Limits {
            values: self.values.iter().map(row).collect(),
            notice: self.notice,
        }
    }

    /// The first week in which what is used although nothing is ordered is above a limit; `least[resource][week]` is that use.
    ///
    /// # Errors
    /// Fewer resources or weeks than the limits have.
    pub fn infeasible(&self, least: &[Vec<f64>]) -> Result<Option<Infeasible>, Error> {
        if least.len() != self.resources() {
            return Err(Error::Length {
                argument: Argument::Usage,
                expected: self.resources(),
                found: least.len(),
            });
        }
        for row in least {
            if row.len() < self.weeks() {
                return Err(Error::TooShort {
                    needed: self.weeks(),
                    found: row.len(),
                });
            }
        }
        let excess =
            |week: usize, resource: usize| least[resource][week] - self.values[resource][week];
        for week in 0..self.weeks() {
            for resource in 0..self.resources() {
                let excess = excess(week, resource);
                if excess > 1e-9 * (1.0 + self.values[resource][week]) {
                    return Ok(Some(Infeasible {
                        resource,
                        week,
                        excess,
                    }));
                }
            }
        }
        Ok(None)
    }
}
