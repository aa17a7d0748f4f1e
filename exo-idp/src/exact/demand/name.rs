//! Demand laws by name: `poisson:5`, `geometric:5`, `negbin:5,2`.

use std::str::FromStr;

use super::DemandLaw;
use crate::exact::ExactError;

impl FromStr for DemandLaw {
    type Err = ExactError;

    /// `poisson:MEAN`, `geometric:MEAN` or `negbin:MEAN,DISPERSION`.
    ///
    /// # Errors
    /// [`ExactError::UnknownLaw`], [`ExactError::NotANumber`], and those of the law's own constructor.
    ///
    /// ```
    /// use hindsight_exo_idp::exact::DemandLaw;
    /// let demand: DemandLaw = "negbin:5,2".parse()?;
    /// assert!((demand.variance() - 17.5).abs() < 1e-8);
    /// # Ok::<(), hindsight_exo_idp::exact::ExactError>(())
    /// ```
    fn from_str(text: &str) -> Result<Self, ExactError> {
        let unknown = || ExactError::UnknownLaw {
            text: text.to_owned(),
        };
        let number = |word: &str| {
            word.trim()
                .parse::<f64>()
                .map_err(|_| ExactError::NotANumber {
                    word: word.trim().to_owned(),
                })
        };
        let (name, parameters) = text.split_once(':').ok_or_else(unknown)?;
        match (name, parameters.split_once(',')) {
            ("poisson", None) => Self::poisson(number(parameters)?),
            ("geometric", None) => Self::geometric(number(parameters)?),
            ("negbin", Some((mean, dispersion))) => {
                Self::negative_binomial(number(mean)?, number(dispersion)?)
            }
            _ => Err(unknown()),
        }
    }
}
