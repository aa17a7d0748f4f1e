//! Operations number by number whose kernel is chosen once for many runs: a function for what is computed, for the machine's instructions, and in
//! reverse for what becomes of the operands' adjoints.
//!
//! Operands are rows. One that has fewer than the results is a single row that goes with all of them.

use super::adjoint::{self, Slopes, To, all_rows};
use super::elementwise::{self, Source};
use super::isa::Isa;
use super::number::Number;
use crate::record::{Binary, Unary};

/// Writes a function of the operands; the second of a function of one number is not read.
pub(crate) type Forward<F> = fn(a: &[F], b: &[F], out: &mut [F]);

/// Adds to the operands' adjoints, or writes them, or leaves them: operands, results, the results' adjoints, the operands'.
pub(crate) type Back<F> = fn(a: &[F], b: &[F], y: &[F], dy: &[F], da: &mut [F], db: &mut [F]);

/// What becomes of an operand's adjoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Left,
    Added,
    Written,
}

impl Fate {
    pub(crate) fn of(wanted: bool, fresh: bool) -> Self {
        match (wanted, fresh) {
            (false, _) => Fate::Left,
            (true, false) => Fate::Added,
            (true, true) => Fate::Written,
        }
    }
}

/// A kernel's body, of which there is one compiled for each set of instructions.
trait Kernel<F: Number> {
    fn forward<const FMA: bool>(a: &[F], b: &[F], out: &mut [F]);
}

trait BackKernel<F: Number> {
    fn back<const FMA: bool>(a: &[F], b: &[F], y: &[F], dy: &[F], da: &mut [F], db: &mut [F]);
}

/// The function that runs a body compiled for the instructions.
macro_rules! chosen {
    ($name:ident, $kernel:ident, $method:ident, $type:ident, ($($arg:ident: $of:ty),*)) => {
        fn $name<F: Number, K: $kernel<F>>(isa: Isa) -> $type<F> {
            match isa {
                #[cfg(target_arch = "x86_64")]
                Isa::Avx2(_) => {
                    fn enter<F: Number, K: $kernel<F>>($($arg: $of),*) {
                        #[target_feature(enable = "avx2,fma")]
                        fn wide<F: Number, K: $kernel<F>>($($arg: $of),*) {
                            K::$method::<true>($($arg),*);
                        }
                        // SAFETY: it is named only after AVX2 and FMA were detected.
                        #[allow(unsafe_code, reason = "a function compiled for detected instructions")]
                        unsafe {
                            wide::<F, K>($($arg),*);
                        }
                    }
                    enter::<F, K>
                }
                #[cfg(target_arch = "x86_64")]
                Isa::Avx512(_) => {
                    fn enter<F: Number, K: $kernel<F>>($($arg: $of),*) {
                        #[target_feature(enable = "avx512f,avx2,fma")]
                        fn wide<F: Number, K: $kernel<F>>($($arg: $of),*) {
                            K::$method::<true>($($arg),*);
                        }
                        // SAFETY: it is named only after AVX-512, AVX2 and FMA were detected.
                        #[allow(unsafe_code, reason = "a function compiled for detected instructions")]
                        unsafe {
                            wide::<F, K>($($arg),*);
                        }
                    }
                    enter::<F, K>
                }
                Isa::Portable => K::$method::<false>,
            }
        }
    };
}

chosen!(forward, Kernel, forward, Forward, (a: &[F], b: &[F], out: &mut [F]));
chosen!(
    back, BackKernel, back, Back,
    (a: &[F], b: &[F], y: &[F], dy: &[F], da: &mut [F], db: &mut [F])
);

/// An operand of so many numbers of results.
#[inline(always)]
fn source<F>(x: &[F], results: usize) -> Source<'_, F> {
    if x.len() < results {
        Source::Repeated(x)
    } else {
        Source::Rows(x)
    }
}

macro_rules! binary_kernels {
    ($($f:ident),*) => {
        $(impl<F: Number> Kernel<F> for adjoint::$f {
            #[inline(always)]
            fn forward<const FMA: bool>(a: &[F], b: &[F], out: &mut [F]) {
                let (a, b) = (source(a, out.len()), source(b, out.len()));
                elementwise::binary_body::<FMA, F>(Binary::$f, a, b, out);
            }
        })*

        /// The kernel of a function of two numbers.
        pub(crate) fn binary<F: Number>(isa: Isa, f: Binary) -> Forward<F> {
            match f {
                $(Binary::$f => forward::<F, adjoint::$f>(isa),)*
            }
        }

        /// The kernel of its adjoint.
        pub(crate) fn binary_back<F: Number>(isa: Isa, f: Binary, fates: [Fate; 2]) -> Option<Back<F>> {
            match f {
                $(Binary::$f => fated::<adjoint::$f, F>(isa, fates),)*
            }
        }
    };
}
binary_kernels!(Add, Sub, Mul, Div, Min, Max);

/// The adjoint of a function of two numbers, `A` and `B` being the fates of the operands' by their numbers.
struct Both<S, const A: u8, const B: u8>(std::marker::PhantomData<S>);

/// What is done with an adjoint, known when the kernel is compiled.
#[inline(always)]
fn to<const FATE: u8, F>(rows: &mut [F]) -> To<'_, F> {
    match FATE {
        0 => To::Nowhere,
        1 => To::Added(rows),
        _ => To::Written(rows),
    }
}

impl<S: Slopes, F: Number, const A: u8, const B: u8> BackKernel<F> for Both<S, A, B> {
    #[inline(always)]
    fn back<const FMA: bool>(a: &[F], b: &[F], _: &[F], dy: &[F], da: &mut [F], db: &mut [F]) {
        let (a, b) = (source(a, dy.len()), source(b, dy.len()));
        all_rows::<S, F>((a, to::<A, F>(da)), (b, to::<B, F>(db)), dy);
    }
}

fn fated<S: Slopes, F: Number>(isa: Isa, fates: [Fate; 2]) -> Option<Back<F>> {
    use Fate::{Added, Left, Written};
    Some(match fates {
        [Left, Left] => return None,
        [Left, Added] => back::<F, Both<S, 0, 1>>(isa),
        [Left, Written] => back::<F, Both<S, 0, 2>>(isa),
        [Added, Left] => back::<F, Both<S, 1, 0>>(isa),
        [Added, Added] => back::<F, Both<S, 1, 1>>(isa),
        [Added, Written] => back::<F, Both<S, 1, 2>>(isa),
        [Written, Left] => back::<F, Both<S, 2, 0>>(isa),
        [Written, Added] => back::<F, Both<S, 2, 1>>(isa),
        [Written, Written] => back::<F, Both<S, 2, 2>>(isa),
    })
}

/// The adjoint of a function of one number, written where `FRESH`.
struct One<K, const FRESH: bool>(std::marker::PhantomData<K>);

macro_rules! unary_kernels {
    ($($f:ident($unary:expr)),*) => {
        $(struct $f;
        impl<F: Number> Kernel<F> for $f {
            #[inline(always)]
            fn forward<const FMA: bool>(a: &[F], _: &[F], out: &mut [F]) {
                elementwise::unary_body::<FMA, F>($unary, source(a, out.len()), out);
            }
        }
        impl<F: Number, const FRESH: bool> BackKernel<F> for One<$f, FRESH> {
            #[inline(always)]
            fn back<const FMA: bool>(a: &[F], _: &[F], y: &[F], dy: &[F], da: &mut [F], _: &mut [F]) {
                adjoint::unary_pull::<FMA, FRESH, F>($unary, Source::Rows(a), y, dy, da);
            }
        })*

        /// The kernel of a function of one number, where there is one.
        pub(crate) fn unary<F: Number>(isa: Isa, f: Unary) -> Option<Forward<F>> {
            $(if f == $unary {
                return Some(forward::<F, $f>(isa));
            })*
            None
        }

        /// The kernel of its adjoint.
        pub(crate) fn unary_back<F: Number>(isa: Isa, f: Unary, fate: Fate) -> Option<Back<F>> {
            $(if f == $unary {
                return match fate {
                    Fate::Left => None,
                    Fate::Added => Some(back::<F, One<$f, false>>(isa)),
                    Fate::Written => Some(back::<F, One<$f, true>>(isa)),
                };
            })*
            None
        }
    };
}
unary_kernels!(
    Copy(Unary::Copy),
    Neg(Unary::Neg),
    Relu(Unary::Relu),
    Abs(Unary::Abs),
    Sqrt(Unary::Sqrt),
    Exp(Unary::Exp),
    Ln(Unary::Ln),
    Softplus(Unary::Softplus),
    Positive(Unary::Positive),
    Detach(Unary::Detach)
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::shape::TILE;
    use crate::scalar::RoundGradient;
    use proptest::prelude::*;

    const ROWS: usize = 3;
    const FATES: [Fate; 3] = [Fate::Left, Fate::Added, Fate::Written];

    /// Rows of a tile of lanes, or of a few groups; the first operand, the second, the adjoints of the results.
    fn operands() -> impl Strategy<Value = (usize, [Vec<f32>; 3])> {
        let number = prop_oneof![-2.0..-0.5_f32, 0.5..2.0_f32];
        prop_oneof![Just(TILE), Just(5), Just(24)].prop_flat_map(move |width| {
            let list = prop::collection::vec(number.clone(), width * ROWS);
            (Just(width), [list.clone(), list.clone(), list])
        })
    }

    fn bits(list: &[f32]) -> Vec<u32> {
        list.iter().map(|x| x.to_bits()).collect()
    }

    /// A target with something in it.
    fn target(fate: Fate, rows: &mut [f32]) -> To<'_, f32> {
        match fate {
            Fate::Left => To::Nowhere,
            Fate::Added => To::Added(rows),
            Fate::Written => To::Written(rows),
        }
    }

    proptest! {
        /// What was chosen beforehand does the same as what is chosen every time, to the bit.
        #[test]
        fn functions_of_two_are_those_of_elementwise_and_adjoint((width, [a, b, dy]) in operands(), single in 0..3_usize) {
            use Binary::{Add, Div, Max, Min, Mul, Sub};
            let part = |list: &'static str, x: &[f32]| if (list == "a" && single == 1) || (list == "b" && single == 2) { x[..width].to_vec() } else { x.to_vec() };
            let (a, b) = (part("a", &a), part("b", &b));
            let (of_a, of_b) = (source(&a, dy.len()), source(&b, dy.len()));
            for isa in Isa::all() {
                for f in [Add, Sub, Mul, Div, Min, Max] {
                    let (mut found, mut expected) = (vec![0.0; dy.len()], vec![0.0; dy.len()]);
                    binary(isa, f)(&a, &b, &mut found);
                    elementwise::binary(isa, f, of_a, of_b, &mut expected);
                    prop_assert_eq!(bits(&found), bits(&expected));
                    for fates in FATES.map(|first| FATES.map(|second| [first, second])).concat() {
                        let room = || (vec![0.25; a.len()], vec![0.25; b.len()]);
                        let ((mut da, mut db), (mut expected_a, mut expected_b)) = (room(), room());
                        if let Some(back) = binary_back(isa, f, fates) {
                            back(&a, &b, &found, &dy, &mut da, &mut db);
                        }
                        let (to_a, to_b) = (target(fates[0], &mut expected_a), target(fates[1], &mut expected_b));
                        adjoint::binary(isa, f, of_a, of_b, &dy, to_a, to_b);
                        prop_assert_eq!((bits(&da), bits(&db)), (bits(&expected_a), bits(&expected_b)));
                    }
                }
            }
        }

        #[test]
        fn functions_of_one_are_those_of_elementwise_and_adjoint((_, [a, _, dy]) in operands()) {
            use Unary::{Abs, Copy, Detach, Exp, Ln, Neg, Positive, Relu, Round, Softplus, Sqrt};
            let a: Vec<f32> = a.iter().map(|x| x.abs()).collect();
            for isa in Isa::all() {
                for f in [Abs, Copy, Detach, Exp, Ln, Neg, Positive, Relu, Softplus, Sqrt] {
                    let (mut y, mut expected) = (vec![0.0; a.len()], vec![0.0; a.len()]);
                    let forward = unary::<f32>(isa, f);
                    prop_assert!(forward.is_some(), "{f:?}");
                    forward.into_iter().for_each(|run| run(&a, &[], &mut y));
                    elementwise::unary(isa, f, Source::Rows(&a), &mut expected);
                    prop_assert_eq!(bits(&y), bits(&expected));
                    for fate in [Fate::Added, Fate::Written] {
                        let (mut da, mut expected) = (vec![0.25; a.len()], vec![0.25; a.len()]);
                        let back = unary_back::<f32>(isa, f, fate);
                        back.into_iter().for_each(|run| run(&a, &[], &y, &dy, &mut da, &mut []));
                        adjoint::unary(isa, f, Source::Rows(&a), &y, &dy, fate == Fate::Written, &mut expected);
                        prop_assert_eq!(bits(&da), bits(&expected));
                    }
                }
                prop_assert!(unary::<f32>(isa, Round(RoundGradient::Zero)).is_none());
            }
        }
    }
}
