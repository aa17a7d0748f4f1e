//! Axes: what a coordinate means, its range, its ticks and how they are written.

use crate::number;

/// One axis of a chart.
///
/// The label names the quantity and its unit.
///
/// ```
/// use hindsight_report::{Axis, Series, XyChart};
///
/// let weeks = Axis::linear("Week").ticks(vec![(0.0, "Jan 2026".to_owned()), (26.0, "Jul".to_owned())]);
/// let fill = Axis::linear("Fill rate").percent().range(0.0, 1.0);
/// let svg = XyChart::new("Service", weeks, fill)
///     .series(Series::line("base stock", vec![(0.0, 0.9), (26.0, 0.97)]))
///     .svg()
///     .inline("service");
/// assert!(svg.contains(">Jan 2026</text>") && svg.contains(">100\u{a0}%</text>"));
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct Axis {
    label: String,
    log: bool,
    percent: bool,
    zero: bool,
    whole: bool,
    range: Option<(f64, f64)>,
    ticks: Option<Vec<(f64, String)>>,
}

impl Axis {
    /// A linear axis.
    pub fn linear(label: impl Into<String>) -> Self {
        Axis {
            label: label.into(),
            log: false,
            percent: false,
            zero: false,
            whole: false,
            range: None,
            ticks: None,
        }
    }

    /// A logarithmic axis. Zeros stand at its low end, under a tick of their own; negative values are left out.
    pub fn log(label: impl Into<String>) -> Self {
        Axis {
            log: true,
            ..Axis::linear(label)
        }
    }

    /// Ticks are written in per cent: 0.5 is "50 %".
    pub fn percent(mut self) -> Self {
        self.percent = true;
        self
    }

    /// Zero is on the axis.
    pub fn with_zero(mut self) -> Self {
        self.zero = true;
        self
    }

    /// A count, of weeks or of rounds: only whole numbers are marked.
    pub fn whole(mut self) -> Self {
        self.whole = true;
        self
    }

    /// The range is this, whatever the data.
    pub fn range(mut self, from: f64, to: f64) -> Self {
        self.range = (from.is_finite() && to.is_finite() && from < to).then_some((from, to));
        self
    }

    /// These ticks and no others: names of months, of categories.
    pub fn ticks(mut self, ticks: Vec<(f64, String)>) -> Self {
        self.ticks = Some(ticks);
        self
    }

    pub(super) fn label(&self) -> &str {
        &self.label
    }

    pub(super) fn is_log(&self) -> bool {
        self.log
    }

    /// The axis for data of these values, with about `wanted` ticks; `round` widens the range to whole ticks.
    pub(super) fn resolve(
        &self,
        values: impl Iterator<Item = f64>,
        wanted: usize,
        round: bool,
    ) -> Scale {
        let (mut lo, mut hi, mut zeros) = (f64::INFINITY, f64::NEG_INFINITY, false);
        for x in values.filter(|x| x.is_finite()) {
            zeros |= x.abs() < f64::MIN_POSITIVE;
            if !self.log || x > 0.0 {
                (lo, hi) = (lo.min(x), hi.max(x));
            }
        }
        if self.zero && !self.log {
            (lo, hi) = (lo.min(0.0), hi.max(0.0));
        }
        if lo > hi {
            (lo, hi) = if self.log { (1.0, 10.0) } else { (0.0, 1.0) };
        }
        let fixed = self.range.filter(|(from, _)| !self.log || *from > 0.0);
        if let Some((from, to)) = fixed {
            (lo, hi) = (from, to);
        }
        let round = round && fixed.is_none() && self.ticks.is_none();
        let mut scale = if self.log {
            log_scale(lo, hi, wanted, round)
        } else {
            linear_scale(lo, hi, wanted, round, self.percent)
        };
        if self.log && zeros && fixed.is_none() {
            scale.stand_zeros();
        }
        if self.whole {
            scale.ticks.retain(|(at, _)| at.fract() == 0.0);
            for (at, text) in &mut scale.ticks {
                *text = number::fixed(*at, 0);
            }
        }
        if let Some(ticks) = &self.ticks {
            scale.ticks = ticks
                .iter()
                .filter(|(at, _)| (scale.lo..=scale.hi).contains(at))
                .cloned()
                .collect();
        }
        scale
    }

    /// A value as the hover text writes it.
    pub(super) fn tell(&self, x: f64) -> String {
        if let Some(name) = self
            .ticks
            .iter()
            .flatten()
            .find(|(at, _)| (at - x).abs() < 1e-9)
        {
            return name.1.clone();
        }
        if self.percent {
            number::percent(x, 1)
        } else {
            whole_or_significant(x)
        }
    }
}

fn whole_or_significant(x: f64) -> String {
    if (x - x.round()).abs() < 1e-9 && x.abs() < 1e12 {
        plain_whole(x)
    } else {
        number::significant(x, 4)
    }
}

/// Whole numbers below ten thousand without a comma: weeks and years read better so.
fn plain_whole(x: f64) -> String {
    if x.abs() < 10_000.0 {
        format!("{x:.0}").replace("-0", "0")
    } else {
        number::fixed(x, 0)
    }
}

/// Range and ticks.
#[derive(Debug, Clone)]
pub(super) struct Scale {
    pub(super) lo: f64,
    pub(super) hi: f64,
    log: bool,
    /// The values below which there are only zeros, on a logarithmic scale that has some.
    zeros_below: Option<f64>,
    pub(super) ticks: Vec<(f64, String)>,
}

impl Scale {
    /// Gives zeros a place at the low end of a logarithmic scale, a tenth of its length below all other values.
    fn stand_zeros(&mut self) {
        let least = self.lo;
        let below = least.ln() - (self.hi.ln() - least.ln()) / 9.0;
        self.lo = below.exp().max(f64::MIN_POSITIVE);
        self.zeros_below = Some(least);
        self.ticks.insert(0, (self.lo, "0".to_owned()));
    }

    /// Where the zeros of a logarithmic scale end, as a place between 0 and 1.
    pub(super) fn zeros_end(&self) -> Option<f64> {
        self.place(self.zeros_below?).map(|place| place / 2.0)
    }

    /// The place of `x` between 0 (low end) and 1; `None` if it has none.
    pub(super) fn place(&self, x: f64) -> Option<f64> {
        let share = if self.log {
            if x <= 0.0 {
                let stands = self.zeros_below.is_some() && x.abs() < f64::MIN_POSITIVE;
                return stands.then_some(0.0);
            }
            (x.ln() - self.lo.ln()) / (self.hi.ln() - self.lo.ln())
        } else {
            (x - self.lo) / (self.hi - self.lo)
        };
        share.is_finite().then_some(share)
    }
}

fn linear_scale(mut lo: f64, mut hi: f64, wanted: usize, round: bool, percent: bool) -> Scale {
    // A range far below the resolution of the numbers is widened around them.
    if hi - lo <= 1e-12 * lo.abs().max(hi.abs()) {
        let pad = if hi.abs() > 0.0 { 0.1 * hi.abs() } else { 1.0 };
        (lo, hi) = (lo - pad, hi + pad);
    }
    let unit = if percent { 0.01 } else { 1.0 };
    let step = unit * nice_step((hi - lo) / unit, wanted);
    if round {
        lo = (lo / step + 1e-9).floor() * step;
        hi = (hi / step - 1e-9).ceil() * step;
    }
    let first = (lo / step - 1e-6).ceil();
    let last = (hi / step + 1e-6).floor();
    let mut ticks = Vec::new();
    let mut at = first;
    while at <= last && ticks.len() < 100 {
        let x = at * step;
        ticks.push((x, tick_label(x, step, hi.abs().max(lo.abs()), percent)));
        at += 1.0;
    }
    Scale {
        lo,
        hi,
        log: false,
        zeros_below: None,
        ticks,
    }
}

/// The step of 1, 2 or 5 times a power of ten that gives about `wanted` ticks.
fn nice_step(span: f64, wanted: usize) -> f64 {
    let wanted = f64::from(u32::try_from(wanted.max(2)).unwrap_or(10));
    let raw = span / wanted;
    let power = 10f64.powf(raw.log10().floor());
    let multiple = raw / power;
    let step = if multiple < 1.5 {
        1.0
    } else if multiple < 3.5 {
        2.0
    } else if multiple < 7.5 {
        5.0
    } else {
        10.0
    };
    step * power
}

fn tick_label(x: f64, step: f64, largest: f64, percent: bool) -> String {
    let decimals = |step: f64| -> usize {
        let digits = (-(step.log10() + 1e-9).floor()).clamp(0.0, 12.0);
        // Between 0 and 12.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let digits = digits as usize;
        digits
    };
    if percent {
        return number::percent(x, decimals(100.0 * step));
    }
    for (size, letter) in [(1e9, "bn"), (1e6, "m")] {
        if largest >= size && step >= size / 1e3 {
            return if x.abs() < 1e-9 * size {
                "0".to_owned()
            } else {
                format!("{}{letter}", number::fixed(x / size, decimals(step / size)))
            };
        }
    }
    if largest >= 1e12 || (largest < 1e-4 && largest > 0.0) {
        return format!("{x:.1e}");
    }
    if step >= 1.0 && largest < 10_000.0 {
        plain_whole(x)
    } else {
        number::fixed(x, decimals(step))
    }
}

fn log_scale(mut lo: f64, mut hi: f64, wanted: usize, round: bool) -> Scale {
    if hi.ln() - lo.ln() < 1e-9 {
        (lo, hi) = (lo / 2.0, hi * 2.0);
    }
    let decades = hi.log10() - lo.log10();
    if round && decades > 2.0 {
        lo = 10f64.powf((lo.log10() + 1e-9).floor());
        hi = 10f64.powf((hi.log10() - 1e-9).ceil());
    }
    // Exponents of f64 fit.
    #[allow(clippy::cast_possible_truncation)]
    let (first, last) = (lo.log10().floor() as i32, hi.log10().ceil() as i32);
    let wanted = i32::try_from(wanted.max(2)).unwrap_or(10);
    let every = ((last - first) / wanted).max(1);
    let multiples: &[f64] = if decades < 1.2 {
        &[1.0, 2.0, 3.0, 4.0, 5.0, 7.0]
    } else if decades < 3.0 {
        &[1.0, 2.0, 5.0]
    } else {
        &[1.0]
    };
    let mut ticks = Vec::new();
    for power in (first..=last).filter(|power| (power - first) % every == 0) {
        for multiple in multiples {
            let x = multiple * 10f64.powi(power);
            if x >= lo * (1.0 - 1e-9) && x <= hi * (1.0 + 1e-9) {
                ticks.push((x, log_label(x, *multiple, power)));
            }
        }
    }
    Scale {
        lo,
        hi,
        log: true,
        zeros_below: None,
        ticks,
    }
}

fn log_label(x: f64, multiple: f64, power: i32) -> String {
    if (-4..6).contains(&power) {
        let decimals = usize::try_from(-power).unwrap_or(0);
        return number::fixed(x, decimals);
    }
    let raised: String = power
        .to_string()
        .chars()
        .map(|digit| match digit {
            '-' => '⁻',
            '1' => '¹',
            '2' => '²',
            '3' => '³',
            other => char::from_u32(0x2070 + other.to_digit(10).unwrap_or(0)).unwrap_or(other),
        })
        .collect();
    if (multiple - 1.0).abs() < 1e-9 {
        format!("10{raised}")
    } else {
        format!("{multiple:.0}·10{raised}")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn labels(scale: &Scale) -> Vec<&str> {
        scale
            .ticks
            .iter()
            .map(|(_, label)| label.as_str())
            .collect()
    }

    #[test]
    fn round_numbers() {
        let scale = Axis::linear("x").resolve([3.0, 97.0].into_iter(), 5, true);
        assert_eq!(labels(&scale), ["0", "20", "40", "60", "80", "100"]);
        let scale = Axis::linear("x")
            .percent()
            .resolve([0.8, 0.95].into_iter(), 4, true);
        assert_eq!(labels(&scale), ["80 %", "85 %", "90 %", "95 %"]);
        let scale = Axis::linear("x").resolve([0.0, 2.4e6].into_iter(), 5, true);
        assert_eq!(
            labels(&scale),
            ["0", "0.5m", "1.0m", "1.5m", "2.0m", "2.5m"]
        );
        let scale = Axis::linear("x").resolve([-0.02, 0.031].into_iter(), 5, true);
        assert_eq!(
            labels(&scale),
            ["-0.02", "-0.01", "0.00", "0.01", "0.02", "0.03", "0.04"]
        );
    }

    #[test]
    fn powers_of_ten() {
        let scale = Axis::log("x").resolve([1e3, 1e9].into_iter(), 7, true);
        assert_eq!(
            labels(&scale),
            ["1,000", "10,000", "100,000", "10⁶", "10⁷", "10⁸", "10⁹"]
        );
        let zeros = Axis::log("x").resolve([0.0, 1.0, 1e4].into_iter(), 7, true);
        assert_eq!(labels(&zeros)[..2], ["0", "1"]);
        assert_eq!(zeros.place(0.0), Some(0.0));
        assert!(zeros.place(1.0).unwrap() > 0.09 && zeros.place(-1.0).is_none());
        let scale = Axis::log("x").resolve([-1.0, 0.3, 8.0].into_iter(), 7, false);
        assert_eq!(labels(&scale), ["0.5", "1", "2", "5"]);
    }

    proptest! {
        #[test]
        fn every_value_has_a_place_and_ticks_rise(
            values in prop::collection::vec(prop::num::f64::NORMAL | prop::num::f64::ZERO | prop::num::f64::INFINITE | prop::num::f64::QUIET_NAN, 0..6),
            log: bool, round: bool, percent: bool, wanted in 2usize..9,
        ) {
            let mut axis = if log { Axis::log("x") } else { Axis::linear("x") };
            if percent { axis = axis.percent(); }
            let values: Vec<f64> = values.iter().map(|x| if x.is_finite() { x.clamp(-1e60, 1e60) } else { *x }).collect();
            let scale = axis.resolve(values.iter().copied(), wanted, round);
            prop_assert!(scale.lo < scale.hi && scale.lo.is_finite() && scale.hi.is_finite());
            prop_assert!(scale.ticks.len() < 101);
            for pair in scale.ticks.windows(2) {
                prop_assert!(pair[0].0 < pair[1].0);
            }
            for x in values.iter().filter(|x| x.is_finite() && (!log || **x > 0.0)) {
                let place = scale.place(*x);
                prop_assert!(place.is_some_and(|place| (-1e-6..=1.0 + 1e-6).contains(&place)), "{x} at {place:?} of {scale:?}");
            }
        }
    }
}
