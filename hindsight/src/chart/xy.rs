//! Series over a plane: lines with bands, steps, points with error bars, thin bars.

use super::axis::Axis;
use super::frame::{Entry, Frame, Key, Plan};
use super::svg::{Anchor, Ink, Svg, fit, width_of};

/// How a series is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    Line,
    Step,
    Points,
    Cloud,
    Bars,
}

/// One series of an [`XyChart`].
///
/// ```ignore
/// Series::line("validation", curve).band(vec![(x, lo, hi)]).dashed()
/// Series::step("on hand", weeks)                // constant from each x to the next
/// Series::points("bins", reliability).band(intervals) // a band on points is drawn as error bars
/// Series::cloud("products", pairs)              // many small translucent points
/// Series::bars("orders", weeks)                 // thin bars from zero: a histogram, orders by week
/// ```
#[derive(Debug, Clone)]
pub(crate) struct Series {
    name: String,
    look: Look,
    points: Vec<(f64, f64)>,
    band: Vec<(f64, f64, f64)>,
    ink: Option<Ink>,
    dash: usize,
}

impl Series {
    fn new(name: impl Into<String>, look: Look, points: Vec<(f64, f64)>) -> Self {
        Series {
            name: name.into(),
            look,
            points,
            band: Vec::new(),
            ink: None,
            dash: 0,
        }
    }

    /// A line through the points; it breaks where a value is not finite.
    pub(crate) fn line(name: impl Into<String>, points: Vec<(f64, f64)>) -> Self {
        Series::new(name, Look::Line, points)
    }

    /// A step line: each value holds until the next point.
    pub(crate) fn step(name: impl Into<String>, points: Vec<(f64, f64)>) -> Self {
        Series::new(name, Look::Step, points)
    }

    /// Points; each series has its own shape.
    pub(crate) fn points(name: impl Into<String>, points: Vec<(f64, f64)>) -> Self {
        Series::new(name, Look::Points, points)
    }

    /// Many small translucent points.
    pub(crate) fn cloud(name: impl Into<String>, points: Vec<(f64, f64)>) -> Self {
        Series::new(name, Look::Cloud, points)
    }

    /// Thin bars from zero.
    pub(crate) fn bars(name: impl Into<String>, points: Vec<(f64, f64)>) -> Self {
        Series::new(name, Look::Bars, points)
    }

    /// An interval `(x, lo, hi)` at each point: a band behind a line, error bars on points.
    pub(crate) fn band(mut self, band: Vec<(f64, f64, f64)>) -> Self {
        self.band = band;
        self
    }

    /// Another colour than the next in order.
    pub(crate) fn ink(mut self, ink: Ink) -> Self {
        self.ink = Some(ink);
        self
    }

    /// A dashed line.
    pub(crate) fn dashed(mut self) -> Self {
        self.dash = 1;
        self
    }

    /// A dotted line.
    pub(crate) fn dotted(mut self) -> Self {
        self.dash = 2;
        self
    }
}

#[derive(Debug, Clone)]
enum Mark {
    X(f64, String),
    Y(f64, String),
    Diagonal(String),
    Shade(f64, f64, String),
}

/// A chart of series over two axes.
#[derive(Debug, Clone)]
pub(crate) struct XyChart {
    title: String,
    description: Option<String>,
    heading: Option<String>,
    size: (f64, f64),
    x: Axis,
    y: Axis,
    series: Vec<Series>,
    marks: Vec<Mark>,
}

impl XyChart {
    /// An empty chart, 720 by 320 pixels.
    pub(crate) fn new(title: impl Into<String>, x: Axis, y: Axis) -> Self {
        XyChart {
            title: title.into(),
            description: None,
            heading: None,
            size: (720.0, 320.0),
            x,
            y,
            series: Vec::new(),
            marks: Vec::new(),
        }
    }

    /// What a screen reader says after the title; by default the axes and the series are named.
    pub(crate) fn describe(mut self, words: impl Into<String>) -> Self {
        self.description = Some(words.into());
        self
    }

    /// A heading drawn in the chart: for small charts side by side.
    pub(crate) fn heading(mut self, words: impl Into<String>) -> Self {
        self.heading = Some(words.into());
        self
    }

    /// Width and height in pixels, at least 160 by 120.
    pub(crate) fn size(mut self, width: f64, height: f64) -> Self {
        self.size = (width.max(160.0), height.max(120.0));
        self
    }

    /// Adds a series; later ones are drawn above earlier ones. An empty name stays out of the legend.
    pub(crate) fn series(mut self, series: Series) -> Self {
        self.series.push(series);
        self
    }

    /// A vertical reference line with a few words at its top.
    pub(crate) fn mark_x(mut self, x: f64, words: impl Into<String>) -> Self {
        self.marks.push(Mark::X(x, words.into()));
        self
    }

    /// A horizontal reference line with a few words at its right end.
    pub(crate) fn mark_y(mut self, y: f64, words: impl Into<String>) -> Self {
        self.marks.push(Mark::Y(y, words.into()));
        self
    }

    /// The line of equality of x and y.
    pub(crate) fn diagonal(mut self, words: impl Into<String>) -> Self {
        self.marks.push(Mark::Diagonal(words.into()));
        self
    }

    /// A shaded range of x with a few words at its top: held-out weeks, a recession.
    pub(crate) fn shade(mut self, from: f64, to: f64, words: impl Into<String>) -> Self {
        self.marks.push(Mark::Shade(from, to, words.into()));
        self
    }

    /// The chart as SVG.
    pub(crate) fn svg(&self) -> Svg {
        let inks: Vec<Ink> = self.inks();
        let shapes = |at: usize| {
            self.series[..at]
                .iter()
                .filter(|s| matches!(s.look, Look::Points | Look::Cloud))
                .count()
        };
        let legend = self
            .series
            .iter()
            .enumerate()
            .filter(|(_, series)| !series.name.is_empty())
            .map(|(at, series)| Entry {
                name: series.name.clone(),
                ink: inks[at],
                key: match series.look {
                    Look::Line | Look::Step => Key::Line(series.dash),
                    Look::Points | Look::Cloud => Key::Dot(shapes(at)),
                    Look::Bars => Key::Box,
                },
            });
        // A diagonal is named there too: beside the line its words would lie under the points.
        let diagonals = self.marks.iter().filter_map(|mark| match mark {
            Mark::Diagonal(words) => Some(Entry {
                name: words.clone(),
                ink: Ink::Muted,
                key: Key::Line(1),
            }),
            _ => None,
        });
        let legend: Vec<Entry> = legend.chain(diagonals).collect();
        // One series needs no legend: the caption names it. Two or more do.
        let legend = if legend.len() < 2 { Vec::new() } else { legend };
        let description = self
            .description
            .clone()
            .unwrap_or_else(|| self.default_description());
        let plan = Plan {
            size: self.size,
            title: &self.title,
            description: &description,
            heading: self.heading.as_deref(),
            legend,
            right: 0.0,
            grid: true,
            round: (false, true),
        };
        let half_bar = self.half_bar();
        let xs = self.series.iter().flat_map(|series| {
            let pad = if series.look == Look::Bars {
                half_bar
            } else {
                0.0
            };
            let points = series
                .points
                .iter()
                .flat_map(move |p| [p.0 - pad, p.0 + pad]);
            points.chain(series.band.iter().map(|b| b.0))
        });
        let xs: Vec<f64> = xs
            .chain(self.marks.iter().filter_map(|mark| {
                if let Mark::X(x, _) = mark {
                    Some(*x)
                } else {
                    None
                }
            }))
            .collect();
        let xs = self.padded(xs);
        let ys = self.series.iter().flat_map(|series| {
            let zero = (series.look == Look::Bars).then_some(0.0);
            let points = series.points.iter().map(|p| p.1);
            points
                .chain(series.band.iter().flat_map(|b| [b.1, b.2]))
                .chain(zero)
        });
        let ys = ys.chain(self.marks.iter().filter_map(|mark| {
            if let Mark::Y(y, _) = mark {
                Some(*y)
            } else {
                None
            }
        }));
        let mut frame = plan.draw(&self.x, &self.y, xs.into_iter(), ys);
        self.draw_marks(&mut frame);
        for (at, series) in self.series.iter().enumerate() {
            self.draw_band(&mut frame, series, inks[at]);
        }
        for (at, series) in self.series.iter().enumerate() {
            self.draw_series(&mut frame, series, inks[at], shapes(at), half_bar);
        }
        if self
            .series
            .iter()
            .all(|series| series.points.is_empty() && series.band.is_empty())
        {
            frame.nothing();
        }
        frame.svg
    }

    fn inks(&self) -> Vec<Ink> {
        let mut next = 0;
        self.series
            .iter()
            .map(|series| {
                series.ink.unwrap_or_else(|| {
                    next += 1;
                    Ink::Series(next - 1)
                })
            })
            .collect()
    }

    /// Points keep off the edges of the frame; lines may touch them.
    fn padded(&self, mut xs: Vec<f64>) -> Vec<f64> {
        let dots = self
            .series
            .iter()
            .any(|series| matches!(series.look, Look::Points | Look::Cloud));
        let (lo, hi) = xs
            .iter()
            .filter(|x| x.is_finite())
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), x| {
                (lo.min(*x), hi.max(*x))
            });
        if dots && lo < hi {
            if self.x.is_log() {
                if lo > 0.0 {
                    let factor = (hi / lo).powf(0.03);
                    xs.extend([lo / factor, hi * factor]);
                }
            } else {
                let pad = 0.03 * (hi - lo);
                xs.extend([lo - pad, hi + pad]);
            }
        }
        xs
    }

    /// Half of the least distance between neighbouring bars.
    fn half_bar(&self) -> f64 {
        let mut places: Vec<f64> = self
            .series
            .iter()
            .filter(|series| series.look == Look::Bars)
            .flat_map(|series| series.points.iter().map(|p| p.0))
            .filter(|x| x.is_finite())
            .collect();
        places.sort_by(f64::total_cmp);
        places.dedup();
        let least = places
            .windows(2)
            .map(|pair| pair[1] - pair[0])
            .fold(f64::INFINITY, f64::min);
        if least.is_finite() { least / 2.0 } else { 0.5 }
    }

    fn default_description(&self) -> String {
        let names: Vec<&str> = self
            .series
            .iter()
            .map(|series| series.name.as_str())
            .filter(|name| !name.is_empty())
            .collect();
        let of = if names.is_empty() {
            String::new()
        } else {
            format!(" Series: {}.", names.join(", "))
        };
        format!("{} over {}.{of}", self.y.label(), self.x.label())
    }

    fn draw_marks(&self, frame: &mut Frame) {
        let (left, top, right, bottom) = frame.area;
        for mark in &self.marks {
            match mark {
                Mark::Shade(from, to, words) => {
                    let (Some(a), Some(b)) = (frame.x_at(*from), frame.x_at(*to)) else {
                        continue;
                    };
                    let (a, b) = (a.clamp(left, right), b.clamp(left, right));
                    frame.svg.rect("shade", (a, top), (b, bottom), "");
                    frame.svg.text(
                        "tick",
                        Anchor::Start,
                        (a + 5.0, top + 12.0),
                        &fit(words, 11.0, (b - a - 8.0).max(0.0)),
                    );
                }
                Mark::X(x, words) => {
                    let Some((pixel, _)) = frame.point(*x, frame.y.lo) else {
                        continue;
                    };
                    frame.svg.line("ref", (pixel, top), (pixel, bottom));
                    let wide = width_of(words, 11.0);
                    let (anchor, at) = if pixel + wide + 6.0 > right {
                        (Anchor::End, pixel - 5.0)
                    } else {
                        (Anchor::Start, pixel + 5.0)
                    };
                    frame.svg.text("tick halo", anchor, (at, top + 10.0), words);
                }
                Mark::Y(y, words) => {
                    let Some((_, pixel)) = frame.point(frame.x.lo, *y) else {
                        continue;
                    };
                    frame.svg.line("ref", (left, pixel), (right, pixel));
                    frame
                        .svg
                        .text("tick halo", Anchor::End, (right - 2.0, pixel - 5.0), words);
                }
                Mark::Diagonal(_) => {
                    let (lo, hi) = (frame.x.lo.max(frame.y.lo), frame.x.hi.min(frame.y.hi));
                    let (Some(a), Some(b)) = (frame.point(lo, lo), frame.point(hi, hi)) else {
                        continue;
                    };
                    frame.svg.line("ref", a, b);
                }
            }
        }
    }

    fn draw_band(&self, frame: &mut Frame, series: &Series, ink: Ink) {
        let class = ink.class();
        if matches!(series.look, Look::Points | Look::Bars | Look::Cloud) {
            return;
        }
        let pixels: Vec<(f64, f64, f64)> = series
            .band
            .iter()
            .filter(|(x, lo, hi)| x.is_finite() && lo.is_finite() && hi.is_finite())
            .filter_map(|(x, lo, hi)| {
                Some((
                    frame.x_at(*x)?,
                    frame.clipped_y(*lo)?,
                    frame.clipped_y(*hi)?,
                ))
            })
            .collect();
        let step = series.look == Look::Step;
        let mut outline = Vec::new();
        for (upper, points) in [
            (true, pixels.clone()),
            (false, pixels.iter().rev().copied().collect()),
        ] {
            let mut before: Option<(f64, f64)> = None;
            for (x, lo, hi) in points {
                let y = if upper { hi } else { lo };
                if let (true, Some(b)) = (step, before) {
                    outline.push(Some(if upper { (x, b.1) } else { (b.0, y) }));
                }
                outline.push(Some((x, y)));
                before = Some((x, y));
            }
        }
        frame.svg.path(&format!("band f-{class}"), outline, true);
    }

    fn draw_series(
        &self,
        frame: &mut Frame,
        series: &Series,
        ink: Ink,
        shape: usize,
        half_bar: f64,
    ) {
        let class = ink.class();
        match series.look {
            Look::Line | Look::Step => {
                let mut path = Vec::new();
                let mut before: Option<(f64, f64)> = None;
                for (x, y) in &series.points {
                    let point = frame.point(*x, *y);
                    if let (Look::Step, Some(b), Some(p)) = (series.look, before, point) {
                        path.push(Some((p.0, b.1)));
                    }
                    path.push(point);
                    before = point;
                }
                frame
                    .svg
                    .path(&format!("line k-{class} d{}", series.dash), path, false);
            }
            Look::Points | Look::Cloud => {
                for (x, lo, hi) in &series.band {
                    let (Some(x), Some(lo), Some(hi)) =
                        (frame.x_at(*x), frame.clipped_y(*lo), frame.clipped_y(*hi))
                    else {
                        continue;
                    };
                    frame.svg.line(&format!("thin k-{class}"), (x, lo), (x, hi));
                    for end in [lo, hi] {
                        frame
                            .svg
                            .line(&format!("thin k-{class}"), (x - 3.0, end), (x + 3.0, end));
                    }
                }
                let (kind, size) = if series.look == Look::Points {
                    ("dot", 4.0)
                } else {
                    ("cloud", 2.2)
                };
                for (x, y) in &series.points {
                    let Some(at) = frame.point(*x, *y) else {
                        continue;
                    };
                    let tip = if series.look == Look::Points || series.points.len() <= 500 {
                        self.tip(series, *x, *y)
                    } else {
                        String::new()
                    };
                    frame
                        .svg
                        .marker(&format!("{kind} f-{class}"), shape, at, size, &tip);
                }
            }
            Look::Bars => {
                let Some(zero) = frame.clipped_y(0.0) else {
                    return;
                };
                for (x, y) in &series.points {
                    let (Some(a), Some(b), Some(top)) = (
                        frame.x_at(x - 0.9 * half_bar),
                        frame.x_at(x + 0.9 * half_bar),
                        frame.clipped_y(*y),
                    ) else {
                        continue;
                    };
                    let (left, _, right, _) = frame.area;
                    if (zero - top).abs() > 0.01 && b > left && a < right {
                        frame.svg.rect(
                            &format!("bar f-{class}"),
                            (a, zero),
                            (b.max(a + 0.8), top),
                            &self.tip(series, *x, *y),
                        );
                    }
                }
            }
        }
    }

    fn tip(&self, series: &Series, x: f64, y: f64) -> String {
        let name = if series.name.is_empty() {
            String::new()
        } else {
            format!("{}: ", series.name)
        };
        format!("{name}{} at {}", self.y.tell(y), self.x.tell(x))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_breaks_the_line() {
        let chart = XyChart::new("t", Axis::linear("x"), Axis::linear("y")).series(Series::line(
            "a",
            vec![
                (0.0, 1.0),
                (1.0, 2.0),
                (2.0, f64::NAN),
                (3.0, 1.0),
                (4.0, 2.0),
            ],
        ));
        let svg = chart.svg().inline("f");
        let path = svg.split("<path").nth(1).unwrap_or_default();
        assert_eq!(path.matches('M').count(), 2, "{path}");
    }

    #[test]
    fn no_data_is_said() {
        let svg = XyChart::new("t", Axis::linear("x"), Axis::log("y"))
            .svg()
            .inline("f");
        assert!(svg.contains("no data"));
    }

    #[test]
    fn two_series_have_a_legend_and_one_has_none() {
        let one = XyChart::new("t", Axis::linear("x"), Axis::linear("y"))
            .series(Series::line("first", vec![(0.0, 1.0), (1.0, 2.0)]));
        assert!(!one.svg().inline("f").contains(">first</text>"));
        let two = one.series(Series::points("second", vec![(0.0, 1.0)]));
        let svg = two.svg().inline("f");
        assert!(svg.contains(">first</text>") && svg.contains(">second</text>"));
    }

    #[test]
    fn points_outside_a_fixed_range_are_not_drawn() {
        let chart = XyChart::new(
            "t",
            Axis::linear("x").range(0.0, 1.0),
            Axis::linear("y").range(0.0, 1.0),
        )
        .series(Series::points(
            "p",
            vec![(0.5, 0.5), (2.0, 0.5), (0.5, -1.0)],
        ));
        assert_eq!(chart.svg().inline("f").matches("<circle").count(), 1);
    }
}
