//! The header of a file, and the reading of one number.

use crate::error::{CliError, Place};

/// Quantities and money beyond this are taken for mistakes.
const LARGEST: f64 = 1e12;

/// What a number may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Domain {
    /// Units: not negative.
    Amount,
    /// Money per unit: above zero.
    Positive,
    /// Between 0 and 1.
    Share,
    /// Any finite number.
    Any,
}

impl Domain {
    /// What is wrong with a number, if anything.
    pub(crate) fn problem(self, number: f64) -> Option<&'static str> {
        if !number.is_finite() {
            return Some("is not a finite number");
        }
        match self {
            Domain::Amount | Domain::Positive if number < 0.0 => Some("is negative"),
            Domain::Positive if number <= 0.0 => Some("is zero, but must be above zero"),
            Domain::Share if !(0.0..=1.0).contains(&number) => Some("does not lie between 0 and 1"),
            _ if number.abs() > LARGEST => Some("is larger than 1e12"),
            _ => None,
        }
    }
}

/// The place of a name in the header.
pub(super) fn find(
    names: &[String],
    header: &Place,
    name: &str,
    argument: &str,
) -> Result<usize, CliError> {
    let mut found = (0..names.len()).filter(|&at| names[at] == name);
    match (found.next(), found.next()) {
        (Some(at), None) => Ok(at),
        (Some(_), Some(_)) => Err(header.error(format!("two columns are called {name:?}"))),
        (None, _) => {
            let shown: Vec<String> = names.iter().take(30).map(|name| shorten(name)).collect();
            let more = if names.len() > 30 { ", ..." } else { "" };
            let separator = match names {
                [only] if only.contains(';') => {
                    "; the separator looks like a semicolon: --delimiter ';'"
                }
                [only] if only.contains('\t') => {
                    "; the separator looks like a tab: --delimiter tab"
                }
                [only] if only.contains(',') => "; the separator looks like a comma: --delimiter ,",
                _ => "",
            };
            Err(header.error(format!(
                "no column {name:?} for {argument} (the header has {}{more}){separator}",
                shown.join(", ")
            )))
        }
    }
}

/// The text in quotes, cut to forty letters.
pub(crate) fn shorten(text: &str) -> String {
    if text.chars().count() <= 40 {
        return format!("{text:?}");
    }
    format!("{:?}", text.chars().take(37).collect::<String>() + "...")
}

/// What the decimal marks of a column may mean: where every number that has one has just three digits behind it, perhaps thousands.
#[derive(Debug, Clone)]
pub(crate) struct Marks {
    mark: char,
    example: Option<String>,
    decimal: bool,
}

impl Marks {
    /// The marks of a column before its first number.
    pub(crate) fn new(decimal_comma: bool) -> Self {
        Marks {
            mark: if decimal_comma { ',' } else { '.' },
            example: None,
            decimal: false,
        }
    }

    /// Takes note of a number as it is written.
    pub(crate) fn see(&mut self, text: &str) {
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
    pub(crate) fn thousands(&self) -> Option<&str> {
        self.example.as_deref().filter(|_| !self.decimal)
    }
}

/// Reads a number.
pub(super) fn parse(text: &str, domain: Domain, decimal_comma: bool) -> Result<f64, String> {
    if text.is_empty() {
        return Err("is empty (leave the whole row out for a week that is unknown)".to_owned());
    }
    let plain = if decimal_comma && text.contains(',') {
        text.replacen(',', ".", 1)
    } else {
        text.to_owned()
    };
    let point = decimal_comma && text.contains('.');
    let number = plain.parse::<f64>().ok().filter(|_| !point);
    let number = number.ok_or_else(|| {
        let hint = if point {
            ": with --decimal-comma a point has no meaning, and marks between thousands are not read"
        } else if !decimal_comma && text.replacen(',', ".", 1).parse::<f64>().is_ok() {
            ": for a decimal comma give --decimal-comma; marks between thousands are not read"
        } else {
            ""
        };
        format!("{} is not a number{hint}", shorten(text))
    })?;
    match domain.problem(number) {
        None => Ok(number),
        Some(problem) => Err(format!("{} {problem}", shorten(text))),
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
            ("12,50", false, "--decimal-comma"),
            ("1.234,5", true, "thousands"),
            ("12.5", true, "a point has no meaning"),
            ("1,2,3", true, "is not a number"),
            ("x", false, "\"x\" is not a number"),
        ] {
            let problem = parse(text, Domain::Any, comma).unwrap_err();
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
                domain.problem(number).is_none(),
                fits,
                "{domain:?} {number}"
            );
        }
    }
}
