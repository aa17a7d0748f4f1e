//! How a sample names its right choice.

use super::super::row::Cell;

/// How a field names the right choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    FromZero,
    Text,
    Letter,
    FromOne,
}

/// Where the right choice is said, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rule {
    pub(super) field: usize,
    pub(super) form: Form,
}

/// Whether a target is a list of several choices.
pub(super) fn several(cell: &Cell) -> bool {
    match cell {
        Cell::Text(t) => t.trim().starts_with('[') && t.contains(','),
        Cell::Numbers(from, to) => to - from > 1,
        _ => false,
    }
}

/// The choice that a cell names in one form.
pub(super) fn named(cell: &Cell, form: Form, texts: &[&str], choices: usize) -> Option<usize> {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // Whole and small.
    let whole = |v: f64| (v.fract() == 0.0 && (0.0..1e6).contains(&v)).then_some(v as usize);
    let text = match cell {
        Cell::Text(t) => Some(inner(t)),
        _ => None,
    };
    let number = match cell {
        Cell::Number(v) => whole(*v),
        Cell::Bool(b) => Some(usize::from(*b)),
        Cell::Text(_) => text.and_then(|t| match t {
            "True" | "true" => Some(1),
            "False" | "false" => Some(0),
            _ => t.parse::<f64>().ok().and_then(whole),
        }),
        _ => None,
    };
    let at = match form {
        Form::FromZero => number,
        Form::FromOne => number.and_then(|n| n.checked_sub(1)),
        Form::Letter => match text?
            .trim_start_matches('(')
            .trim_end_matches([')', '.', ':'])
            .as_bytes()
        {
            [c] if c.is_ascii_alphabetic() => Some(usize::from(c.to_ascii_uppercase() - b'A')),
            _ => None,
        },
        Form::Text => {
            let owned;
            let wanted = match (cell, text) {
                (Cell::Text(whole), Some(_)) if texts.contains(&whole.trim()) => whole.trim(),
                (_, Some(t)) => t,
                (Cell::Number(v), _) => {
                    owned = v.to_string();
                    &owned
                }
                _ => return None,
            };
            let only = |same: &dyn Fn(&str) -> bool| {
                let mut found = (0..texts.len()).filter(|&i| same(texts[i]));
                found.next().filter(|_| found.next().is_none())
            };
            match only(&|text| text == wanted) {
                None if !texts.contains(&wanted) => only(&|text| text.eq_ignore_ascii_case(wanted)),
                exact => exact,
            }
        }
    };
    at.filter(|i| *i < choices)
}

/// A text without blanks, brackets of a list of one, and the quotes within them.
fn inner(text: &str) -> &str {
    let t = text.trim();
    match t.strip_prefix('[').and_then(|t| t.strip_suffix(']')) {
        Some(one) => one.trim().trim_matches(['"', '\'']).trim(),
        None => t,
    }
}

/// A form in words.
pub(super) fn words(form: Form) -> &'static str {
    match form {
        Form::FromZero => "a place from 0",
        Form::FromOne => "a place from 1",
        Form::Letter => "a letter",
        Form::Text => "the text of a choice",
    }
}
