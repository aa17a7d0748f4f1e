//! Sums of many rows, recorded so that the engine computes many rows at once: the same operation on rows that lie side by side becomes one.

use gpu::Scalar;

/// The sum of some terms, added by halves; zero without any.
pub(super) fn total<S: Scalar>(mut terms: Vec<S>) -> S {
    while terms.len() > 1 {
        let half = terms.len() / 2;
        let mut sums: Vec<S> = (0..half).map(|i| terms[i] + terms[half + i]).collect();
        sums.extend_from_slice(&terms[2 * half..]);
        terms = sums;
    }
    terms.pop().unwrap_or(S::constant(0.0))
}

/// The scalar product of two lists.
pub(super) fn product<S: Scalar>(a: &[S], b: &[S]) -> S {
    total(a.iter().zip(b).map(|(&a, &b)| a * b).collect())
}

/// The sum of some lists, `[list][place]`, each times its weight.
pub(super) fn mixed<S: Scalar>(weights: &[S], lists: &[S]) -> Vec<S> {
    let each = lists.len() / weights.len().max(1);
    let terms = weights.iter().zip(lists.chunks_exact(each.max(1)));
    let terms: Vec<Vec<S>> = terms
        .map(|(&weight, list)| list.iter().map(|&x| weight * x).collect())
        .collect();
    let add = |sums: Vec<S>, list: Vec<S>| sums.iter().zip(list).map(|(&s, x)| s + x).collect();
    terms.into_iter().reduce(add).unwrap_or_default()
}
