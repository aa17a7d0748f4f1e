//! What an index names.

/// The place that an index names among `count`: the nearest whole number (halves to even), if it is one of them.
#[inline(always)]
pub(crate) fn place(index: f64, count: usize) -> Option<usize> {
    let index = index.round_ties_even();
    // NaN is in no range, and minus zero is zero.
    if (0.0..whole(count)).contains(&index) {
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a whole number below a length"
        )]
        return Some(index as usize);
    }
    None
}

#[allow(
    clippy::cast_precision_loss,
    reason = "lengths of arrays are far below 2^52"
)]
#[inline(always)]
pub(super) fn whole(count: usize) -> f64 {
    count as f64
}

/// The number of rows of a table.
pub(crate) fn table_rows(numbers: usize, width: usize) -> usize {
    assert!(
        width > 0 && numbers.is_multiple_of(width),
        "a table of {numbers} numbers has no rows of {width}"
    );
    numbers / width
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Whatever the number, there is a place in range or none; whole numbers in range are their own place.
        #[test]
        fn a_place_is_in_range(index in any::<f64>(), near in -2.0..9.0_f64, count in 0..8_usize, i in 0..8_usize) {
            prop_assert!(place(index, count).is_none_or(|p| p < count));
            let nearest = (0..count).find(|&p| (near.round_ties_even() - whole(p)).abs() < 0.1);
            prop_assert_eq!(place(near, count), nearest);
            prop_assert_eq!(place(whole(i), count), (i < count).then_some(i));
        }
    }

    #[test]
    fn the_edges_of_a_place() {
        assert_eq!(place(f64::NAN, 4), None);
        assert_eq!(place(f64::INFINITY, 4), None);
        assert_eq!(place(-0.5, 4), Some(0));
        assert_eq!(place(-0.6, 4), None);
        assert_eq!(place(3.5, 4), None);
        assert_eq!(place(2.5, 4), Some(2));
        assert_eq!(place(0.0, 0), None);
    }
}
