//! Heat maps (a value over a grid of two parameters) and phase maps (a class over such a grid).

use super::axis::Axis;
use super::colour::{Letters, Shades, colour_bar, letters_on, shade};
use super::frame::{Entry, Frame, Key, Plan};
use super::letters::width_of;
use super::mosaic::{Mosaic, Run, SEAM};
use super::svg::{Anchor, Ink, NARROW, Svg};
use crate::number;

#[derive(Debug, Clone)]
enum Content {
    Values { shades: Shades, label: String },
    Classes(Vec<String>),
}

/// A map over a regular grid of cells.
///
/// Cells come row by row, row 0 at the low end of y: `cells[row * columns + column]`. A cell that is not finite, or a class without a
/// name, stays empty.
///
/// ```
/// use hindsight_report::{Axis, HeatMap, Shades};
///
/// let (cost, fee) = (Axis::linear("Unit cost, USD"), Axis::linear("Fee").percent());
/// let profit = HeatMap::values(
///     "Profit", cost.clone(), fee.clone(), (0.0, 2.0), (0.0, 1.0), 2, vec![3.0, 2.0, 1.0, 0.5], Shades::Sequential, "USD a week",
/// );
/// assert!(profit.line("theory", vec![(0.0, 0.0), (2.0, 1.0)]).svg().inline("profit").contains("USD a week"));
/// let leader = HeatMap::classes("Who leads", cost, fee, (0.0, 2.0), (0.0, 1.0), 2, &[0, 0, 1, 1], ["A leads", "B leads"]);
/// assert!(leader.svg().inline("leader").contains("B leads"));
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct HeatMap {
    title: String,
    description: Option<String>,
    size: (f64, f64),
    x: Axis,
    y: Axis,
    x_range: (f64, f64),
    y_range: (f64, f64),
    columns: usize,
    cells: Vec<f64>,
    content: Content,
    lines: Vec<(String, Vec<(f64, f64)>)>,
    annotate: Option<usize>,
}

impl HeatMap {
    /// A heat map; the ranges are those of the outer edges of the cells, `label` names the value beside the colour bar.
    pub fn values(
        title: impl Into<String>,
        x: Axis,
        y: Axis,
        x_range: (f64, f64),
        y_range: (f64, f64),
        columns: usize,
        cells: Vec<f64>,
        shades: Shades,
        label: impl Into<String>,
    ) -> Self {
        let content = Content::Values {
            shades,
            label: label.into(),
        };
        HeatMap::new(
            title.into(),
            x,
            y,
            x_range,
            y_range,
            columns,
            cells,
            content,
        )
    }

    /// A matrix as a map: its first row stands at the top, rows and columns have names. `y` and `x` say what rows and columns are; the value of each cell is written into it, to three digits
    /// after the point.
    ///
    /// ```
    /// use hindsight_report::HeatMap;
    ///
    /// let (rows, columns) = (["stag", "hare"], ["stag", "hare"]);
    /// let map = HeatMap::matrix("How likely each pair is", ("Bob", &columns), ("Ann", &rows), &[0.5, 0.25, 0.25, 0.0], "probability");
    /// assert!(map.svg().inline("pairs").contains("0.500"));
    /// ```
    pub fn matrix<S: AsRef<str>>(
        title: impl Into<String>,
        (x, columns): (&str, &[S]),
        (y, rows): (&str, &[S]),
        entries: &[f64],
        label: impl Into<String>,
    ) -> Self {
        let edges = |count: usize| (0.0, u32::try_from(count).map_or(0.0, f64::from));
        let middles = || (0u32..).map(|at| f64::from(at) + 0.5);
        let named = |name: &S| name.as_ref().to_owned();
        let ticks = middles().zip(columns.iter().map(named)).collect();
        let x = Axis::linear(x).ticks(ticks);
        let ticks = middles().zip(rows.iter().rev().map(named)).collect();
        let y = Axis::linear(y).ticks(ticks);
        let upwards = entries.chunks(columns.len().max(1)).rev().flatten();
        let cells = upwards.copied().collect();
        let (right, top) = (edges(columns.len()), edges(rows.len()));
        let shades = Shades::Sequential;
        HeatMap::values(title, x, y, right, top, columns.len(), cells, shades, label).annotate(3)
    }

    /// A phase map: each cell holds the index of one of `names`. A class has the colour of its place among them; the legend names those that occur.
    pub fn classes<S: Into<String>>(
        title: impl Into<String>,
        x: Axis,
        y: Axis,
        x_range: (f64, f64),
        y_range: (f64, f64),
        columns: usize,
        cells: &[usize],
        names: impl IntoIterator<Item = S>,
    ) -> Self {
        let names: Vec<String> = names.into_iter().map(Into::into).collect();
        let cells = cells.iter().map(|&class| {
            if class < names.len() {
                u32::try_from(class).map_or(f64::NAN, f64::from)
            } else {
                f64::NAN
            }
        });
        HeatMap::new(
            title.into(),
            x,
            y,
            x_range,
            y_range,
            columns,
            cells.collect(),
            Content::Classes(names),
        )
    }

    fn new(
        title: String,
        x: Axis,
        y: Axis,
        x_range: (f64, f64),
        y_range: (f64, f64),
        columns: usize,
        cells: Vec<f64>,
        content: Content,
    ) -> Self {
        let (x, y) = (x.range(x_range.0, x_range.1), y.range(y_range.0, y_range.1));
        let (columns, lines) = (columns.max(1), Vec::new());
        HeatMap {
            title,
            description: None,
            size: (640.0, 460.0),
            x,
            y,
            x_range,
            y_range,
            columns,
            cells,
            content,
            lines,
            annotate: None,
        }
    }

    /// The classes that occur and their shares of the classified cells, the largest first; nothing for a map of values.
    #[must_use]
    pub fn shares(&self) -> Vec<(&str, f64)> {
        let Content::Classes(names) = &self.content else {
            return Vec::new();
        };
        let counted = self.occurring(names).map(|(_, name, cells)| (name, cells));
        let mut shares: Vec<_> = counted.collect();
        let all: f64 = shares.iter().map(|(_, cells)| cells).sum();
        shares.iter_mut().for_each(|(_, cells)| *cells /= all);
        shares.sort_by(|a, b| b.1.total_cmp(&a.1));
        shares
    }

    /// The shares as a sentence without its stop.
    #[must_use]
    pub fn told(&self) -> String {
        let told = self.shares().into_iter();
        let told = told.map(|(name, share)| format!("{name} {}", number::percent(share, 1)));
        format!(
            "Shares of the area: {}",
            told.collect::<Vec<_>>().join("; ")
        )
    }

    /// The classes that occur: index, name and number of cells.
    fn occurring<'a>(
        &self,
        names: &'a [String],
    ) -> impl Iterator<Item = (usize, &'a str, f64)> + use<'a> {
        let mut counts = vec![0.0; names.len()];
        for &cell in self.cells.iter().filter(|cell| cell.is_finite()) {
            counts[index(cell)] += 1.0;
        }
        let all = names.iter().zip(counts).enumerate();
        all.filter(|(_, (_, cells))| *cells > 0.0)
            .map(|(n, (name, cells))| (n, name.as_str(), cells))
    }

    /// What a screen reader says after the title.
    pub fn describe(mut self, words: impl Into<String>) -> Self {
        self.description = Some(words.into());
        self
    }

    /// Width and height in pixels, at least 240 by 200.
    pub fn size(mut self, width: f64, height: f64) -> Self {
        self.size = (width.max(240.0), height.max(200.0));
        self
    }

    /// A line over the map: a boundary by theory. The n-th has the n-th dash.
    pub fn line(mut self, name: impl Into<String>, points: Vec<(f64, f64)>) -> Self {
        self.lines.push((name.into(), points));
        self
    }

    /// Writes each value into its cell where it fits.
    pub fn annotate(mut self, decimals: usize) -> Self {
        self.annotate = Some(decimals);
        self
    }

    /// The chart as SVG.
    pub fn svg(&self) -> Svg {
        self.drawn().with_narrow(|| {
            // Classes are named one below the other there, above the map.
            let classes = self.shares().len() + self.lines.len();
            let legend = f64::from(u32::try_from(classes).unwrap_or(0)) * 16.0;
            let height = (self.size.1 * NARROW / self.size.0).max(300.0) + legend;
            let (size, chart) = ((NARROW, height), self.clone());
            HeatMap { size, ..chart }.drawn()
        })
    }

    fn drawn(&self) -> Svg {
        let (lo, hi) = self.value_range();
        let bar = match &self.content {
            Content::Values { label, .. } => {
                let scale = Axis::linear("").resolve([lo, hi].into_iter(), 6, false);
                let widest = scale
                    .ticks
                    .iter()
                    .map(|(_, text)| width_of(text, 11.0))
                    .fold(0.0, f64::max);
                Some((scale, label.clone(), 34.0 + widest + 8.0))
            }
            Content::Classes(_) => None,
        };
        let mut legend: Vec<Entry> = match &self.content {
            Content::Classes(names) => self
                .occurring(names)
                .map(|(n, name, _)| Entry {
                    name: name.to_owned(),
                    ink: Ink::Series(n),
                    key: Key::Box,
                })
                .collect(),
            Content::Values { .. } => Vec::new(),
        };
        legend.extend(self.lines.iter().enumerate().map(|(n, (name, _))| Entry {
            name: name.clone(),
            ink: Ink::Text,
            key: Key::Line(n % 3),
        }));
        let described = self.description.clone().unwrap_or_else(|| {
            format!(
                "{} over {} and {}.",
                self.title,
                self.x.label(),
                self.y.label()
            )
        });
        let plan = Plan {
            size: self.size,
            title: &self.title,
            description: &described,
            heading: None,
            legend,
            right: bar.as_ref().map_or(0.0, |(_, _, room)| *room),
            grid: false,
            round: (false, false),
        };
        let mut frame = plan.draw(
            &self.x,
            &self.y,
            [self.x_range.0, self.x_range.1].into_iter(),
            [self.y_range.0, self.y_range.1].into_iter(),
        );
        self.draw_cells(&mut frame, lo, hi);
        for (n, (_, points)) in self.lines.iter().enumerate() {
            let path: Vec<_> = points.iter().map(|(x, y)| frame.point(*x, *y)).collect();
            frame.svg.path(&format!("line k-t d{}", n % 3), path, false);
        }
        if let (Some((scale, label, _)), Content::Values { shades, .. }) = (bar, &self.content) {
            colour_bar(&mut frame, &scale, &label, *shades, lo, hi);
        }
        if self.cells.is_empty() {
            frame.nothing();
        }
        // An empty cell is NaN; an infinite one has a value that no colour shows.
        frame.say_hidden(self.cells.iter().filter(|cell| cell.is_infinite()).count());
        frame.svg
    }

    fn value_range(&self) -> (f64, f64) {
        let (mut lo, mut hi) = self
            .cells
            .iter()
            .filter(|x| x.is_finite())
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), x| {
                (lo.min(*x), hi.max(*x))
            });
        if let Content::Values {
            shades: Shades::Diverging(middle),
            ..
        } = &self.content
        {
            let reach = (hi - middle).abs().max((lo - middle).abs());
            (lo, hi) = (middle - reach, middle + reach);
        }
        if lo < hi {
            (lo, hi)
        } else if lo.is_finite() {
            (lo - 0.5, lo + 0.5)
        } else {
            (0.0, 1.0)
        }
    }

    fn draw_cells(&self, frame: &mut Frame, lo: f64, hi: f64) {
        let (left, top, right, bottom) = frame.area;
        // Cells that tell their value are an element each.
        let values = matches!(self.content, Content::Values { .. });
        if self.annotate.is_some() || values && self.cells.len() <= 2_500 {
            self.draw_told(frame, lo, hi);
        } else {
            let mut mosaic = Mosaic::new(self.columns, self.rows(), frame.area);
            for (run, value) in self.runs(lo, hi) {
                let (class, fill) = self.look(value, lo, hi);
                mosaic.run(class, fill, run);
            }
            frame.svg.map(mosaic);
        }
        frame.svg.line("axis", (left, bottom), (right, bottom));
        frame.svg.line("axis", (left, top), (left, bottom));
    }

    fn draw_told(&self, frame: &mut Frame, lo: f64, hi: f64) {
        let mut words = Vec::new();
        for (run, value) in self.runs(lo, hi) {
            let (class, fill) = self.look(value, lo, hi);
            let tip = match &self.content {
                Content::Classes(_) => String::new(),
                Content::Values { .. } => number::significant(value, 4),
            };
            let [from, to] = run.corners(self.columns, self.rows(), frame.area);
            let [start, end] = run.under_neighbours(self.columns, [from, to], (SEAM, SEAM));
            frame.svg.filled_rect(&class, &fill, start, end, &tip);
            if let Some(decimals) = self.annotate {
                let text = number::fixed(value, decimals);
                if width_of(&text, 11.0) + 4.0 < to.0 - from.0 && to.1 - from.1 > 12.0 {
                    let middle = (
                        f64::midpoint(from.0, to.0),
                        f64::midpoint(from.1, to.1) + 4.0,
                    );
                    words.push((middle, text, fill));
                }
            }
        }
        for (at, text, fill) in words {
            let class = match letters_on(&fill) {
                Letters::Black => "tick onlight",
                Letters::White => "tick ondark",
            };
            frame.svg.text(class, Anchor::Middle, at, &text);
        }
    }

    fn rows(&self) -> usize {
        self.cells.len().div_ceil(self.columns)
    }

    /// The class of a cell of this value, and its fill where the class has none.
    fn look(&self, value: f64, lo: f64, hi: f64) -> (String, String) {
        match &self.content {
            Content::Classes(_) => {
                let class = Ink::Series(index(value)).class();
                (format!("cell f-{class}"), String::new())
            }
            Content::Values { shades, .. } => {
                ("cell".to_owned(), shade(*shades, (value - lo) / (hi - lo)))
            }
        }
    }

    /// The cells with the value of the first, from the lowest row on; neighbours in a row that look the same are one, unless each is annotated.
    fn runs(&self, lo: f64, hi: f64) -> Vec<(Run, f64)> {
        let rows = self.rows();
        let mut runs: Vec<(Run, f64)> = Vec::new();
        for (row, cells) in self.cells.chunks(self.columns).enumerate() {
            let mut before: Option<(String, String)> = None;
            for (column, &value) in cells.iter().enumerate() {
                let look = value.is_finite().then(|| self.look(value, lo, hi));
                let joined = self.annotate.is_none() && look.is_some() && look == before;
                match runs.last_mut() {
                    Some((run, _)) if joined => run.cells += 1,
                    _ if look.is_some() => {
                        let (cells, down) = (1, rows - 1 - row);
                        runs.push((
                            Run {
                                column,
                                cells,
                                down,
                            },
                            value,
                        ));
                    }
                    _ => {}
                }
                before = look;
            }
        }
        runs
    }
}

/// The class of a cell.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "classes were indices"
)]
fn index(cell: f64) -> usize {
    cell as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(cells: Vec<f64>, columns: usize) -> HeatMap {
        HeatMap::values(
            "t",
            Axis::linear("x"),
            Axis::linear("y"),
            (0.0, 1.0),
            (0.0, 1.0),
            columns,
            cells,
            Shades::Sequential,
            "v",
        )
    }

    #[test]
    fn one_colour_is_one_rectangle_a_row() {
        let svg = map(vec![1.0; 1000], 100).svg().inline("f");
        let cells = svg.matches("class=\"cell\"").count();
        assert_eq!(cells, 10 + 33);
    }

    #[test]
    fn phase_maps_skip_unknown_classes() {
        let map = HeatMap::classes(
            "t",
            Axis::linear("x"),
            Axis::linear("y"),
            (0.0, 1.0),
            (0.0, 1.0),
            2,
            &[0, 1, 9, 0],
            ["a", "b"],
        );
        let svg = map.svg().inline("f");
        let paths = svg.split("class=\"cell f-s").skip(1);
        let cells: Vec<usize> = paths
            .map(|path| path.split("/>").next().unwrap_or_default())
            .map(|path| path.matches('M').count())
            .collect();
        assert_eq!(cells, [2, 1]);
    }

    #[test]
    fn a_class_keeps_its_colour_and_is_named_only_where_it_occurs() {
        let axes = || (Axis::linear("x"), Axis::linear("y"));
        let ((x, y), unit) = (axes(), (0.0, 1.0));
        let map = HeatMap::classes("t", x, y, unit, unit, 2, &[2, 0, 2, 2], ["a", "b", "c"]);
        assert_eq!(map.shares(), [("c", 0.75), ("a", 0.25)]);
        let svg = map.svg().inline("f");
        assert!(svg.contains("cell f-s2") && !svg.contains("f-s1"));
        assert!(svg.contains(">c<") && !svg.contains(">b<"));
    }

    #[test]
    fn ragged_or_empty_cells_do_not_panic() {
        for cells in [vec![], vec![1.0], vec![f64::NAN; 7], vec![1.0, 2.0, 3.0]] {
            let _ = map(cells.clone(), 2).annotate(1).svg().standalone("t");
            let _ = map(cells, 0).svg().standalone("t");
        }
    }
}
