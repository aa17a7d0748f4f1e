//! Sums over the lanes of whole rows.
//!
//! A row is added up by halves: its second half to its first, and so on down to one number. Registers of any width do so with the same sums
//! in the same order.

use super::register::{Register, Single};

/// Multiplies rows by their slopes (unless there are none) and adds their totals to `sums` (which may be empty); a row is `N` registers.
///
/// # Safety
/// The instructions of the register; `slope` is empty or holds as many rows as `rows`; `N` registers are a row.
#[inline(always)]
pub(super) unsafe fn scale_of<R: Single, const N: usize>(
    rows: &mut [f32],
    slope: &[f32],
    sums: &mut [f32],
) {
    let lanes = N * R::LANES;
    for (o, row) in rows.chunks_exact_mut(lanes).enumerate() {
        // SAFETY: by the caller's promise.
        unsafe {
            let mut values = <[R; N]>::load(row.as_ptr());
            if !slope.is_empty() {
                values = values.mul(<[R; N]>::load(slope.as_ptr().add(o * lanes)));
                values.store(row.as_mut_ptr());
            }
            if let Some(sum) = sums.get_mut(o) {
                *sum += total(values);
            }
        }
    }
}

/// Adds to `out` the scalar products of `a` with each row; a row is `N` registers.
///
/// # Safety
/// The instructions of the register; `N` registers are a row, and `a` is one.
#[inline(always)]
pub(super) unsafe fn dots_of<R: Single, const N: usize>(a: &[f32], rows: &[f32], out: &mut [f32]) {
    // SAFETY: by the caller's promise; a row has as many numbers.
    unsafe {
        let a = <[R; N]>::load(a.as_ptr());
        for (out, row) in out.iter_mut().zip(rows.chunks_exact(N * R::LANES)) {
            let b = <[R; N]>::load(row.as_ptr());
            let mut sums = a.mul(b);
            // The second half of the products goes to the first's sums.
            for n in 0..N / 2 {
                sums[n] = a[n + N / 2].madd(b[n + N / 2], sums[n]);
            }
            *out += total_of_first::<R, N>(sums, N / 2);
        }
    }
}

/// The sum of all numbers.
///
/// # Safety
/// The instructions of the register; a power of two of them.
#[inline(always)]
unsafe fn total<R: Single, const N: usize>(values: [R; N]) -> f32 {
    // SAFETY: by the caller's promise.
    unsafe { total_of_first(values, N) }
}

/// The sum of the numbers of the first `count` registers.
///
/// # Safety
/// As [`total`], with `count` a power of two.
#[inline(always)]
unsafe fn total_of_first<R: Single, const N: usize>(mut values: [R; N], count: usize) -> f32 {
    let mut half = count / 2;
    while half > 0 {
        for n in 0..half {
            // SAFETY: by the caller's promise.
            values[n] = unsafe { values[n].add(values[n + half]) };
        }
        half /= 2;
    }
    // SAFETY: as above.
    unsafe { values[0].total() }
}
