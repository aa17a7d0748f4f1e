//! When orders arrive: what happened, and what is known before it happens.

/// Which share of an order arrives how many weeks later: exogenous, so that it can be replayed whatever is ordered.
///
/// A lead time is the special case of one share of 1. Several shares are an order in pieces; a sum below 1 is an order that is not
/// filled, a sum above 1 one that is delivered in excess. What arrives is paid, whatever was ordered. Implementations must be
/// deterministic.
///
/// ```
/// use hindsight_exo_idp::Arrivals;
///
/// /// Two thirds after a week, the rest after three; every fifth week nothing is delivered at all.
/// #[derive(Debug)]
/// struct TwoPieces;
/// impl Arrivals for TwoPieces {
///     fn max_lead_time(&self) -> usize { 3 }
///     fn shares(&self, _product: usize, _sample: usize, week: i64, shares: &mut [f64]) {
///         let filled = if week.rem_euclid(5) == 4 { 0.0 } else { 1.0 };
///         shares.fill(0.0);
///         shares[1] = filled * 2.0 / 3.0;
///         shares[3] = filled / 3.0;
///     }
/// }
/// let mut shares = [0.0; 4];
/// TwoPieces.shares(0, 0, 4, &mut shares);
/// assert_eq!(shares, [0.0; 4]);
/// ```
pub trait Arrivals: std::fmt::Debug + Sync {
    /// The longest time, in weeks, that any part of an order takes.
    fn max_lead_time(&self) -> usize;

    /// Writes the share of an order of `product`, placed in `week`, that arrives 0, 1, …, [`max_lead_time`](Arrivals::max_lead_time)
    /// weeks later: finite numbers, at least zero. `sample` numbers independent paths of the same product; `week` is negative for
    /// orders placed before the first week.
    fn shares(&self, product: usize, sample: usize, week: i64, shares: &mut [f64]);

    /// Writes the [`shares`](Arrivals::shares) of the orders of a run of weeks from `first` on, those of a week side by side: `shares` has
    /// `max_lead_time + 1` numbers a week. Worth an implementation of its own where a week follows from the one before.
    fn run(&self, product: usize, sample: usize, first: i64, shares: &mut [f64]) {
        let weeks = shares.chunks_exact_mut(self.max_lead_time() + 1);
        for (week, shares) in (first..).zip(weeks) {
            self.shares(product, sample, week, shares);
        }
    }
}

/// The law of lead times: what is known of arrivals when policies are fitted.
///
/// [`LeadTimes`](crate::LeadTimes) has one law for all products; another implementation may give every product its own (its vendor's).
///
/// ```
/// use hindsight_exo_idp::policy::LeadTimeLaw;
///
/// /// One vendor delivers after a week, the other after one or two.
/// #[derive(Debug)]
/// struct ByVendor([Vec<f64>; 2]);
/// impl LeadTimeLaw for ByVendor {
///     fn probabilities(&self, product: usize) -> &[f64] { &self.0[product % 2] }
/// }
/// let law = ByVendor([vec![0.0, 1.0], vec![0.0, 0.5, 0.5]]);
/// assert_eq!((law.mean(0), law.mean(1)), (1.0, 1.5));
/// ```
pub trait LeadTimeLaw: std::fmt::Debug + Sync {
    /// The probabilities of a lead time of 0, 1, 2, … weeks for an order of `product`: at least zero, with sum 1.
    fn probabilities(&self, product: usize) -> &[f64];

    /// The mean lead time of a product in weeks.
    #[allow(
        clippy::cast_precision_loss,
        reason = "lead times are far below 2^52 weeks"
    )]
    fn mean(&self, product: usize) -> f64 {
        let law = self.probabilities(product).iter().enumerate();
        law.map(|(v, p)| v as f64 * p).sum()
    }
}
