//! Which estimates are made, and how each follows from the means of a few terms.

use std::fmt;

use crate::error::{Allowed, Result};
use crate::moments::Moments;

/// An estimator of what a target policy would have earned per round.
///
/// With the importance weight $w = \pi(a \mid x) / p$ of the logged action, its reward $r$, the model's prediction $q$ for it and the
/// model's value of the target policy $v = \sum_k \pi(k \mid x)\thinspace q(x, k)$, averages $\langle\cdot\rangle$ over rounds:
///
/// | estimator | formula |
/// |---|---|
/// | `Ips` | $\langle w r \rangle$ |
/// | `Clipped` | $\langle \min(w, m)\thinspace r \rangle$ |
/// | `Snips` | $\langle w r \rangle / \langle w \rangle$ |
/// | `ControlVariate` | $\langle w r \rangle - \beta (\langle w \rangle - 1)$ with the least-squares $\beta$ |
/// | `Dm` | $\langle v \rangle$ |
/// | `Dr` | $\langle v + w (r - q) \rangle$ |
/// | `Sndr` | $\langle v \rangle + \langle w (r - q) \rangle / \langle w \rangle$ |
/// | `SwitchDr` | $\langle v + w\thinspace 1_{w \le \tau} (r - q) \rangle$ |
/// | `DrOs` | $\langle v + \frac{\lambda w}{w^2 + \lambda} (r - q) \rangle$ |
/// | `SubGaussianIps`, `SubGaussianDr` | as `Ips` and `Dr`, with $\frac{w}{1 - \lambda + \lambda w}$ for $w$ |
/// | `Replay` | mean reward of the rounds in which a deterministic target takes the logged action |
///
/// Those with a parameter are biased towards the model, or towards zero without one, as far as they take weight away:
/// [`Estimate::kept`](crate::Estimate::kept) says how much is left.
///
/// Sources: Swaminathan and Joachims (2015) for `Snips`; Dudík, Langford and Li (2011) for `Dr`; Wang, Agarwal and Dudík (2017) for
/// `SwitchDr`; Su et al. (2020) for `DrOs`; Metelli, Russo and Restelli (2021) for the sub-Gaussian weights; Li et al. (2011) for `Replay`.
/// `ControlVariate` is the centre of the Euclidean likelihood (the Cressie-Read divergence of power -2) under the constraint that the mean weight
/// is one; Karampatziakis, Langford and Mineiro (2020) use that likelihood for policies.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Estimator {
    /// Inverse propensity scores.
    Ips,
    /// The same with weights of at most this.
    Clipped(f64),
    /// Self-normalised inverse propensity scores.
    Snips,
    /// Inverse propensity scores with the weight as a control variate; its intervals are those of Cressie and Read.
    ControlVariate,
    /// The direct method: the reward model alone. Its standard error does not know the model's error.
    Dm,
    /// Doubly robust.
    Dr,
    /// Self-normalised doubly robust.
    Sndr,
    /// Doubly robust where the weight is at most this, the model elsewhere.
    SwitchDr(f64),
    /// Doubly robust with optimistic shrinkage.
    DrOs(f64),
    /// Inverse propensity scores with sub-Gaussian weights; the parameter lies in [0, 1].
    SubGaussianIps(f64),
    /// Doubly robust with sub-Gaussian weights.
    SubGaussianDr(f64),
    /// Replay of a deterministic target on a log whose propensities are all the same.
    Replay,
}

impl fmt::Display for Estimator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Estimator::Ips => f.write_str("IPS"),
            Estimator::Clipped(m) => write!(f, "IPS clipped at {m}"),
            Estimator::Snips => f.write_str("SNIPS"),
            Estimator::ControlVariate => f.write_str("IPS with control variate"),
            Estimator::Dm => f.write_str("DM"),
            Estimator::Dr => f.write_str("DR"),
            Estimator::Sndr => f.write_str("SNDR"),
            Estimator::SwitchDr(t) => write!(f, "Switch-DR at {t}"),
            Estimator::DrOs(l) => write!(f, "DRos at {l}"),
            Estimator::SubGaussianIps(l) => write!(f, "sub-Gaussian IPS at {l}"),
            Estimator::SubGaussianDr(l) => write!(f, "sub-Gaussian DR at {l}"),
            Estimator::Replay => f.write_str("replay"),
        }
    }
}

impl Estimator {
    pub(crate) fn validate(self) -> Result<()> {
        match self {
            Estimator::Clipped(v) | Estimator::SwitchDr(v) | Estimator::DrOs(v) => {
                Allowed::Above(0.0).check("estimator's parameter", v)?;
            }
            Estimator::SubGaussianIps(v) | Estimator::SubGaussianDr(v) => {
                Allowed::Within(0.0, 1.0).check("estimator's parameter", v)?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Returns whether the estimator needs predicted rewards.
    #[must_use]
    pub fn needs_model(self) -> bool {
        self.parts().iter().any(|t| t.needs_model())
    }

    /// Returns whether it uses no weights at all.
    #[must_use]
    pub fn is_model_alone(self) -> bool {
        self == Estimator::Dm
    }

    /// The weight that it gives a round of importance weight `w`.
    #[inline(always)]
    pub(crate) fn shrink(self, w: f64) -> f64 {
        match self {
            Estimator::Clipped(m) => w.min(m),
            Estimator::SwitchDr(t) => {
                if w <= t {
                    w
                } else {
                    0.0
                }
            }
            Estimator::DrOs(l) => l * w / (w * w + l),
            Estimator::SubGaussianIps(l) | Estimator::SubGaussianDr(l) => {
                if w > 0.0 {
                    w / (1.0 - l + l * w)
                } else {
                    0.0
                }
            }
            _ => w,
        }
    }

    pub(crate) fn shrinks(self) -> bool {
        matches!(
            self,
            Estimator::Clipped(_)
                | Estimator::SwitchDr(_)
                | Estimator::DrOs(_)
                | Estimator::SubGaussianIps(_)
                | Estimator::SubGaussianDr(_)
        )
    }

    /// The term whose mean is added, and the two whose means are divided.
    pub(crate) fn split(self) -> (Option<Term>, Option<[Term; 2]>) {
        use Term::{
            DoublyRobust, Match, MatchedReward, Modelled, Reward, Weight, WeightedResidual,
        };
        match self {
            Estimator::Snips => (None, Some([Reward(Estimator::Ips), Weight(Estimator::Ips)])),
            Estimator::Sndr => (
                Some(Modelled),
                Some([WeightedResidual, Weight(Estimator::Ips)]),
            ),
            Estimator::Replay => (None, Some([MatchedReward, Match])),
            Estimator::Dm => (Some(Modelled), None),
            Estimator::Ips | Estimator::ControlVariate => (Some(Reward(Estimator::Ips)), None),
            Estimator::Clipped(_) | Estimator::SubGaussianIps(_) => (Some(Reward(self)), None),
            Estimator::Dr => (Some(DoublyRobust(Estimator::Ips)), None),
            Estimator::SwitchDr(_) | Estimator::DrOs(_) | Estimator::SubGaussianDr(_) => {
                (Some(DoublyRobust(self)), None)
            }
        }
    }

    /// The terms that its influence function is made of.
    pub(crate) fn influences(self) -> Vec<Term> {
        let (plain, ratio) = self.split();
        let control = (self == Estimator::ControlVariate).then_some(Term::Weight(Estimator::Ips));
        plain
            .into_iter()
            .chain(ratio.into_iter().flatten())
            .chain(control)
            .collect()
    }

    /// The weights that it uses, as a term.
    pub(crate) fn weights(self) -> Term {
        match self {
            e if e.shrinks() => Term::Weight(e),
            Estimator::Replay => Term::Match,
            _ => Term::Weight(Estimator::Ips),
        }
    }

    /// All terms that must be kept for it.
    pub(crate) fn parts(self) -> Vec<Term> {
        self.influences()
            .into_iter()
            .chain([self.weights()])
            .collect()
    }

    /// The estimate, and its derivatives with respect to the means of the terms: the influence of a round is the derivatives times
    /// the deviations of its terms.
    pub(crate) fn linearise(self, terms: &[Term], moments: &Moments) -> (f64, Vec<f64>) {
        let at = |term: Term| terms.iter().position(|t| *t == term).unwrap_or_default();
        let mean = |term: Term| moments.mean()[at(term)];
        let mut gradient = vec![0.0; terms.len()];
        let mut value = 0.0;
        let (plain, ratio) = self.split();
        if let Some(term) = plain {
            value += mean(term);
            gradient[at(term)] += 1.0;
        }
        if let Some([numerator, denominator]) = ratio {
            let (num, den) = (mean(numerator), mean(denominator));
            value += num / den;
            gradient[at(numerator)] += 1.0 / den;
            gradient[at(denominator)] -= num / (den * den);
        }
        if self == Estimator::ControlVariate {
            let (weight, product) = (
                at(Term::Weight(Estimator::Ips)),
                at(Term::Reward(Estimator::Ips)),
            );
            let spread = moments.comoment(weight, weight);
            let slope = if spread > 0.0 {
                moments.comoment(weight, product) / spread
            } else {
                0.0
            };
            value -= slope * (moments.mean()[weight] - 1.0);
            gradient[weight] -= slope;
        }
        (value, gradient)
    }
}

impl Estimator {
    /// What the sum of squared influences lacks because the estimate was fitted to the very rounds whose deviations from it are squared: rounds of large
    /// weight draw it towards themselves. With the leverage $h = w / \sum w$ of a round in a weighted mean squares count $1 + h$ times, to first order
    /// $1 / (1 - h)$, the second of the corrections of MacKinnon and White (1985). In the regression on the weight, where
    /// $h = 1/n + (w - \bar w)^2 / \sum (w - \bar w)^2$, they count $1 + 2 h$ times: it is read at a weight of 1 and not of $\bar w$, which adds as much again on average.
    pub(crate) fn leverage(self, terms: &[Term], moments: &Moments, gradient: &[f64]) -> f64 {
        let at = |term: Term| terms.iter().position(|t| *t == term);
        let Some(weight) = at(Term::Weight(Estimator::Ips)).filter(|_| moments.count() >= 2.0)
        else {
            return 0.0;
        };
        let mut unit = vec![0.0; terms.len()];
        unit[weight] = 1.0;
        let (n, mean) = (moments.count(), moments.mean()[weight]);
        match self {
            Estimator::Snips | Estimator::Sndr => {
                // The part of the influence that is a weighted mean's.
                let mut ratio = gradient.to_vec();
                if let Some(modelled) = at(Term::Modelled) {
                    ratio[modelled] = 0.0;
                }
                let square = moments.product(gradient, &ratio);
                let cubic = moments.contract([gradient, &ratio, &unit]);
                (square + cubic / mean) / n
            }
            Estimator::ControlVariate => {
                let spread = moments.comoment(weight, weight);
                if !(spread > 0.0) {
                    return 0.0;
                }
                let square = moments.product(gradient, gradient);
                let quartic = moments.contract([gradient, gradient, &unit, &unit]);
                2.0 * (square / n + quartic / spread)
            }
            _ => 0.0,
        }
    }
}

/// What is averaged over rounds. The weight is the one that the named estimator uses: the importance weight itself for `Ips`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Term {
    Weight(Estimator),
    /// Weight times reward.
    Reward(Estimator),
    /// The model's value of the target.
    Modelled,
    /// Importance weight times residual.
    WeightedResidual,
    /// The model's value plus weight times residual.
    DoublyRobust(Estimator),
    Match,
    MatchedReward,
}

impl Term {
    pub(crate) fn needs_model(self) -> bool {
        matches!(
            self,
            Term::Modelled | Term::WeightedResidual | Term::DoublyRobust(_)
        )
    }
}
