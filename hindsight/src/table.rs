//! Tables on the terminal: aligned, as wide as the terminal allows, without colour unless it is one.
//!
//! ```ignore
//! let mut table = Table::new([Column::text("policy"), Column::number("reward"), Column::number("share").optional()]);
//! table.row(["base stock", "1,234", "81.2 %"]);
//! table.rule();                       // a line between groups
//! output::print(&table.render(Width::of_stdout()))?;
//! ```
//!
//! On a narrow terminal optional columns go first (from the right, and a line below the table names them), then the widest
//! text column is cut with an ellipsis. Away from a terminal nothing is cut. The same table goes into a page by
//! [`Table::header`] and [`Table::rows`].

use console::{Alignment, measure_text_width, pad_str, truncate_str};

/// Text columns are not cut below this width.
const LEAST_TEXT: usize = 10;
/// Spaces between columns.
const GAP: usize = 2;

/// One column of a table.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    name: String,
    number: bool,
    optional: bool,
}

impl Column {
    /// A column of words, aligned left.
    pub(crate) fn text(name: impl Into<String>) -> Self {
        Column {
            name: name.into(),
            number: false,
            optional: false,
        }
    }

    /// A column of numbers, aligned right.
    pub(crate) fn number(name: impl Into<String>) -> Self {
        Column {
            name: name.into(),
            number: true,
            optional: false,
        }
    }

    /// The same column, left out where the terminal is narrow.
    pub(crate) fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    /// The heading.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether it holds numbers.
    pub(crate) fn is_number(&self) -> bool {
        self.number
    }
}

/// How wide a table may be, and whether it may use bold type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Width {
    columns: Option<usize>,
    styled: bool,
}

impl Width {
    /// What the standard output allows: the terminal's width, or no limit when it is a file or a pipe.
    pub(crate) fn of_stdout() -> Self {
        let terminal = console::Term::stdout();
        let columns = if terminal.is_term() {
            terminal.size_checked().map(|(_, width)| usize::from(width))
        } else {
            None
        };
        Width {
            columns,
            styled: terminal.is_term() && console::colors_enabled(),
        }
    }

    /// At most so many columns, plain.
    pub(crate) fn at_most(columns: usize) -> Self {
        Width {
            columns: Some(columns),
            styled: false,
        }
    }

    /// No limit, plain.
    pub(crate) fn unlimited() -> Self {
        Width {
            columns: None,
            styled: false,
        }
    }
}

#[derive(Debug, Clone)]
enum Line {
    Cells(Vec<String>),
    Rule,
}

/// A table.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    columns: Vec<Column>,
    lines: Vec<Line>,
}

impl Table {
    /// A table without rows.
    pub(crate) fn new(columns: impl IntoIterator<Item = Column>) -> Self {
        Table {
            columns: columns.into_iter().collect(),
            lines: Vec::new(),
        }
    }

    /// Adds a row; missing cells are empty, surplus cells are dropped.
    pub(crate) fn row<S: Into<String>>(&mut self, cells: impl IntoIterator<Item = S>) -> &mut Self {
        let mut cells: Vec<String> = cells.into_iter().map(Into::into).collect();
        cells.resize(self.columns.len(), String::new());
        self.lines.push(Line::Cells(cells));
        self
    }

    /// Adds a line across, between groups of rows.
    pub(crate) fn rule(&mut self) -> &mut Self {
        self.lines.push(Line::Rule);
        self
    }

    /// The columns.
    pub(crate) fn header(&self) -> &[Column] {
        &self.columns
    }

    /// The rows, in order.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &[String]> {
        self.lines.iter().filter_map(|line| match line {
            Line::Cells(cells) => Some(cells.as_slice()),
            Line::Rule => None,
        })
    }

    /// The table as text, each line ended.
    pub(crate) fn render(&self, width: Width) -> String {
        let natural: Vec<usize> = (0..self.columns.len())
            .map(|at| {
                let cells = self
                    .rows()
                    .map(|cells| measure_text_width(&cells[at]))
                    .max()
                    .unwrap_or(0);
                cells.max(measure_text_width(&self.columns[at].name))
            })
            .collect();
        let mut shown: Vec<usize> = (0..self.columns.len()).collect();
        let mut widths = natural;
        let mut hidden = Vec::new();
        if let Some(limit) = width.columns {
            while total(&shown, &widths) > limit {
                let Some(position) = shown.iter().rposition(|&at| self.columns[at].optional) else {
                    break;
                };
                hidden.insert(0, self.columns[shown.remove(position)].name.clone());
            }
            let excess = total(&shown, &widths).saturating_sub(limit);
            let widest = shown
                .iter()
                .copied()
                .filter(|&at| !self.columns[at].number)
                .max_by_key(|&at| widths[at]);
            if let Some(at) = widest {
                widths[at] = widths[at]
                    .saturating_sub(excess)
                    .max(LEAST_TEXT.min(widths[at]));
            }
        }
        let bold = |text: &str| {
            console::Style::new()
                .bold()
                .force_styling(width.styled)
                .apply_to(text)
                .to_string()
        };
        let mut text = String::new();
        let names: Vec<String> = self
            .columns
            .iter()
            .map(|column| column.name.clone())
            .collect();
        text.push_str(&bold(&self.line(&names, &shown, &widths)));
        text.push('\n');
        let rule = "-".repeat(total(&shown, &widths));
        text.push_str(&rule);
        text.push('\n');
        for line in &self.lines {
            match line {
                Line::Cells(cells) => text.push_str(&self.line(cells, &shown, &widths)),
                Line::Rule => text.push_str(&rule),
            }
            text.push('\n');
        }
        if !hidden.is_empty() {
            let words = format!("(not shown on this narrow terminal: {})", hidden.join(", "));
            let mut room = 0;
            for word in words.split(' ') {
                let wide = measure_text_width(word);
                if room > 0 && width.columns.is_some_and(|limit| room + 1 + wide > limit) {
                    text.push('\n');
                    room = 0;
                } else if room > 0 {
                    text.push(' ');
                    room += 1;
                }
                text.push_str(word);
                room += wide;
            }
            text.push('\n');
        }
        text
    }

    fn line(&self, cells: &[String], shown: &[usize], widths: &[usize]) -> String {
        let mut text = String::new();
        for (position, &at) in shown.iter().enumerate() {
            if position > 0 {
                text.push_str(&" ".repeat(GAP));
            }
            let alignment = if self.columns[at].number {
                Alignment::Right
            } else {
                Alignment::Left
            };
            let cell = if self.columns[at].number {
                cells[at].as_str().into()
            } else {
                truncate_str(&cells[at], widths[at], "…")
            };
            text.push_str(&pad_str(&cell, widths[at], alignment, None));
        }
        text.trim_end().to_owned()
    }
}

fn total(shown: &[usize], widths: &[usize]) -> usize {
    shown.iter().map(|&at| widths[at]).sum::<usize>() + GAP * shown.len().saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Table {
        let mut table = Table::new([
            Column::text("policy"),
            Column::number("reward"),
            Column::number("orders").optional(),
        ]);
        table.row(["Direct Backprop, trained on the first weeks", "1,234", "7"]);
        table.rule();
        table.row(["naïve", "-5"]);
        table
    }

    #[test]
    fn columns_line_up() {
        let text = sample().render(Width::unlimited());
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines[0],
            "policy                                       reward  orders"
        );
        assert_eq!(
            lines[4],
            "naïve                                            -5"
        );
        assert_eq!(lines[1].len(), lines[0].len());
    }

    #[test]
    fn a_narrow_terminal_loses_optional_columns_then_words_never_numbers() {
        for limit in 30..70 {
            let text = sample().render(Width::at_most(limit));
            let table: Vec<&str> = text.lines().take(5).collect();
            assert!(
                table.iter().all(|line| measure_text_width(line) <= limit),
                "{limit}:\n{text}"
            );
            assert!(text.contains("1,234") && text.contains("-5"), "{text}");
            assert_eq!(text.contains("not shown"), limit < 59, "{limit}:\n{text}");
        }
    }

    #[test]
    fn no_escape_codes_away_from_a_terminal() {
        assert!(!sample().render(Width::unlimited()).contains('\u{1b}'));
    }
}
