//! Responses grouped by prompt.

use crate::error::{Error, Result, check_len, check_unit};

/// Responses grouped by prompt, with the true utility of each in [0, 1].
///
/// ```
/// use hindsight_llm_metrics::verification::Responses;
/// let r = Responses::new(&[vec![1.0, 0.0], vec![0.0, 0.0, 1.0]])?;
/// assert_eq!((r.prompts(), r.len()), (2, 5));
/// # Ok::<(), hindsight_llm_metrics::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Responses {
    /// Start of each prompt's responses, and the end of the last.
    pub(super) offsets: Vec<usize>,
    pub(super) utility: Vec<f64>,
    /// Best possible utility of each prompt.
    pub(super) ceiling: Vec<f64>,
}

impl Responses {
    /// Returns responses from one list of utilities per prompt. The best possible utility is 1 for each prompt.
    ///
    /// # Errors
    /// [`Error::Empty`] for no prompts or a prompt without responses; [`Error::OutOfRange`] for a utility outside [0, 1].
    pub fn new(utilities: &[Vec<f64>]) -> Result<Self> {
        let mut offsets = vec![0];
        let mut utility = Vec::new();
        for prompt in utilities {
            if prompt.is_empty() {
                return Err(Error::Empty {
                    what: "the responses of a prompt",
                });
            }
            utility.extend_from_slice(prompt);
            offsets.push(utility.len());
        }
        check_unit("utility", &utility)?;
        Ok(Self {
            ceiling: vec![1.0; utilities.len()],
            offsets,
            utility,
        })
    }

    /// Returns responses from a log in any order, and the order: entry i of the grouped responses is record `order[i]`.
    ///
    /// Prompts come in the order of their first record; use [`Responses::arrange`] to bring scores into the same order.
    ///
    /// # Errors
    /// As [`Responses::new`]; [`Error::Length`].
    pub fn from_log(prompt: &[u64], utility: &[f64]) -> Result<(Self, Vec<usize>)> {
        check_len("utility", prompt.len(), utility.len())?;
        let mut place = std::collections::HashMap::new();
        let mut groups: Vec<Vec<usize>> = Vec::new();
        for (i, key) in prompt.iter().enumerate() {
            let at = *place.entry(*key).or_insert(groups.len());
            if at == groups.len() {
                groups.push(Vec::new());
            }
            groups[at].push(i);
        }
        let lists: Vec<Vec<f64>> = groups
            .iter()
            .map(|g| g.iter().map(|&i| utility[i]).collect())
            .collect();
        Ok((Self::new(&lists)?, groups.concat()))
    }

    /// Returns `values` of a log in the grouped order that [`Responses::from_log`] gave.
    ///
    /// # Errors
    /// [`Error::Length`].
    pub fn arrange(order: &[usize], values: &[f64]) -> Result<Vec<f64>> {
        check_len("values", order.len(), values.len())?;
        Ok(order
            .iter()
            .filter_map(|&i| values.get(i).copied())
            .collect())
    }

    /// Sets the best possible utility of each prompt, the reference of the relative gap.
    ///
    /// # Errors
    /// [`Error::Length`]; [`Error::OutOfRange`] if one lies outside [0, 1] or below a utility of its prompt.
    pub fn with_ceiling(mut self, ceiling: Vec<f64>) -> Result<Self> {
        check_len("ceiling", self.prompts(), ceiling.len())?;
        check_unit("ceiling", &ceiling)?;
        for (index, &value) in ceiling.iter().enumerate() {
            let min = self.utilities(index).iter().copied().fold(0.0, f64::max);
            if value < min {
                return Err(Error::OutOfRange {
                    what: "ceiling",
                    index,
                    value,
                    min,
                    max: 1.0,
                });
            }
        }
        self.ceiling = ceiling;
        Ok(self)
    }

    /// Returns the number of prompts.
    #[must_use]
    pub fn prompts(&self) -> usize {
        self.ceiling.len()
    }
    /// Returns the number of responses.
    #[must_use]
    #[allow(clippy::len_without_is_empty)] // There is always at least one.
    pub fn len(&self) -> usize {
        self.utility.len()
    }
    /// Returns the utilities of the responses of `prompt`; empty if there is no such prompt.
    #[must_use]
    pub fn utilities(&self, prompt: usize) -> &[f64] {
        self.range(prompt)
            .and_then(|r| self.utility.get(r))
            .unwrap_or(&[])
    }
    pub(super) fn range(&self, prompt: usize) -> Option<std::ops::Range<usize>> {
        Some(*self.offsets.get(prompt)?..*self.offsets.get(prompt + 1)?)
    }
    pub(super) fn groups(&self) -> impl Iterator<Item = std::ops::Range<usize>> {
        self.offsets.windows(2).map(|w| w[0]..w[1])
    }
}
