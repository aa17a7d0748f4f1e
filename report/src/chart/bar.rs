//! Horizontal bars: grouped or stacked, with values at their ends.

use super::axis::Axis;
use super::frame::{Entry, Key, legend, ticks_below, ticks_wanted};
use super::letters::{fit, width_of};
use super::svg::{Anchor, Ink, LETTER, Svg};

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
        let count = self.series.len().max(1);
        let thick = if self.stacked {
            18.0
        } else {
            (30.0 / f64::from(u32::try_from(count).unwrap_or(1))).clamp(9.0, 18.0)
        };
        let lanes = if self.stacked {
            1.0
        } else {
            f64::from(u32::try_from(count).unwrap_or(1))
        };
        let row = thick * lanes + 10.0;
        let entries: Vec<Entry> = self
            .series
            .iter()
            .map(|(name, _, ink)| Entry {
                name: name.clone(),
                ink: *ink,
                key: Key::Box,
            })
            .collect();
        let entries = if entries.len() > 1 {
            entries
        } else {
            Vec::new()
        };
        let mut probe = Svg::new(0.0, 0.0, "", "");
        let top = 4.0 + legend(&mut probe, &entries, 8.0, 4.0, self.width - 16.0) + 4.0;
        let bottom =
            top + row * f64::from(u32::try_from(self.categories.len().max(1)).unwrap_or(1));
        let described = self
            .description
            .clone()
            .unwrap_or_else(|| self.default_description());
        let mut svg = Svg::new(self.width, bottom + 42.0, &self.title, &described);
        legend(&mut svg, &entries, 8.0, 4.0, self.width - 16.0);
        let labels = self
            .categories
            .iter()
            .map(|name| width_of(name, LETTER))
            .fold(30.0, f64::max)
            .min(0.4 * self.width);
        let end = if self.stacked { 26.0 } else { 64.0 };
        let (left, right) = (8.0 + labels + 12.0, self.width - end);
        let totals: Vec<f64> = (0..self.categories.len())
            .flat_map(|category| {
                let values: Vec<f64> = (0..self.series.len())
                    .filter_map(|series| self.value(series, category))
                    .collect();
                if self.stacked {
                    vec![values.iter().sum()]
                } else {
                    values
                }
            })
            .collect();
        let wanted = ticks_wanted(right - left);
        let scale = self.axis.resolve(totals.into_iter(), wanted, true);
        let pixel = |x: f64| {
            scale
                .place(x)
                .map(|share| left + share.clamp(0.0, 1.0) * (right - left))
        };
        ticks_below(&mut svg, &scale, (left, right), (top, bottom));
        svg.text(
            "tick",
            Anchor::Middle,
            ((left + right) / 2.0, bottom + 33.0),
            &fit(self.axis.label(), 11.0, self.width - 16.0),
        );
        for (category, name) in self.categories.iter().enumerate() {
            let above = top + row * f64::from(u32::try_from(category).unwrap_or(0)) + 5.0;
            let middle = above + thick * lanes / 2.0;
            svg.text(
                "",
                Anchor::End,
                (left - 10.0, middle + 4.0),
                &fit(name, LETTER, labels),
            );
            let mut base = 0.0;
            let mut y = above;
            for (at, (series, _, ink)) in self.series.iter().enumerate() {
                let value = self.value(at, category);
                if let Some(value) = value
                    && let (Some(a), Some(b)) = (pixel(base), pixel(base + value))
                {
                    let told = self.axis.tell(value);
                    svg.rect(
                        &format!("bar f-{}", ink.class()),
                        (a, y + 0.5),
                        (b, y + thick - 0.5),
                        &format!("{name}, {series}: {told}"),
                    );
                    if self.stacked {
                        if width_of(&told, 11.0) + 8.0 < (b - a).abs() {
                            svg.text(
                                "tick onstack",
                                Anchor::Middle,
                                ((a + b) / 2.0, y + thick / 2.0 + 4.0),
                                &told,
                            );
                        }
                        base += value;
                    } else {
                        // Beyond the end of the bar; a negative bar's value stands right of zero, where nothing is drawn.
                        let x = a.max(b) + 5.0;
                        svg.text("tick", Anchor::Start, (x, y + thick / 2.0 + 4.0), &told);
                    }
                }
                if !self.stacked {
                    y += thick;
                }
            }
        }
        if let Some(zero) = pixel(0.0) {
            svg.line("axis", (zero, top), (zero, bottom));
        }
        if self.categories.is_empty() || self.series.is_empty() {
            svg.text(
                "tick",
                Anchor::Middle,
                (self.width / 2.0, (top + bottom) / 2.0),
                "no data",
            );
        }
        svg
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
