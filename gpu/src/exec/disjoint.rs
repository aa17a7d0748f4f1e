//! Two places of one memory.

use std::ops::Range;

/// A range to write and one to read.
pub(super) fn disjoint<F>(
    values: &mut [F],
    write: Range<usize>,
    read: Range<usize>,
) -> (&mut [F], &[F]) {
    match values.get_disjoint_mut([write, read]) {
        Ok([write, read]) => (write, read),
        // Results come after operands in one slot, and other slots are elsewhere.
        Err(_) => unreachable!("an operation reads what it writes"),
    }
}

/// The adjoint of an operand (which ends where the results begin) and that of the results, both by first number and length.
pub(super) fn two<F>(
    values: &mut [F],
    (write, most): (usize, usize),
    (read, len): (usize, usize),
) -> (&mut [F], &[F]) {
    let end = if write < read {
        (write + most).min(read)
    } else {
        (write + most).min(values.len())
    };
    disjoint(values, write..end, read..read + len)
}
