//! The reading of one number.

use crate::error::shorten;

/// Quantities and money beyond this are taken for mistakes.
const LARGEST: f64 = 1e12;

/// What a number may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Domain {
    /// Units: not negative.
    Amount,
    /// Money per unit: above zero.
    Positive,
    /// Between 0 and 1.
    Share,
    /// Any finite number.
    Any,
}

/// Why a field is not the number that it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NumberProblem {
    /// Nothing stands there.
    #[error("is empty")]
    Empty,
    /// It is no number at all.
    #[error("{} is not a number", shorten(.0))]
    NoNumber(String),
    /// It would be one with a decimal comma.
    #[error("{} is not a number: it has a comma; marks between thousands are not read", shorten(.0))]
    Comma(String),
    /// It has a point where the decimal mark is a comma.
    #[error("{} is not a number: beside decimal commas a point has no meaning, and marks between thousands are not read", shorten(.0))]
    Point(String),
    /// It is infinite or NaN.
    #[error("{} is not a finite number", shorten(.0))]
    NotFinite(String),
    /// It is below zero.
    #[error("{} is negative", shorten(.0))]
    Negative(String),
    /// It is zero where it must be above.
    #[error("{} is zero, but must be above zero", shorten(.0))]
    Zero(String),
    /// It is no share.
    #[error("{} does not lie between 0 and 1", shorten(.0))]
    NoShare(String),
    /// It is beyond any quantity.
    #[error("{} is larger than 1e12", shorten(.0))]
    TooLarge(String),
}

impl Domain {
    /// Judges a number; `text` is how it was written, for the message.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    ///
    /// ```
    /// use hindsight_sheet::Domain;
    /// assert!(Domain::Amount.check(0.0, "0").is_ok());
    /// assert_eq!(Domain::Positive.check(0.0, "0").unwrap_err().to_string(), "\"0\" is zero, but must be above zero");
    /// ```
    pub fn check(self, number: f64, text: &str) -> Result<f64, NumberProblem> {
        let wrong = match self {
            _ if !number.is_finite() => NumberProblem::NotFinite,
            Domain::Amount | Domain::Positive if number < 0.0 => NumberProblem::Negative,
            Domain::Positive if number <= 0.0 => NumberProblem::Zero,
            Domain::Share if !(0.0..=1.0).contains(&number) => NumberProblem::NoShare,
            _ if number.abs() > LARGEST => NumberProblem::TooLarge,
            _ => return Ok(number),
        };
        Err(wrong(text.to_owned()))
    }
}

/// What the decimal marks of a column may mean: where every number that has one has just three digits behind it, perhaps thousands.
#[derive(Debug, Clone)]
pub struct Marks {
    mark: char,
    example: Option<String>,
    decimal: bool,
}

impl Marks {
    /// The marks of a column before its first number.
    #[must_use]
    pub fn new(decimal_comma: bool) -> Self {
        Marks {
            mark: if decimal_comma { ',' } else { '.' },
            example: None,
            decimal: false,
        }
    }

    /// Takes note of a number as it is written.
    pub fn see(&mut self, text: &str) {
        let Some((whole, digits)) = text.split_once(self.mark).filter(|_| !self.decimal) else {
            return;
        };
        let whole = whole.trim_start_matches(['+', '-']);
        self.decimal =
            digits.len() != 3 || !(1..=3).contains(&whole.len()) || whole.starts_with('0');
        if self.example.is_none() {
            self.example = Some(text.to_owned());
        }
    }

    /// A number whose mark may be that of thousands, where all marks may.
    #[must_use]
    pub fn thousands(&self) -> Option<&str> {
        self.example.as_deref().filter(|_| !self.decimal)
    }

    /// Whether a number has shown that its mark is the decimal one.
    pub(crate) fn are_decimal(&self) -> bool {
        self.decimal
    }
}

/// Reads a number.
pub(crate) fn parse(text: &str, domain: Domain, decimal_comma: bool) -> Result<f64, NumberProblem> {
    if text.is_empty() {
        return Err(NumberProblem::Empty);
    }
    if decimal_comma && text.contains('.') {
        return Err(NumberProblem::Point(text.to_owned()));
    }
    let number = if decimal_comma && text.contains(',') {
        text.replacen(',', ".", 1).parse::<f64>()
    } else {
        text.parse()
    };
    match number {
        Ok(number) => domain.check(number, text),
        Err(_) if !decimal_comma && text.replacen(',', ".", 1).parse::<f64>().is_ok() => {
            Err(NumberProblem::Comma(text.to_owned()))
        }
        Err(_) => Err(NumberProblem::NoNumber(text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimal_commas_are_read_when_asked_for_and_proposed_when_not() {
        assert_eq!(parse("12,50", Domain::Any, true), Ok(12.5));
        assert_eq!(parse("-3", Domain::Any, true), Ok(-3.0));
        assert_eq!(parse("1e3", Domain::Any, true), Ok(1000.0));
        for (text, comma, hint) in [
            ("12,50", false, "it has a comma"),
            ("1.234,5", true, "thousands"),
            ("12.5", true, "a point has no meaning"),
            ("1,2,3", true, "is not a number"),
            ("x", false, "\"x\" is not a number"),
        ] {
            let problem = parse(text, Domain::Any, comma).unwrap_err().to_string();
            assert!(problem.contains(hint), "{problem}");
        }
    }

    #[test]
    fn marks_that_may_be_those_of_thousands() {
        let thousands = |comma: bool, texts: &[&str]| {
            let mut marks = Marks::new(comma);
            texts.iter().for_each(|text| marks.see(text));
            marks.thousands().map(str::to_owned)
        };
        assert_eq!(
            thousands(false, &["5", "1.250", "12.000"]).as_deref(),
            Some("1.250")
        );
        assert_eq!(thousands(true, &["1,250"]).as_deref(), Some("1,250"));
        for clear in [
            &["1.250", "1.5"][..],
            &["0.125"],
            &["1234.567"],
            &["7", "8"],
            &["1,250"],
        ] {
            assert_eq!(thousands(false, clear), None, "{clear:?}");
        }
    }

    #[test]
    fn domains() {
        for (domain, number, fits) in [
            (Domain::Amount, 0.0, true),
            (Domain::Amount, -1.0, false),
            (Domain::Positive, 0.0, false),
            (Domain::Share, 1.0, true),
            (Domain::Share, 1.1, false),
            (Domain::Any, -1e12, true),
            (Domain::Any, 2e12, false),
            (Domain::Any, f64::INFINITY, false),
        ] {
            assert_eq!(
                domain.check(number, "").is_ok(),
                fits,
                "{domain:?} {number}"
            );
        }
    }
}
