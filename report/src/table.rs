//! Tables on the terminal: aligned, as wide as the terminal allows, without colour unless it is one.
//!
//! On a narrow terminal optional columns go first (from the right, and a line below the table names them), then the widest
//! text column is cut with an ellipsis. Away from a terminal nothing is cut. The same table goes into a page by
//! [`Table::header`] and [`Table::rows`].

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Text columns are not cut below this width.
const LEAST_TEXT: usize = 10;
/// Spaces between columns.
const GAP: usize = 2;

/// One column of a table.
#[derive(Debug, Clone)]
#[must_use]
pub struct Column {
    name: String,
    number: bool,
    optional: bool,
}

impl Column {
    /// A column of words, aligned left.
    pub fn text(name: impl Into<String>) -> Self {
        Column {
            name: name.into(),
            number: false,
            optional: false,
        }
    }

    /// A column of numbers, aligned right.
    pub fn number(name: impl Into<String>) -> Self {
        Column {
            name: name.into(),
            number: true,
            optional: false,
        }
    }

    /// The same column, left out where the terminal is narrow.
    pub fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    /// The heading.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it holds numbers.
    #[must_use]
    pub fn is_number(&self) -> bool {
        self.number
    }
}

/// How wide a table may be, and whether it may use bold type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct Width {
    columns: Option<usize>,
    styled: bool,
}

impl Width {
    /// At most so many columns, plain.
    pub fn at_most(columns: usize) -> Self {
        Width {
            columns: Some(columns),
            styled: false,
        }
    }

    /// No limit, plain.
    pub fn unlimited() -> Self {
        Width {
            columns: None,
            styled: false,
        }
    }

    /// The same width with a bold heading, by the escape codes of terminals.
    pub fn styled(mut self) -> Self {
        self.styled = true;
        self
    }

    fn bold(&self, text: &str) -> String {
        match self.styled {
            true => format!("\u{1b}[1m{text}\u{1b}[0m"),
            false => text.to_owned(),
        }
    }
}

#[derive(Debug, Clone)]
enum Line {
    Cells(Vec<String>),
    Rule,
}

/// A table.
///
/// ```
/// use hindsight_report::{Column, Table, Width};
///
/// let mut table = Table::new([Column::text("policy"), Column::number("reward"), Column::number("share").optional()]);
/// table.row(["base stock", "1,234", "81.2 %"]);
/// table.rule(); // a line between groups
/// table.row(["constant order", "987", "64.9 %"]);
/// assert!(table.render(Width::unlimited()).contains("constant order     987  64.9 %"));
/// assert!(table.render(Width::at_most(24)).contains("not shown"));
/// ```
#[derive(Debug, Clone)]
pub struct Table {
    columns: Vec<Column>,
    lines: Vec<Line>,
}

impl Table {
    /// A table without rows.
    pub fn new(columns: impl IntoIterator<Item = Column>) -> Self {
        Table {
            columns: columns.into_iter().collect(),
            lines: Vec::new(),
        }
    }

    /// A table whose first column has words, the others numbers.
    pub fn numbers<N: Into<String>>(names: impl IntoIterator<Item = N>) -> Self {
        let mut names = names.into_iter();
        let first = names.next().map(Column::text);
        Table::new(first.into_iter().chain(names.map(Column::number)))
    }

    /// A matrix with the names of its rows and columns; `cells` come row by row.
    ///
    /// ```
    /// use hindsight_report::Table;
    ///
    /// let names = ["stag", "hare"].map(str::to_owned);
    /// let table = Table::matrix(&names, &names, ["4", "1", "3", "3"].map(str::to_owned));
    /// assert_eq!(table.rows().nth(1).unwrap(), ["hare", "3", "3"]);
    /// ```
    pub fn matrix(
        rows: &[String],
        columns: &[String],
        cells: impl IntoIterator<Item = String>,
    ) -> Self {
        let head = std::iter::once(Column::text("")).chain(columns.iter().map(Column::number));
        let (mut table, mut cells) = (Table::new(head), cells.into_iter());
        for name in rows {
            let line = cells.by_ref().take(columns.len());
            table.row(std::iter::once(name.clone()).chain(line));
        }
        table
    }

    /// Adds a row; missing cells are empty, surplus cells are dropped.
    pub fn row<S: Into<String>>(&mut self, cells: impl IntoIterator<Item = S>) -> &mut Self {
        let mut cells: Vec<String> = cells.into_iter().map(Into::into).collect();
        cells.resize(self.columns.len(), String::new());
        self.lines.push(Line::Cells(cells));
        self
    }

    /// Adds a line across, between groups of rows.
    pub fn rule(&mut self) -> &mut Self {
        self.lines.push(Line::Rule);
        self
    }

    /// The table in Markdown, numbers aligned right: what GitHub and most editors of notes show as a table.
    ///
    /// ```
    /// use hindsight_report::{Column, Table};
    /// let mut table = Table::new([Column::text("policy"), Column::number("reward")]);
    /// table.row(["a | b", "12"]);
    /// assert_eq!(table.to_markdown(), "| policy | reward |\n|---|---:|\n| a \\| b | 12 |\n");
    /// ```
    #[must_use]
    pub fn to_markdown(&self) -> String {
        let line = |cells: &mut dyn Iterator<Item = &str>| {
            let cells: Vec<String> = cells
                .map(|cell| cell.replace('|', "\\|").replace('\n', " "))
                .collect();
            format!("| {} |\n", cells.join(" | "))
        };
        let marks: String = self
            .columns
            .iter()
            .map(|c| if c.number { "---:|" } else { "---|" })
            .collect();
        let mut text = line(&mut self.columns.iter().map(Column::name)) + "|" + &marks + "\n";
        for row in self.rows() {
            text += &line(&mut row.iter().map(String::as_str));
        }
        text
    }

    /// The table as CSV with a header: commas, quotation marks where a cell needs them.
    ///
    /// ```
    /// use hindsight_report::{Column, Table};
    /// let mut table = Table::new([Column::text("policy"), Column::number("reward")]);
    /// table.row(["a, \"b\"", "1,234"]);
    /// assert_eq!(table.to_csv(), "policy,reward\n\"a, \"\"b\"\"\",\"1,234\"\n");
    /// ```
    #[must_use]
    pub fn to_csv(&self) -> String {
        let cell = |cell: &str| {
            if cell.contains([',', '"', '\n', '\r']) {
                format!("\"{}\"", cell.replace('"', "\"\""))
            } else {
                cell.to_owned()
            }
        };
        let line = |cells: Vec<String>| cells.join(",") + "\n";
        let mut text = line(self.columns.iter().map(|c| cell(c.name())).collect());
        for row in self.rows() {
            text += &line(row.iter().map(|c| cell(c)).collect());
        }
        text
    }

    /// The columns.
    pub fn header(&self) -> &[Column] {
        &self.columns
    }

    /// The rows, in order.
    pub fn rows(&self) -> impl Iterator<Item = &[String]> {
        self.lines.iter().filter_map(|line| match line {
            Line::Cells(cells) => Some(cells.as_slice()),
            Line::Rule => None,
        })
    }

    /// The table as text, each line ended. Where it is wider than the terminal, columns that may be left out go first, then the widest column of words is
    /// folded; what does not fit then is written row by row, a line for each column.
    #[must_use]
    pub fn render(&self, width: Width) -> String {
        let mut widths: Vec<usize> = (0..self.columns.len())
            .map(|at| {
                let cells = self.rows().map(|cells| wide(&cells[at])).max().unwrap_or(0);
                cells.max(wide(&self.columns[at].name))
            })
            .collect();
        let mut shown: Vec<usize> = (0..self.columns.len()).collect();
        let mut hidden = Vec::new();
        if let Some(limit) = width.columns {
            while total(&shown, &widths) > limit {
                let Some(position) = shown.iter().rposition(|&at| self.columns[at].optional) else {
                    break;
                };
                hidden.insert(0, self.columns[shown.remove(position)].name.clone());
            }
            let excess = total(&shown, &widths).saturating_sub(limit);
            let words = shown.iter().copied().filter(|&at| !self.columns[at].number);
            if let Some(at) = words.max_by_key(|&at| widths[at]) {
                let least = LEAST_TEXT.min(widths[at]);
                widths[at] = widths[at].saturating_sub(excess).max(least);
            }
            if total(&shown, &widths) > limit {
                return self.stacked(width, limit);
            }
        }
        let mut text = String::new();
        let names: Vec<String> = self
            .columns
            .iter()
            .map(|column| column.name.clone())
            .collect();
        for line in self.folded(&names, &shown, &widths) {
            text.push_str(&width.bold(&line));
            text.push('\n');
        }
        let rule = "-".repeat(total(&shown, &widths));
        text.push_str(&rule);
        text.push('\n');
        for line in &self.lines {
            match line {
                Line::Cells(cells) => {
                    let lines = self.folded(cells, &shown, &widths);
                    text.push_str(&lines.join("\n"));
                }
                Line::Rule => text.push_str(&rule),
            }
            text.push('\n');
        }
        hidden.retain(|name| !name.is_empty());
        if !hidden.is_empty() {
            let words = format!("(not shown on this narrow terminal: {})", hidden.join(", "));
            text.push_str(&fold(&words, width.columns.unwrap_or(usize::MAX)).join("\n"));
            text.push('\n');
        }
        text
    }

    /// Row by row, a line for each column: for terminals that no row fits.
    fn stacked(&self, width: Width, limit: usize) -> String {
        let names = self.columns.iter().map(|column| wide(&column.name));
        let label = names.max().unwrap_or(0).min(limit / 2).max(1);
        let room = limit.saturating_sub(label + 2 * GAP).max(1);
        let mut text = String::new();
        for cells in self.rows() {
            for line in fold(&cells[0], limit) {
                text.push_str(&width.bold(&line));
                text.push('\n');
            }
            let pairs = self.columns.iter().zip(cells).skip(1);
            for (column, cell) in pairs.filter(|(_, cell)| !cell.is_empty()) {
                let (names, values) = (fold(&column.name, label), fold(cell, room));
                for at in 0..names.len().max(values.len()) {
                    let name = names.get(at).map_or("", String::as_str);
                    let value = values.get(at).map_or("", String::as_str);
                    let gap = " ".repeat(GAP + label - wide(name).min(label));
                    let line = format!("{}{name}{gap}{value}", " ".repeat(GAP));
                    text.push_str(line.trim_end());
                    text.push('\n');
                }
            }
        }
        text
    }

    /// A row as lines: words that are wider than their column go on below.
    fn folded(&self, cells: &[String], shown: &[usize], widths: &[usize]) -> Vec<String> {
        let parts: Vec<Vec<String>> = shown
            .iter()
            .map(|&at| match self.columns[at].number {
                true => vec![cells[at].clone()],
                false => fold(&cells[at], widths[at]),
            })
            .collect();
        let lines = parts.iter().map(Vec::len).max().unwrap_or(1);
        let line = |number: usize| {
            let mut text = String::new();
            for (position, (&at, parts)) in shown.iter().zip(&parts).enumerate() {
                if position > 0 {
                    text.push_str(&" ".repeat(GAP));
                }
                let cell = parts.get(number).map_or("", String::as_str);
                let pad = " ".repeat(widths[at].saturating_sub(wide(cell)));
                match self.columns[at].number {
                    true => text.extend([pad.as_str(), cell]),
                    false => text.extend([cell, pad.as_str()]),
                }
            }
            text.trim_end().to_owned()
        };
        (0..lines).map(line).collect()
    }
}

/// Columns of a terminal that the words take.
fn wide(words: &str) -> usize {
    UnicodeWidthStr::width(words)
}

/// The words in lines of at most `room` columns, parted at blanks, words that are longer within them; at least one line.
fn fold(words: &str, room: usize) -> Vec<String> {
    let room = room.max(1);
    if wide(words) <= room {
        return vec![words.to_owned()];
    }
    let mut lines = vec![String::new()];
    for word in words.split(' ') {
        let taken = lines.last().map_or(0, |line| wide(line));
        if taken > 0 && taken + 1 + wide(word) > room {
            lines.push(String::new());
        } else if taken > 0
            && let Some(line) = lines.last_mut()
        {
            line.push(' ');
        }
        for letter in word.chars() {
            let full =
                lines.last().map_or(0, |line| wide(line)) + letter.width().unwrap_or(0) > room;
            if full {
                lines.push(String::new());
            }
            if let Some(line) = lines.last_mut() {
                line.push(letter);
            }
        }
    }
    lines
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
    fn a_narrow_terminal_loses_optional_columns_and_no_word_or_number() {
        for limit in 16..70 {
            let text = sample().render(Width::at_most(limit));
            assert!(
                text.lines().all(|line| wide(line) <= limit),
                "{limit}:\n{text}"
            );
            assert!(text.contains("1,234") && text.contains("-5"), "{text}");
            let words: String = text.split_whitespace().collect();
            for letters in ["Backprop", "trained", "first"] {
                assert!(words.contains(letters), "{limit}:\n{text}");
            }
        }
        let text = sample().render(Width::at_most(40));
        assert!(text.contains("(not shown on this narrow terminal:"));
    }

    #[test]
    fn what_fits_nowhere_is_written_row_by_row() {
        let text = sample().render(Width::at_most(16));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines[..3],
            ["Direct Backprop,", "trained on the", "first weeks"]
        );
        assert_eq!(lines[3..5], ["  reward  1,234", "  orders  7"]);
    }

    #[test]
    fn no_escape_codes_away_from_a_terminal() {
        assert!(!sample().render(Width::unlimited()).contains('\u{1b}'));
    }
}
