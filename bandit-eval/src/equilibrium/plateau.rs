//! Whether the window of rewards behind a decision is long enough.

use crate::error::{Error, Result, check_finite, check_len};

/// Where a curve of gains against the length of the window becomes flat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub enum Plateau {
    /// From this length on.
    From(usize),
    /// Not before the longest window that was tried: a longer one may give another answer.
    NotReached,
}

/// Returns the least window from which all longer ones agree with the longest, within `tolerance`, given gains by window in ascending order.
/// At least three windows must agree, or nothing is known of those that were not tried.
///
/// Too short a window sees what a change costs and not what it brings; it may turn the sign. Effects of an order end when it has arrived
/// and sold through, so the plateau should begin about lead time plus coverage.
///
/// ```
/// use hindsight_bandit_eval::equilibrium::{Plateau, plateau};
/// let windows = [1, 2, 3, 4, 5, 6];
/// assert_eq!(plateau(&windows, &[-7.0, -6.8, 1.0, 1.38, 1.4, 1.4], 0.05)?, Plateau::From(4));
/// assert_eq!(plateau(&windows, &[-7.0, -5.0, -3.0, -1.0, 0.0, 0.5], 0.05)?, Plateau::NotReached);
/// # Ok::<(), hindsight_bandit_eval::Error>(())
/// ```
///
/// # Errors
/// When lengths differ, there are fewer than three windows, they do not ascend, or a gain is not finite.
pub fn plateau(windows: &[usize], gains: &[f64], tolerance: f64) -> Result<Plateau> {
    check_len("gains", windows.len(), gains.len())?;
    check_finite("gains", gains)?;
    if windows.len() < 3 {
        return Err(Error::TooFew {
            what: "the number of windows",
            needed: 3,
            found: windows.len(),
        });
    }
    if let Some(index) = (1..windows.len()).find(|i| windows[*i] <= windows[i - 1]) {
        #[allow(clippy::cast_precision_loss, reason = "a number of weeks")]
        let (value, min) = (windows[index] as f64, windows[index - 1] as f64);
        return Err(Error::Value {
            what: "windows",
            index,
            value,
            min,
            max: f64::INFINITY,
        });
    }
    let last = gains[gains.len() - 1];
    let agree = gains
        .iter()
        .rev()
        .take_while(|g| (*g - last).abs() <= tolerance)
        .count();
    Ok(if agree < 3 {
        Plateau::NotReached
    } else {
        Plateau::From(windows[windows.len() - agree])
    })
}
