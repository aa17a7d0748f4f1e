//! Weights of level networks, and the file that they are kept in.

use std::sync::OnceLock;

use super::damage::Damage;
use super::layers::{Layers, untrained};
use crate::error::Error;
use crate::policy::trailing::{INPUTS, LEVELS, Trailing};

/// First bytes of a file of weights; the last is the version.
const MAGIC: [u8; 8] = *b"HSLEVEL\x01";
/// The file of the weights that come with the crate.
const PRETRAINED: &[u8] = include_bytes!("pretrained.bin");
/// What a normalised input is cut at.
const LIMIT: f64 = 4.0;
/// Standard deviation below which an input is taken not to vary: it tells a network nothing.
const STILL: f64 = 1e-3;

/// Brings inputs to mean zero and deviation one.
#[derive(Debug, Clone, PartialEq)]
pub struct Normaliser {
    mean: Vec<f64>,
    /// One over the standard deviation; zero for inputs that did not vary.
    inverse: Vec<f64>,
}

impl Normaliser {
    /// From all products and weeks of some records.
    ///
    /// # Errors
    /// When there is no record.
    pub fn fit<'a>(records: impl IntoIterator<Item = &'a Trailing>) -> Result<Self, Error> {
        let mut sums = vec![[0.0; 3]; INPUTS.len()];
        for record in records {
            for week in record.weeks() {
                for product in 0..record.products() {
                    if record.scale(week, product) <= 0.0 {
                        continue;
                    }
                    for (k, [n, sum, squares]) in sums.iter_mut().enumerate() {
                        let x = record.input(k, week, product);
                        (*n, *sum, *squares) = (*n + 1.0, *sum + x, *squares + x * x);
                    }
                }
            }
        }
        if sums.iter().any(|&[n, ..]| n <= 0.0) {
            return Err(Error::Empty("the list of records"));
        }
        let mean: Vec<f64> = sums.iter().map(|[n, sum, _]| sum / n).collect();
        let deviation = |(&[n, _, squares], &mean): (&[f64; 3], &f64)| {
            let variance: f64 = squares / n - mean * mean;
            variance.max(0.0).sqrt()
        };
        let inverse = sums.iter().zip(&mean).map(deviation);
        let inverse = inverse.map(|d| if d > STILL { 1.0 / (d + 0.05) } else { 0.0 });
        Ok(Normaliser {
            inverse: inverse.collect(),
            mean,
        })
    }

    /// An input, normalised and cut at four deviations.
    #[must_use]
    pub fn apply(&self, input: usize, value: f64) -> f64 {
        ((value - self.mean[input]) * self.inverse[input]).clamp(-LIMIT, LIMIT)
    }
}

/// A normaliser and the parameters of one or several networks, whose levels are averaged.
#[derive(Debug, Clone, PartialEq)]
pub struct LevelWeights {
    normaliser: Normaliser,
    members: Vec<Vec<f64>>,
}

/// An error unless there are members, of the right number of parameters each.
fn check(members: &[Vec<f64>]) -> Result<(), Error> {
    let expected = Layers::new().0.params;
    if members.is_empty() {
        return Err(Error::Empty("the ensemble"));
    }
    match members.iter().find(|theta| theta.len() != expected) {
        Some(theta) => Err(Error::Length {
            array: "theta".into(),
            expected,
            found: theta.len(),
        }),
        None => Ok(()),
    }
}

impl LevelWeights {
    /// Weights of members that read inputs through one normaliser.
    ///
    /// # Errors
    /// When there is no member, or one has another number of parameters than the network.
    pub fn new(normaliser: Normaliser, members: Vec<Vec<f64>>) -> Result<Self, Error> {
        check(&members)?;
        Ok(LevelWeights {
            normaliser,
            members,
        })
    }

    /// Other members that read inputs through the same normaliser.
    ///
    /// # Errors
    /// As [`new`](LevelWeights::new).
    pub fn with_members(&self, members: Vec<Vec<f64>>) -> Result<Self, Error> {
        LevelWeights::new(self.normaliser.clone(), members)
    }

    /// Members that have learnt nothing, of seeds `seed`, `seed + 1`, …: their policy orders up to the mean of the levels.
    ///
    /// # Errors
    /// When there is no member.
    pub fn untrained(normaliser: Normaliser, members: usize, seed: u64) -> Result<Self, Error> {
        let of = |k: usize| untrained(seed.wrapping_add(k as u64));
        LevelWeights::new(normaliser, (0..members).map(of).collect())
    }

    /// The weights that come with the crate: [`pretrain`](crate::train::pretrain::pretrain) under its default settings.
    ///
    /// The example `pretrain` rebuilds their file, bit for bit, on any number of threads.
    ///
    /// ```
    /// use hindsight_exo_idp::policy::LevelWeights;
    /// let weights = LevelWeights::pretrained();
    /// assert_eq!(LevelWeights::from_bytes(&weights.to_bytes())?, *weights);
    /// # Ok::<(), hindsight_exo_idp::Error>(())
    /// ```
    ///
    /// # Panics
    /// Never but where the crate was built with a damaged file, which its own tests find.
    #[must_use]
    pub fn pretrained() -> &'static Self {
        static READ: OnceLock<LevelWeights> = OnceLock::new();
        READ.get_or_init(|| match LevelWeights::from_bytes(PRETRAINED) {
            Ok(weights) => weights,
            Err(error) => panic!("the crate was built with other weights than it reads: {error}"),
        })
    }

    /// The normaliser.
    #[must_use]
    pub fn normaliser(&self) -> &Normaliser {
        &self.normaliser
    }

    /// The parameters of every member.
    #[must_use]
    pub fn members(&self) -> &[Vec<f64>] {
        &self.members
    }

    /// The weights as a file: a version, the names of inputs and levels as a digest, numbers in single precision, a digest of all.
    #[must_use]
    #[allow(
        clippy::cast_possible_truncation,
        reason = "weights are trained in single precision"
    )]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(names().to_le_bytes());
        bytes.extend((self.members.len() as u32).to_le_bytes());
        let numbers = self.normaliser.mean.iter().chain(&self.normaliser.inverse);
        for &x in numbers.chain(self.members.iter().flatten()) {
            bytes.extend((x as f32).to_le_bytes());
        }
        bytes.extend(digest(&bytes).to_le_bytes());
        bytes
    }

    /// The weights of a file.
    ///
    /// # Errors
    /// When the bytes are no such file, were made for other inputs or by another version, or are damaged.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let damaged = |reason| Error::Weights { reason };
        let body = bytes.len().checked_sub(8).ok_or(damaged(Damage::Short))?;
        let (body, sum) = bytes.split_at(body);
        let head = MAGIC.len() + 12;
        if body.len() < head {
            return Err(damaged(Damage::Short));
        }
        if body[..MAGIC.len()] != MAGIC {
            return Err(damaged(Damage::Kind));
        }
        if sum != digest(body).to_le_bytes() {
            return Err(damaged(Damage::Digest));
        }
        if body[MAGIC.len()..MAGIC.len() + 8] != names().to_le_bytes() {
            return Err(damaged(Damage::Inputs));
        }
        let mut count = [0; 4];
        count.copy_from_slice(&body[head - 4..head]);
        let members = u32::from_le_bytes(count) as usize;
        let numbers: Vec<f64> = body[head..]
            .chunks_exact(4)
            .map(|b| f64::from(f32::from_le_bytes([b[0], b[1], b[2], b[3]])))
            .collect();
        let (each, inputs) = (Layers::new().0.params, INPUTS.len());
        if members
            .checked_mul(each)
            .and_then(|n| n.checked_add(2 * inputs))
            != Some(numbers.len())
            || numbers.iter().any(|x| !x.is_finite())
        {
            return Err(damaged(Damage::Short));
        }
        let (mean, rest) = numbers.split_at(inputs);
        let (inverse, theta) = rest.split_at(inputs);
        let normaliser = Normaliser {
            mean: mean.to_vec(),
            inverse: inverse.to_vec(),
        };
        LevelWeights::new(
            normaliser,
            theta.chunks_exact(each).map(<[f64]>::to_vec).collect(),
        )
    }
}

/// FNV-1a over bytes: enough to tell damage, not malice.
fn digest(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |h, &b| {
        (h ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// A digest of the names of inputs and levels, in order.
fn names() -> u64 {
    let names = INPUTS.iter().chain(&LEVELS);
    digest(names.copied().collect::<Vec<&str>>().join("\n").as_bytes())
}
