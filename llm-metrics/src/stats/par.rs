//! One place that decides between threads and a plain loop; the answer is the same.

/// Returns f(0), ..., f(n - 1), on all cores with the feature `rayon`.
#[cfg(feature = "rayon")]
pub(crate) fn map<T: Send>(n: usize, f: impl Fn(usize) -> T + Sync + Send) -> Vec<T> {
    use rayon::iter::{IntoParallelIterator, ParallelIterator};
    (0..n).into_par_iter().map(f).collect()
}

/// Returns f(0), ..., f(n - 1).
#[cfg(not(feature = "rayon"))]
pub(crate) fn map<T>(n: usize, f: impl Fn(usize) -> T) -> Vec<T> {
    (0..n).map(f).collect()
}
