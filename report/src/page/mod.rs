//! The report page: one HTML file that needs nothing else (no network; a small script of its own, which it can do without), light and dark, on paper too.
//!
//! Every text is escaped. Figures and tables are numbered in order; sections appear in the navigation at the side (at the top on
//! narrow screens).

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::chart::{Svg, css, escape};
use crate::number::typographic;
use crate::table::Table;

mod script;
mod style;

/// A page under construction.
///
/// ```
/// use hindsight_report::{Axis, Page, Series, XyChart};
///
/// let chart = XyChart::new("Stock", Axis::linear("Week"), Axis::linear("Units"));
/// let of = |points| chart.clone().series(Series::step("on hand", points)).svg();
/// let mut page = Page::new("Inventory back-test", "913 products, 121 weeks");
/// page.section("Samples")
///     .text("Stock on hand at the end of a week.")
///     .figures([(&of(vec![(1.0, 4.0)]), "Store 5."), (&of(vec![(1.0, 7.0)]), "Store 8.")]) // side by side
///     .section("The run")
///     .facts([("seed", "7"), ("products", "913")]);
/// let html = page.generator("my program 1.0").to_html();
/// assert!(html.starts_with(&Page::opening("my program ")) && html.contains("<b>Figure 2.</b> Store 8."));
/// ```
#[derive(Debug, Clone)]
pub struct Page {
    title: String,
    lead: String,
    /// What comes before the lead: the first note, where no section is open yet.
    finding: String,
    generator: String,
    sections: Vec<String>,
    body: String,
    figures: usize,
    /// The widths of drawings that have another for narrow places.
    widths: BTreeSet<u32>,
    tables: Vec<(String, Table)>,
}

impl Page {
    /// An empty page; to a lead without a full stop one is added.
    pub fn new(title: impl Into<String>, lead: impl Into<String>) -> Self {
        let mut lead = lead.into();
        if lead.ends_with(|end: char| !".?!".contains(end)) {
            lead.push('.');
        }
        Page {
            title: title.into(),
            lead,
            finding: String::new(),
            generator: concat!("hindsight-report ", env!("CARGO_PKG_VERSION")).to_owned(),
            sections: Vec::new(),
            body: String::new(),
            figures: 0,
            widths: BTreeSet::new(),
            tables: Vec::new(),
        }
    }

    /// Names the program that writes the page, with its version.
    pub fn generator(&mut self, name: impl Into<String>) -> &mut Self {
        self.generator = name.into();
        self
    }

    /// Opens a section; what follows belongs to it.
    pub fn section(&mut self, title: impl Into<String>) -> &mut Self {
        if !self.sections.is_empty() {
            self.body.push_str("</section>\n");
        }
        self.sections.push(title.into());
        let number = self.sections.len();
        let _ = writeln!(
            self.body,
            "<section id=\"part-{number}\" aria-labelledby=\"head-{number}\"><h2 id=\"head-{number}\">{}</h2>",
            escape(&self.sections[number - 1])
        );
        self
    }

    /// A paragraph.
    pub fn text(&mut self, words: &str) -> &mut Self {
        let _ = writeln!(self.body, "<p>{}</p>", escape(&typographic(words)));
        self
    }

    /// A paragraph set apart: the main finding, a warning. The first before all sections stands right below the title, and the lead after it.
    ///
    /// ```
    /// use hindsight_report::Page;
    ///
    /// let mut page = Page::new("Fees", "12 sellers.");
    /// let html = page.note("A fee of 0.15 pays most.").section("Fees").note("Sellers may leave.").to_html();
    /// let at = |words| html.find(words).unwrap();
    /// assert!(at("pays most") < at("12 sellers") && at("12 sellers") < at("may leave"));
    /// ```
    pub fn note(&mut self, words: &str) -> &mut Self {
        let note = format!("<p class=\"note\">{}</p>\n", escape(&typographic(words)));
        if self.sections.is_empty() && self.body.is_empty() && self.finding.is_empty() {
            self.finding = note;
        } else {
            self.body.push_str(&note);
        }
        self
    }

    /// Names and values of the run, letter by letter: a command can be copied.
    pub fn facts<K: AsRef<str>, V: AsRef<str>>(
        &mut self,
        facts: impl IntoIterator<Item = (K, V)>,
    ) -> &mut Self {
        self.body.push_str("<dl class=\"facts\">");
        for (name, value) in facts {
            let _ = write!(
                self.body,
                "<div><dt>{}</dt><dd>{}</dd></div>",
                escape(name.as_ref()),
                with_whole_options(value.as_ref())
            );
        }
        self.body.push_str("</dl>\n");
        self
    }

    /// A figure over the whole width, with a caption.
    pub fn figure(&mut self, svg: &Svg, caption: &str) -> &mut Self {
        self.one_figure(svg, caption, "");
        self
    }

    /// Figures side by side where there is room.
    pub fn figures<'a, S: AsRef<str>>(
        &mut self,
        figures: impl IntoIterator<Item = (&'a Svg, S)>,
    ) -> &mut Self {
        self.body.push_str("<div class=\"pair\">\n");
        for (svg, caption) in figures {
            self.one_figure(svg, caption.as_ref(), " class=\"small\"");
        }
        self.body.push_str("</div>\n");
        self
    }

    fn one_figure(&mut self, svg: &Svg, caption: &str, class: &str) {
        self.figures += 1;
        let number = self.figures;
        if svg.narrow().is_some() {
            self.widths.insert(whole(svg.width()));
        }
        let _ = writeln!(
            self.body,
            "<figure{class} id=\"figure-{number}\">{}<figcaption><b>Figure {number}.</b> {}</figcaption></figure>",
            plots(svg, number),
            escape(&typographic(caption))
        );
    }

    /// Figures of which one set is looked at, by its name: a list to pick from stands above them. Without a script, and on paper, all sets are shown.
    pub fn choice<'a, S: AsRef<str> + 'a>(
        &mut self,
        label: &str,
        sets: impl IntoIterator<Item = (&'a str, &'a [(Svg, S)])>,
    ) -> &mut Self {
        let _ = writeln!(
            self.body,
            "<div class=\"choice\" data-label=\"{}\">",
            escape(label)
        );
        for (name, figures) in sets {
            let _ = writeln!(self.body, "<div data-name=\"{}\">", escape(name));
            self.figures(figures.iter().map(|(svg, caption)| (svg, caption)));
            self.body.push_str("</div>\n");
        }
        self.body.push_str("</div>\n");
        self
    }

    /// A table with a caption.
    pub fn table(&mut self, table: &Table, caption: &str) -> &mut Self {
        self.tables.push((caption.to_owned(), table.clone()));
        let number = self.tables.len();
        let _ = write!(
            self.body,
            "<div class=\"wide\"><table id=\"table-{number}\"><caption><b>Table {number}.</b> {}</caption><thead><tr>",
            escape(&typographic(caption))
        );
        for column in table.header() {
            let class = if column.is_number() {
                " class=\"n\""
            } else {
                ""
            };
            let _ = write!(
                self.body,
                "<th scope=\"col\"{class}>{}</th>",
                with_whole_dates(column.name())
            );
        }
        self.body.push_str("</tr></thead><tbody>");
        for row in table.rows() {
            self.body.push_str("<tr>");
            for (at, (cell, column)) in row.iter().zip(table.header()).enumerate() {
                let text = with_whole_dates(cell);
                let class = class_of(cell, column.is_number());
                if at == 0 {
                    let _ = write!(self.body, "<th scope=\"row\"{class}>{text}</th>");
                } else {
                    let _ = write!(self.body, "<td{class}>{text}</td>");
                }
            }
            self.body.push_str("</tr>");
        }
        self.body.push_str("</tbody></table></div>\n");
        self
    }

    /// The tables of the page with their captions, in order.
    #[must_use]
    pub fn tables(&self) -> &[(String, Table)] {
        &self.tables
    }

    /// The tables of the page as a file: Markdown, or `csv` with captions as comments; a comment with `title` opens it.
    ///
    /// ```
    /// use hindsight_report::{Column, Page, Table};
    ///
    /// let mut table = Table::new([Column::text("fee"), Column::number("price")]);
    /// table.row(["none", "0.35"]);
    /// let mut page = Page::new("Fees", "");
    /// page.section("Prices").table(&table, "By fee.");
    /// assert_eq!(page.tables_text("by plan 1.0", true), "# by plan 1.0\n\n# By fee.\nfee,price\nnone,0.35\n");
    /// ```
    #[must_use]
    pub fn tables_text(&self, title: &str, csv: bool) -> String {
        let (open, close) = if csv { ("# ", "") } else { ("<!-- ", " -->") };
        let mut text = format!("{open}{title}{close}\n");
        for (caption, table) in &self.tables {
            let _ = if csv {
                write!(text, "\n# {caption}\n{}", table.to_csv())
            } else {
                write!(text, "\n{caption}\n\n{}", table.to_markdown())
            };
        }
        text
    }

    /// The whole page.
    #[must_use]
    pub fn to_html(&self) -> String {
        let mut nav = String::new();
        for (at, section) in self.sections.iter().enumerate() {
            let _ = write!(
                nav,
                "<li><a href=\"#part-{}\">{}</a></li>",
                at + 1,
                escape(section)
            );
        }
        let fitted: String = self
            .widths
            .iter()
            .map(|&width| style::fitted(width))
            .collect();
        let end = if self.sections.is_empty() {
            ""
        } else {
            "</section>"
        };
        format!(
            "{}\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light dark\">\n\
             <title>{}</title>\n<style>{}{}{fitted}</style>\n</head>\n<body>\n<header><h1>{}</h1>{}<p class=\"lead\">{}</p></header>\n\
             <div class=\"frame\"><nav aria-label=\"Sections\"><ol>{nav}</ol></nav>\n<main>\n{}{end}\n</main></div>\n\
             <footer>Written by {}.</footer>\n<script>{}</script>\n</body>\n</html>\n",
            Page::opening(&self.generator),
            escape(&self.title),
            css(),
            style::CSS,
            escape(&self.title),
            self.finding,
            escape(&typographic(&self.lead)),
            self.body,
            escape(&self.generator),
            script::SCRIPT,
        )
    }

    /// The first bytes of every page whose generator starts with `generator`.
    #[must_use]
    pub fn opening(generator: &str) -> String {
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"generator\" content=\"{}",
            escape(generator)
        )
    }
}

/// Arguments as a shell takes them, to be copied from a page.
///
/// ```
/// let arguments = ["solve", "--game", "[[1,-1],[-1,1]]"].map(str::to_owned);
/// assert_eq!(hindsight_report::command_line(&arguments), "solve --game '[[1,-1],[-1,1]]'");
/// ```
#[must_use]
pub fn command_line(arguments: &[String]) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./=,:@+%".contains(c);
    let quote = |argument: &String| {
        if !argument.is_empty() && argument.chars().all(plain) {
            argument.clone()
        } else {
            format!("'{}'", argument.replace('\'', "'\\''"))
        }
    };
    arguments.iter().map(quote).collect::<Vec<_>>().join(" ")
}

/// The text for the page, with the options of a command in it never broken at their hyphens.
fn with_whole_options(text: &str) -> String {
    with_whole(text, "<span>", |word| {
        word.starts_with("--") && word.len() <= 32
    })
}

/// The text of a cell, with what has a digit and a hyphen in it (2024-05-13) never broken there.
fn with_whole_dates(cell: &str) -> String {
    with_whole(&typographic(cell), "<span class=\"date\">", |word| {
        word.contains('-') && word.starts_with(|c: char| c.is_ascii_digit()) && word.len() <= 16
    })
}

/// The text for the page, with some of its words in an element of their own.
fn with_whole(text: &str, element: &str, is_whole: impl Fn(&str) -> bool) -> String {
    let words = text.split(' ').map(|word| {
        let escaped = escape(word);
        if is_whole(word) {
            format!("{element}{escaped}</span>")
        } else {
            escaped
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// How a cell is set: numbers to the right, what reads as a number and names of a word or two never broken, long words in a column with room for them.
fn class_of(cell: &str, number: bool) -> &'static str {
    let letters = cell.chars().count();
    let leads = |c: char| c.is_ascii_digit() || "[(+-−".contains(c);
    match () {
        () if number => " class=\"n\"",
        () if letters > 28 => " class=\"long\"",
        () if letters <= 12 || cell.starts_with(leads) => " class=\"whole\"",
        () => "",
    }
}

/// The drawing of a figure; for narrow screens a second one stands beside it, and the style sheet shows one of them.
fn plots(svg: &Svg, number: usize) -> String {
    let plot = |svg: &Svg, class: &str, drawn: String| {
        format!(
            "<div class=\"plot{class}\" style=\"max-width:{:.0}px\">{drawn}</div>",
            svg.width()
        )
    };
    let id = format!("chart-{number}");
    let wide = svg.inline(&id);
    match svg.narrow() {
        None => plot(svg, "", wide),
        Some(narrow) => {
            let width = whole(svg.width());
            let beside = narrow.inline_beside(&id, &format!("{id}-narrow"));
            plot(svg, &format!(" w{width} wider"), wide)
                + &plot(narrow, &format!(" w{width} narrower"), beside)
        }
    }
}

/// A width in whole pixels.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "widths are hundreds of pixels"
)]
fn whole(width: f64) -> u32 {
    width.round() as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::{Axis, XyChart};
    use crate::table::Column;

    fn page() -> String {
        let mut table = Table::new([Column::text("a"), Column::number("b")]);
        table.row(["<x>", "-1"]);
        let svg = XyChart::new("t", Axis::linear("x"), Axis::linear("y")).svg();
        let mut page = Page::new("A & B", "lead");
        page.section("One")
            .text("<script>alert")
            .figure(&svg, "c")
            .section("Two")
            .table(&table, "d")
            .facts([("seed", "-7")]);
        page.to_html()
    }

    #[test]
    fn nothing_is_fetched_and_no_script_comes_from_the_data() {
        let html = page();
        for forbidden in [
            "http://",
            "https://",
            "<script>alert",
            "<link",
            "@import",
            "url(",
        ] {
            let found = html
                .replace("http://www.w3.org/2000/svg", "")
                .contains(forbidden);
            assert!(!found, "{forbidden}");
        }
    }

    #[test]
    fn facts_keep_their_letters_and_options_stay_whole() {
        assert!(page().contains("<dt>seed</dt><dd>-7</dd>"));
        assert_eq!(
            with_whole_options("run a-b --lead-time '<4>'"),
            "run a-b <span>--lead-time</span> &#39;&lt;4&gt;&#39;"
        );
    }

    #[test]
    fn dates_are_not_broken_at_their_hyphens() {
        let date = |text: &str| format!("<span class=\"date\">{text}</span>");
        assert_eq!(
            with_whole_dates("2024-05-13 to 2024-09-02"),
            format!("{} to {}", date("2024-05-13"), date("2024-09-02"))
        );
        assert_eq!(
            with_whole_dates("fine-tuned <net>"),
            "fine-tuned &lt;net&gt;"
        );
    }

    #[test]
    fn numbers_are_not_broken_and_long_words_have_room() {
        let words = "raises the position to the critical quantile";
        for (cell, number, class) in [
            ("1.2", true, "n"),
            ("0.25 ± 0.01", false, "whole"),
            ("[−0.1, 0.2]", false, "whole"),
            (words, false, "long"),
        ] {
            assert_eq!(class_of(cell, number), format!(" class=\"{class}\""));
        }
        assert_eq!(class_of("promotion-aware newsvendor", false), "");
        assert_eq!(class_of("action 0", false), " class=\"whole\"");
    }

    #[test]
    fn elements_are_closed() {
        let html = page();
        for name in [
            "html", "head", "body", "section", "figure", "svg", "table", "tr", "main", "nav",
            "div", "p", "title",
        ] {
            let open = html.matches(&format!("<{name}>")).count()
                + html.matches(&format!("<{name} ")).count();
            assert_eq!(open, html.matches(&format!("</{name}>")).count(), "{name}");
        }
    }
}
