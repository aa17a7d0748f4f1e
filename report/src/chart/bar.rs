//! Horizontal bars: grouped or stacked, with values at their ends.

use super::axis::{Axis, Scale};
use super::frame::{Entry, Key, axis_label, below, legend, ticks_below, ticks_wanted};
use super::letters::{fit, lines, width_of};
use super::svg::{Anchor, Ink, LETTER, NARROW, Svg};

/// A chart of horizontal bars.
///
/// ```
/// use hindsight_report::{Axis, BarChart};
///
/// let svg = BarChart::new("Best policy by segment", Axis::linear("Share of products").percent(), ["all", "slow sellers"])
///     .series("trained network", vec![0.7, 0.6])
///     .series("newsvendor", vec![0.3, 0.4])
///     .stacked()
///     .svg();
/// assert!(svg.inline("best").contains("slow sellers, newsvendor: 40.0 %"));
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct BarChart {
    title: String,
    description: Option<String>,
    width: f64,
    axis: Axis,
    categories: Vec<String>,
    series: Vec<(String, Vec<f64>, Ink)>,
    stacked: bool,
}

impl BarChart {
    /// A chart with these categories from top to bottom.
    pub fn new<S: Into<String>>(
        title: impl Into<String>,
        axis: Axis,
        categories: impl IntoIterator<Item = S>,
    ) -> Self {
        BarChart {
            title: title.into(),
            description: None,
            width: 720.0,
            axis: axis.with_zero(),
            categories: categories.into_iter().map(Into::into).collect(),
            series: Vec::new(),
            stacked: false,
        }
    }

    /// What a screen reader says after the title; by default every value is read out.
    pub fn describe(mut self, words: impl Into<String>) -> Self {
        self.description = Some(words.into());
        self
    }

    /// Adds a series with one value per category (missing ones are absent).
    pub fn series(self, name: impl Into<String>, values: Vec<f64>) -> Self {
        let ink = Ink::Series(self.series.len());
        self.inked(name, values, ink)
    }

    /// Adds a series in a colour of its own.
    pub fn inked(mut self, name: impl Into<String>, values: Vec<f64>, ink: Ink) -> Self {
        self.series.push((name.into(), values, ink));
        self
    }

    /// Bars of one category stand end to end instead of one below another.
    pub fn stacked(mut self) -> Self {
        self.stacked = true;
        self
    }

    fn value(&self, series: usize, category: usize) -> Option<f64> {
        self.series[series]
            .1
            .get(category)
            .copied()
            .filter(|x| x.is_finite())
    }

    /// The chart as SVG.
    pub fn svg(&self) -> Svg {
        self.drawn().with_narrow(|| {
            let width = NARROW;
            let chart = self.clone();
            BarChart { width, ..chart }.drawn()
        })
    }

    /// Whether a category's name stands above its bars.
    fn is_narrow(&self) -> bool {
        self.width < 480.0
    }

    fn drawn(&self) -> Svg {
        let entries: Vec<Entry> = self
            .series
            .iter()
            .map(|(name, _, ink)| Entry {
                name: name.clone(),
                ink: *ink,
                key: Key::Box,
            })
            .filter(|_| self.series.len() > 1)
            .collect();
        let mut probe = Svg::new(0.0, 0.0, "", "");
        let top = 4.0 + legend(&mut probe, &entries, 8.0, 4.0, self.width - 16.0) + 4.0;
        let layout = self.layout(top);
        let described = self
            .description
            .clone()
            .unwrap_or_else(|| self.default_description());
        let label = lines(self.axis.label(), 11.0, self.width - 16.0);
        let height = layout.bottom + 42.0 + below(&label);
        let mut svg = Svg::new(self.width, height, &self.title, &described);
        legend(&mut svg, &entries, 8.0, 4.0, self.width - 16.0);
        ticks_below(
            &mut svg,
            &layout.scale,
            (layout.left, layout.right),
            (layout.top, layout.bottom),
        );
        axis_label(
            &mut svg,
            &label,
            f64::midpoint(layout.left, layout.right),
            layout.bottom + 33.0,
        );
        if let Some(zero) = layout.pixel(0.0) {
            svg.line("axis", (zero, layout.top), (zero, layout.bottom));
        }
        for category in 0..self.categories.len() {
            self.draw_category(&mut svg, &layout, category);
        }
        if self.categories.is_empty() || self.series.is_empty() {
            let middle = f64::midpoint(layout.top, layout.bottom);
            svg.text(
                "tick",
                Anchor::Middle,
                (self.width / 2.0, middle),
                "no data",
            );
        }
        svg
    }

    fn layout(&self, top: f64) -> Layout {
        let count = |n: usize| f64::from(u32::try_from(n.max(1)).unwrap_or(1));
        let (thick, lanes) = if self.stacked {
            (18.0, 1.0)
        } else {
            let series = count(self.series.len());
            ((30.0 / series).clamp(12.0, 18.0), series)
        };
        let name = if self.is_narrow() { 16.0 } else { 0.0 };
        let row = thick * lanes + 10.0 + name;
        let labels = self
            .categories
            .iter()
            .map(|name| width_of(name, LETTER))
            .fold(30.0, f64::max)
            .min(0.4 * self.width);
        let end = if self.stacked { 26.0 } else { 64.0 };
        let (labels, left) = if self.is_narrow() {
            (self.width - 16.0, 26.0)
        } else {
            (labels, 8.0 + labels + 12.0)
        };
        let right = self.width - end;
        let lengths = (0..self.categories.len()).flat_map(|category| {
            let values = (0..self.series.len()).filter_map(|series| self.value(series, category));
            if self.stacked {
                vec![values.sum()]
            } else {
                values.collect()
            }
        });
        Layout {
            thick,
            lanes,
            row,
            labels,
            top,
            bottom: top + row * count(self.categories.len()),
            left,
            right,
            scale: self.axis.resolve(lengths, ticks_wanted(right - left), true),
        }
    }

    fn draw_category(&self, svg: &mut Svg, layout: &Layout, category: usize) {
        let name = &self.categories[category];
        let thick = layout.thick;
        let at = f64::from(u32::try_from(category).unwrap_or(0));
        let mut y = layout.top + layout.row * at + 5.0;
        let middle = y + thick * layout.lanes / 2.0 + 4.0;
        let words = fit(name, LETTER, layout.labels);
        if self.is_narrow() {
            svg.text("halo", Anchor::Start, (8.0, y + 10.0), &words);
            y += 16.0;
        } else {
            svg.text("", Anchor::End, (layout.left - 10.0, middle), &words);
        }
        let mut base = 0.0;
        for (at, (series, _, ink)) in self.series.iter().enumerate() {
            let bar = self
                .value(at, category)
                .and_then(|value| Some((value, layout.pixel(base)?, layout.pixel(base + value)?)));
            if let Some((value, a, b)) = bar {
                let told = self.axis.tell(value);
                svg.rect(
                    &format!("bar f-{}", ink.class()),
                    (a, y + 0.5),
                    (b, y + thick - 0.5),
                    &format!("{name}, {series}: {told}"),
                );
                let line = y + thick / 2.0 + 4.0;
                if !self.stacked {
                    // Beyond the end of the bar; a negative bar's value stands right of zero, where nothing is drawn.
                    svg.text("tick", Anchor::Start, (a.max(b) + 5.0, line), &told);
                } else if width_of(&told, 11.0) + 8.0 < (b - a).abs() {
                    let x = f64::midpoint(a, b);
                    svg.text(
                        &format!("tick on-{}", ink.class()),
                        Anchor::Middle,
                        (x, line),
                        &told,
                    );
                }
                if self.stacked {
                    base += value;
                }
            }
            if !self.stacked {
                y += thick;
            }
        }
    }

    fn default_description(&self) -> String {
        let mut words = String::new();
        for (category, name) in self.categories.iter().enumerate() {
            let values: Vec<String> = (0..self.series.len())
                .filter_map(|at| {
                    Some(
                        format!(
                            "{} {}",
                            self.series[at].0,
                            self.axis.tell(self.value(at, category)?)
                        )
                        .trim()
                        .to_owned(),
                    )
                })
                .collect();
            words.push_str(&format!("{name}: {}. ", values.join(", ")));
        }
        words.trim_end().to_owned()
    }
}

/// Where things stand, in pixels.
struct Layout {
    /// Height of a bar.
    thick: f64,
    /// Bars one below another in a category.
    lanes: f64,
    /// Height of a category.
    row: f64,
    /// Width of the categories' names.
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
    fn stacked_bars_stand_end_to_end() {
        let svg = BarChart::new("t", Axis::linear("n").range(0.0, 10.0), ["a"])
            .series("x", vec![4.0])
            .series("y", vec![6.0])
            .stacked()
            .svg()
            .inline("f");
        let bars: Vec<(f64, f64)> = svg
            .split("<rect")
            .filter(|part| part.contains("<title>"))
            .map(|part| {
                let read = |name: &str| {
                    part.split(&format!(" {name}=\""))
                        .nth(1)
                        .unwrap()
                        .split('"')
                        .next()
                        .unwrap()
                        .parse::<f64>()
                        .unwrap()
                };
                (read("x"), read("width"))
            })
            .collect();
        assert_eq!(bars.len(), 2);
        assert!((bars[0].0 + bars[0].1 - bars[1].0).abs() < 0.02);
        assert!((bars[1].1 / bars[0].1 - 1.5).abs() < 0.01);
    }

    #[test]
    fn values_that_are_missing_are_absent() {
        let svg = BarChart::new("t", Axis::linear("n"), ["a", "b"])
            .series("x", vec![f64::NAN])
            .svg()
            .inline("f");
        assert!(!svg.contains("class=\"bar"));
    }
}
