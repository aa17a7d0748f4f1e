//! Models as text.

use std::fmt::Write;
use std::str::FromStr;

use gpu::nn::saved;

use super::network::{Network, Size};
use super::{GenQot, finite};
use crate::error::ArrivalsError;
use crate::grid::Grid;

/// The first line: what it is, and the version of the form.
const KIND: &str = "hindsight-arrivals model";
const VERSION: u32 = 1;

impl GenQot {
    /// The model as text: a title with the version, sizes, the grid, a parameter a line, and a digest of all that. The same bits come back.
    #[must_use]
    pub fn to_text(&self) -> String {
        let Size {
            hidden,
            context,
            embedding,
        } = self.size;
        let (times, shares) = self.grid.limits();
        let mut text = format!(
            "{KIND} {VERSION}\n{hidden} {context} {embedding} {} {} {}\n{}\n{}\n",
            self.vendors,
            self.covariates,
            self.grid.pieces(),
            words(times),
            words(shares)
        );
        for value in &self.params {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{value:e}");
        }
        saved::seal(text)
    }

    /// A model from its text.
    ///
    /// # Errors
    /// Text that is no model, of another version, or not as it was written.
    pub fn from_text(text: &str) -> Result<Self, ArrivalsError> {
        let not_a_model = |line: usize| ArrivalsError::NotAModel { line };
        let lines = saved::open(KIND, VERSION, text).map_err(unread)?;
        let [_, sizes, times, shares, params @ ..] = &lines[..] else {
            return Err(not_a_model(lines.len()));
        };
        let sizes: Vec<usize> = numbers(sizes).ok_or_else(|| not_a_model(2))?;
        let &[hidden, context, embedding, vendors, covariates, pieces] = &sizes[..] else {
            return Err(not_a_model(2));
        };
        let times = numbers(times).ok_or_else(|| not_a_model(3))?;
        let shares = numbers(shares).ok_or_else(|| not_a_model(4))?;
        let grid = Grid::new(times, shares, pieces)?;
        // The smallest sizes that the parameters could fill, before a network of these sizes is laid out.
        let widths = [hidden, context, embedding, vendors];
        if widths.contains(&0) || sizes.iter().any(|&size| size > params.len().max(64)) {
            return Err(not_a_model(2));
        }
        let size = Size {
            hidden,
            context,
            embedding,
        };
        if Network::new(size, &grid, vendors, covariates).params() != params.len() {
            return Err(not_a_model(2));
        }
        let number = |(k, line): (usize, &&str)| line.parse().map_err(|_| not_a_model(k + 5));
        let params = params.iter().enumerate().map(number);
        let params = params.collect::<Result<Vec<f64>, _>>()?;
        finite(&params)?;
        Ok(GenQot {
            size,
            grid,
            vendors,
            covariates,
            params,
        })
    }
}

fn words<T: std::fmt::Debug>(list: &[T]) -> String {
    let words: Vec<String> = list.iter().map(|x| format!("{x:?}")).collect();
    words.join(" ")
}

fn numbers<T: FromStr>(line: &str) -> Option<Vec<T>> {
    line.split(' ').map(|word| word.parse().ok()).collect()
}

/// Why a text is no model.
fn unread(error: gpu::Error) -> ArrivalsError {
    match error {
        gpu::Error::NotAModel { line } => ArrivalsError::NotAModel { line },
        gpu::Error::Version { found } => ArrivalsError::Version { found },
        gpu::Error::Corrupt => ArrivalsError::Corrupt,
        other => ArrivalsError::Engine(other),
    }
}
