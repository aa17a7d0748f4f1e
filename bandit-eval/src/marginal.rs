//! Groups of actions: weights of what an action is made of, instead of the action itself.

use crate::error::{Error, Result, check_len};
use crate::round::{Round, Weighted};

/// Returns a round's weight by the group of its action: the target's probability of the group over the logging policy's.
///
/// Where the reward depends on an action through its group alone (a category, a price band, an order size), the weights are smaller and
/// `Ips`, `Snips` and `Dr` stay right; where it does not, they are biased, by as much as rewards differ within groups. `group` gives
/// every action's group. The round must have the logging policy's row. Source: Saito and Joachims (2022), "MIPS".
///
/// ```
/// use hindsight_bandit_eval::{Round, marginal};
/// let round = Round {
///     action: 2,
///     reward: 1.0,
///     propensity: 0.1,
///     target: &[0.1, 0.1, 0.8],
///     predicted: None,
///     logging: Some(&[0.5, 0.4, 0.1]),
/// };
/// assert_eq!(round.weighted(0)?.weight, 8.0);
/// assert!((marginal(&round, &[0, 1, 1], 0)?.weight - 1.8).abs() < 1e-12);
/// # Ok::<(), hindsight_bandit_eval::Error>(())
/// ```
///
/// # Errors
/// As [`Round::weighted`], and when there is not one group per action, or the logging policy's row is missing.
pub fn marginal(round: &Round<'_>, group: &[usize], number: u64) -> Result<Weighted> {
    let weighted = round.weighted(number)?;
    let logging = round.logging.unwrap_or_default();
    check_len("groups", round.target.len(), group.len())?;
    check_len(
        "probabilities of the logging policy",
        round.target.len(),
        logging.len(),
    )?;
    let mine = group[round.action];
    let of = |row: &[f64]| -> f64 {
        let rows = row.iter().zip(group).filter(|(_, g)| **g == mine);
        rows.map(|(p, _)| p).sum()
    };
    let propensity = of(logging).min(1.0);
    let weight = of(round.target) / propensity;
    if !(propensity > 0.0) {
        return Err(Error::Propensity {
            round: number,
            value: propensity,
        });
    }
    Ok(Weighted {
        weight,
        propensity,
        ..weighted
    })
}
