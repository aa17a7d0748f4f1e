//! Dot and interval (forest) plots: estimates with intervals, one a row.

use super::axis::{Axis, Scale};
use super::frame::{axis_label, below, ticks_below, ticks_wanted};
use super::letters::{fit, lines, width_of};
use super::svg::{Anchor, Ink, LETTER, NARROW, Svg};

/// One row: an estimate and its interval.
#[derive(Debug, Clone)]
#[must_use]
pub struct Estimate {
    label: String,
    value: f64,
    interval: Option<(f64, f64)>,
    text: String,
    ink: Ink,
}

impl Estimate {
    /// A row; `text` stands at the right end ("1,234 [1,100, 1,400]").
    pub fn new(
        label: impl Into<String>,
        value: f64,
        interval: Option<(f64, f64)>,
        text: impl Into<String>,
    ) -> Self {
        Estimate {
            label: label.into(),
            value,
            interval,
            text: text.into(),
            ink: Ink::Series(0),
        }
    }

    /// Another colour: the row that the chart is about, or one that stands back.
    pub fn ink(mut self, ink: Ink) -> Self {
        self.ink = ink;
        self
    }
}

#[derive(Debug, Clone)]
enum Row {
    Estimate(Estimate),
    Group(String),
}

/// A forest plot.
///
/// ```
/// use hindsight_report::{Axis, Estimate, IntervalChart};
///
/// let svg = IntervalChart::new("Difference to the best heuristic", Axis::linear("USD a week"))
///     .row(Estimate::new("trained network", 12.0, Some((8.0, 16.0)), "12.0 [8.0, 16.0]"))
///     .reference(0.0, "no difference")
///     .svg();
/// assert!(svg.inline("difference").contains("12.0 [8.0, 16.0]"));
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct IntervalChart {
    title: String,
    description: Option<String>,
    width: f64,
    axis: Axis,
    rows: Vec<Row>,
    reference: Option<(f64, String)>,
}

const ROW: f64 = 24.0;
/// What a further line of a row's name takes.
const NAME_LINE: f64 = 14.0;

impl IntervalChart {
    /// A chart without rows.
    pub fn new(title: impl Into<String>, axis: Axis) -> Self {
        IntervalChart {
            title: title.into(),
            description: None,
            width: 720.0,
            axis,
            rows: Vec::new(),
            reference: None,
        }
    }

    /// What a screen reader says after the title; by default every row is read out.
    pub fn describe(mut self, words: impl Into<String>) -> Self {
        self.description = Some(words.into());
        self
    }

    /// Adds a row below.
    pub fn row(mut self, estimate: Estimate) -> Self {
        self.rows.push(Row::Estimate(estimate));
        self
    }

    /// Adds a heading over the rows that follow.
    pub fn group(mut self, name: impl Into<String>) -> Self {
        self.rows.push(Row::Group(name.into()));
        self
    }

    /// A vertical line at `x`, which is then on the axis.
    pub fn reference(mut self, x: f64, words: impl Into<String>) -> Self {
        self.reference = Some((x, words.into()));
        self
    }

    fn estimates(&self) -> impl Iterator<Item = &Estimate> {
        self.rows.iter().filter_map(|row| match row {
            Row::Estimate(estimate) => Some(estimate),
            Row::Group(_) => None,
        })
    }

    /// The chart as SVG.
    pub fn svg(&self) -> Svg {
        self.drawn().with_narrow(|| {
            let width = NARROW;
            let chart = self.clone();
            IntervalChart { width, ..chart }.drawn()
        })
    }

    /// Whether a row has its words on a line of their own.
    fn is_narrow(&self) -> bool {
        self.width < 480.0
    }

    /// The name of a row in lines that fit `room` pixels.
    fn name_of(row: &Row, room: f64) -> Vec<String> {
        match row {
            Row::Estimate(estimate) => lines(&estimate.label, LETTER, room),
            Row::Group(_) => Vec::new(),
        }
    }

    /// The height of a row whose names have this room.
    fn row_height(&self, row: &Row, room: f64) -> f64 {
        let more = Self::name_of(row, room)
            .into_iter()
            .skip(1)
            .map(|_| NAME_LINE);
        match row {
            Row::Estimate(_) if self.is_narrow() => 1.6 * ROW + more.sum::<f64>(),
            _ => ROW + more.sum::<f64>(),
        }
    }

    fn drawn(&self) -> Svg {
        let layout = self.layout();
        let (left, right) = (layout.left, layout.right);
        let described = self.description.clone().unwrap_or_else(|| {
            let told = |e: &Estimate| format!("{}: {}. ", e.label, self.told(e));
            self.estimates().map(told).collect()
        });
        let label = lines(self.axis.label(), 11.0, self.width - 16.0);
        let height = layout.bottom + 44.0 + below(&label);
        let mut svg = Svg::new(self.width, height, &self.title, described.trim());
        ticks_below(
            &mut svg,
            &layout.scale,
            (left, right),
            (layout.top, layout.bottom),
        );
        svg.line("axis", (left, layout.bottom), (right, layout.bottom));
        axis_label(
            &mut svg,
            &label,
            f64::midpoint(left, right),
            layout.bottom + 34.0,
        );
        if let Some((x, words)) = &self.reference
            && let Some(x) = layout.pixel(*x)
        {
            svg.line("ref", (x, layout.top - 4.0), (x, layout.bottom));
            let half = width_of(words, 11.0) / 2.0;
            let middle = x.clamp(half + 4.0, (self.width - half - 4.0).max(half + 4.0));
            svg.text("tick", Anchor::Middle, (middle, layout.top - 9.0), words);
        }
        let mut top = layout.top;
        for row in &self.rows {
            let bottom = top + self.row_height(row, layout.labels);
            match row {
                Row::Group(name) => {
                    let (name, at) = (
                        fit(name, LETTER, self.width - 16.0),
                        (8.0, top + ROW / 2.0 + 4.0),
                    );
                    self.write(&mut svg, "name halo", Anchor::Start, at, &name);
                }
                Row::Estimate(estimate) => {
                    let name = Self::name_of(row, layout.labels);
                    self.draw_estimate(&mut svg, &layout, estimate, &name, (top, bottom));
                }
            }
            top = bottom;
        }
        if self.rows.is_empty() {
            let at = (self.width / 2.0, top + ROW / 2.0);
            svg.text("tick", Anchor::Middle, at, "no data");
        }
        svg
    }

    fn layout(&self) -> Layout {
        let widest = |of: fn(&Estimate) -> &str, least: f64, share: f64| {
            let widths = self.estimates().map(|e| width_of(of(e), LETTER));
            widths.fold(least, f64::max).min(share * self.width)
        };
        let labels = widest(|e| &e.label, 40.0, 0.36);
        let texts = widest(|e| &e.text, 0.0, 0.3);
        let gap = if texts > 0.0 { 14.0 } else { 4.0 };
        let (labels, left, right) = if self.is_narrow() {
            (self.width - 28.0 - texts, 22.0, self.width - 22.0)
        } else {
            (labels, 8.0 + labels + 14.0, self.width - 8.0 - texts - gap)
        };
        let named = self
            .reference
            .as_ref()
            .is_some_and(|(_, words)| !words.is_empty());
        let top = if named { 24.0 } else { 8.0 };
        let rows = self.rows.iter().map(|row| self.row_height(row, labels));
        let rows: f64 = rows.sum();
        let values = self.estimates().flat_map(|e| {
            let (lo, hi) = (e.interval.map(|i| i.0), e.interval.map(|i| i.1));
            [Some(e.value), lo, hi].into_iter().flatten()
        });
        let values = values.chain(self.reference.as_ref().map(|(x, _)| *x));
        Layout {
            labels,
            top,
            bottom: top + rows.max(ROW),
            left,
            right,
            scale: self.axis.resolve(values, ticks_wanted(right - left), true),
        }
    }

    /// The value as the row says it.
    fn told(&self, estimate: &Estimate) -> String {
        if estimate.text.is_empty() {
            self.axis.tell(estimate.value)
        } else {
            estimate.text.clone()
        }
    }

    /// Words of a row; where they stand on the plot, its upright lines pause for them.
    fn write(&self, svg: &mut Svg, class: &str, anchor: Anchor, at: (f64, f64), words: &str) {
        if self.is_narrow() && !words.is_empty() {
            // Bold letters are a little wider.
            let wide = 1.1 * width_of(words, LETTER);
            let from = if anchor == Anchor::End {
                at.0 - wide
            } else {
                at.0
            };
            let (top, bottom) = (at.1 - LETTER + 1.0, at.1 + 4.0);
            svg.rect("under", (from - 3.0, top), (from + wide + 3.0, bottom), "");
        }
        svg.text(class, anchor, at, words);
    }

    /// Draws a row, `name` in lines, between two heights.
    fn draw_estimate(
        &self,
        svg: &mut Svg,
        layout: &Layout,
        estimate: &Estimate,
        name: &[String],
        (top, bottom): (f64, f64),
    ) {
        let class = estimate.ink.class();
        let mut line = top + ROW / 2.0 + 4.0;
        for words in name {
            self.write(svg, "halo", Anchor::Start, (8.0, line), words);
            line += NAME_LINE;
        }
        let (y, told) = if self.is_narrow() {
            (bottom - 0.4 * ROW, top + ROW / 2.0)
        } else {
            let middle = f64::midpoint(top, bottom);
            (middle, middle)
        };
        let end = self.width - 8.0;
        self.write(svg, "halo", Anchor::End, (end, told + 4.0), &estimate.text);
        let ends = estimate
            .interval
            .and_then(|(lo, hi)| Some((layout.pixel(lo)?, layout.pixel(hi)?)));
        if let Some((lo, hi)) = ends {
            svg.line(&format!("line k-{class}"), (lo, y), (hi, y));
            for end in [lo, hi] {
                svg.line(&format!("thin k-{class}"), (end, y - 4.0), (end, y + 4.0));
            }
        }
        if let Some(x) = layout.pixel(estimate.value) {
            let tip = format!("{}: {}", estimate.label, self.told(estimate));
            svg.marker(&format!("dot f-{class}"), 0, (x, y), 4.6, &tip);
        }
    }
}

/// Where things stand, in pixels.
struct Layout {
    /// Width of the rows' names.
    labels: f64,
    top: f64,
    bottom: f64,
    left: f64,
    right: f64,
    scale: Scale,
}

impl Layout {
    fn pixel(&self, x: f64) -> Option<f64> {
        let share = self.scale.place(x)?;
        Some(self.left + share.clamp(0.0, 1.0) * (self.right - self.left))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_estimate_has_a_dot_and_is_read_out() {
        let svg = IntervalChart::new("t", Axis::linear("x"))
            .group("g")
            .row(Estimate::new("a", 1.0, Some((0.5, 1.5)), "1.0"))
            .row(Estimate::new("b", 2.0, None, "2.0").ink(Ink::Muted))
            .row(Estimate::new("c", f64::NAN, None, "n/a"))
            .reference(0.0, "zero")
            .svg()
            .inline("f");
        assert_eq!(svg.matches("<circle").count(), 2);
        assert!(svg.contains("a: 1.0. b: 2.0. c: n/a."));
    }

    #[test]
    fn upright_lines_pause_for_words_on_the_plot() {
        let row = Estimate::new("base stock", 1.0, Some((0.5, 1.5)), "1.00 [0.50, 1.50]");
        let chart = IntervalChart::new("t", Axis::linear("x"))
            .group("all of them")
            .row(row);
        let svg = chart.reference(0.0, "no difference").svg();
        let narrow = svg.narrow().unwrap().inline("g");
        let under = |drawing: &str| drawing.matches("class=\"under\"").count();
        // The heading, the name and the value; beside the plot none is needed.
        assert_eq!((under(&narrow), under(&svg.inline("f"))), (3, 0));
        assert!(narrow.find("class=\"ref\"") < narrow.find("class=\"under\""));
    }

    #[test]
    fn long_names_are_told_whole_in_lines() {
        let name = "2023-10-02 to 2024-01-01: promotion-aware newsvendor";
        let row = |label: &str| Estimate::new(label, 1.0, Some((0.5, 1.5)), "1.00 [0.50, 1.50]");
        let chart = |label| {
            let chart = IntervalChart::new("t", Axis::linear("x")).row(row(label));
            chart.row(row("base stock")).svg()
        };
        let svg = chart(name);
        let narrow = svg.narrow().unwrap();
        for drawing in [svg.inline("f"), narrow.inline("g")] {
            assert!(!drawing.contains('…'));
            let texts = drawing.split("<text").skip(1).filter_map(|text| {
                let words = text.split_once('>')?.1;
                Some(words.split_once('<')?.0.to_owned())
            });
            let all: Vec<String> = texts.collect();
            for word in name.split_whitespace() {
                assert!(
                    all.iter().any(|line| line.split(' ').any(|w| w == word)),
                    "{word}: {all:?}"
                );
            }
        }
        let height = |svg: &Svg| {
            let drawing = svg.narrow().unwrap().inline("g");
            let size = drawing.split("viewBox=\"").nth(1).unwrap();
            let mut numbers = size.split('"').next().unwrap().split(' ');
            numbers.next_back().unwrap().parse::<f64>().unwrap()
        };
        assert!(height(&svg) > height(&chart("a")));
    }
}
