//! Classes: logits of any size, masks, indices that name nothing, and what a likelihood keeps.

use hindsight_gpu::laws::random::{cast, distance};
use hindsight_gpu::nn::{Dense, Embedding, Layout};
use hindsight_gpu::numbers::{Dual, Lanes, Tangent};
use hindsight_gpu::{
    Batch, Cpu, Error, Executor, Program, Real, Scalar, Shape, Start, Step, exec::Gradient,
    nn::Activation,
};
use proptest::prelude::*;

/// A classifier: a vector looked up, a layer, and the log-likelihood of a class, weighted.
#[derive(Debug, Clone, Copy)]
struct Classifier {
    table: Embedding,
    head: Dense,
    params: usize,
}

impl Classifier {
    fn new(tokens: usize, width: usize, classes: usize) -> Self {
        let mut layout = Layout::new();
        let table = layout.embedding(tokens, width);
        let head = layout.dense(width, classes);
        Classifier {
            table,
            head,
            params: layout.params(),
        }
    }

    /// The likelihood of `class` after `token`, with `by` put between the logits and the shares.
    fn likelihood<S: Scalar>(&self, theta: &[S], token: S, class: S, by: impl Fn(S) -> S) -> S {
        let (mut vector, mut logits, mut logs) = (Vec::new(), Vec::new(), Vec::new());
        self.table.apply(theta, token, &mut vector);
        self.head
            .apply(theta, &[&vector], Activation::Identity, &mut logits);
        let logits: Vec<S> = logits.into_iter().map(by).collect();
        S::log_softmax(&logits, &mut logs);
        S::pick(&logs, class)
    }

    fn program(&self, fused: bool) -> Program {
        let shape = Shape {
            params: self.params,
            exo: 2,
            ..Shape::default()
        };
        Program::record(
            shape,
            |_, _| Start::default(),
            |_, i| {
                let two = Scalar::constant(2.0);
                // Doubling and halving changes nothing but that the logits have another reader.
                let by = |x| if fused { x } else { x * two / two };
                let objective = self.likelihood(i.params, i.exo[0], i.exo[1], by);
                Step {
                    objective,
                    ..Step::new()
                }
            },
        )
    }
}

/// Parameters, tokens and classes of a few lanes and periods.
#[derive(Debug, Clone)]
struct Case {
    tokens: usize,
    width: usize,
    classes: usize,
    theta: Vec<f64>,
    /// `[period][token or class][lane]`
    exo: Vec<f64>,
    lanes: usize,
    periods: usize,
}

fn cases(size: f64) -> impl Strategy<Value = Case> {
    let sizes = (1..6_usize, 1..9_usize, 1..20_usize, 1..80_usize, 1..4_usize);
    sizes.prop_flat_map(move |(tokens, width, classes, lanes, periods)| {
        let params = Classifier::new(tokens, width, classes).params;
        let index = |limit: usize| prop::collection::vec(0..limit, lanes * periods);
        let theta = prop::collection::vec(-size..size, params);
        (theta, index(tokens), index(classes)).prop_map(move |(theta, token, class)| {
            let row = |of: &[usize], t: usize| -> Vec<f64> {
                let row = &of[t * lanes..(t + 1) * lanes];
                row.iter()
                    .map(|&i| u32::try_from(i).map_or(f64::NAN, f64::from))
                    .collect()
            };
            let exo = (0..periods).flat_map(|t| [row(&token, t), row(&class, t)].concat());
            Case {
                tokens,
                width,
                classes,
                theta,
                exo: exo.collect(),
                lanes,
                periods,
            }
        })
    })
}

impl Case {
    fn classifier(&self) -> Classifier {
        Classifier::new(self.tokens, self.width, self.classes)
    }

    fn gradient<F: Real>(&self, fused: bool, threads: usize) -> Gradient<F>
    where
        Cpu: Executor<F>,
    {
        let program = self.classifier().program(fused);
        let (theta, exo) = (cast::<F>(&self.theta), cast::<F>(&self.exo));
        let batch = Batch::new(&program, self.lanes, self.periods);
        let batch = batch.exo(&exo).expect("inputs of the right length");
        Cpu::new(threads)
            .gradient(&program, &theta, &batch)
            .expect("a run")
    }

    /// The mean objective, directly.
    fn direct<S: Scalar>(&self, theta: &[S]) -> S {
        let mut sum = S::constant(0.0);
        for rows in self.exo.chunks_exact(2 * self.lanes) {
            for lane in 0..self.lanes {
                let (token, class) = (rows[lane], rows[self.lanes + lane]);
                let (token, class) = (S::constant(token), S::constant(class));
                sum = sum + self.classifier().likelihood(theta, token, class, |x| x);
            }
        }
        sum / S::constant(u32::try_from(self.lanes).map_or(f64::NAN, f64::from))
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// The operation that keeps no row a class gives the derivatives of duals, and those of the three operations that it is made of.
    #[test]
    fn a_likelihood_is_its_three_parts(case in cases(1.5)) {
        let (fused, parts) = (case.gradient::<f64>(true, 1), case.gradient::<f64>(false, 2));
        prop_assert!(distance(&fused.params, &parts.params) < 1e-12);
        prop_assert!((fused.objective - case.direct(&case.theta)).abs() < 1e-11 * fused.objective.abs().max(1.0));
        let slope = |i: usize| {
            let theta: Vec<Dual> = case.theta.iter().enumerate().map(|(k, &x)| {
                if k == i { Dual::variable(x) } else { Dual::constant(x) }
            }).collect();
            case.direct(&theta).derivative()
        };
        let some: Vec<usize> = (0..case.theta.len()).step_by(1 + case.theta.len() / 12).collect();
        let found: Vec<f64> = some.iter().map(|&i| fused.params[i]).collect();
        let expected: Vec<f64> = some.iter().map(|&i| slope(i)).collect();
        prop_assert!(distance(&found, &expected) < 1e-11, "{found:?} {expected:?}");
    }

    /// Logits of any size: nothing overflows, and single precision follows double precision as far as its logits do, which are
    /// right to a unit in the last place of the largest.
    #[test]
    fn logits_of_any_size(case in cases(60.0)) {
        let (single, double) = (case.gradient::<f32>(true, 1), case.gradient::<f64>(true, 1));
        prop_assert!(single.params.iter().all(|x| x.is_finite()) && single.objective.is_finite());
        // At most nine products of up to 3,600, in sums of as many steps; over at most three periods.
        let limit = 3.0 * 10.0 * 9.0 * 3600.0 * f64::from(f32::EPSILON);
        prop_assert!((single.objective - double.objective).abs() <= limit);
        let wide: Vec<f64> = single.params.iter().map(|&x| f64::from(x)).collect();
        prop_assert!(distance(&wide, &double.params) < limit);
    }

    /// The same bits for any number of threads.
    #[test]
    fn threads_give_the_same_bits(case in cases(2.0)) {
        let bits = |threads| case.gradient::<f32>(true, threads).params.into_iter().map(f32::to_bits).collect::<Vec<_>>();
        prop_assert_eq!(bits(1), bits(3));
    }

    /// The number types agree on what an index names, whatever it is.
    #[test]
    fn number_types_agree(xs in prop::collection::vec(-9.0..9.0_f64, 1..7), index in prop_oneof![-2.0..9.0_f64, Just(f64::NAN), Just(f64::INFINITY)]) {
        let same = |a: f64, b: f64| a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan());
        let value = f64::pick(&xs, index);
        let duals: Vec<Dual> = xs.iter().map(|&x| Dual::variable(x)).collect();
        let dual = Dual::pick(&duals, Dual::constant(index));
        let tangents: Vec<Tangent<f64>> = xs.iter().map(|&x| Tangent::new(x, 1.0)).collect();
        let tangent = Tangent::pick(&tangents, Tangent::constant(index));
        let slope = if value.is_nan() { 0.0 } else { 1.0 };
        prop_assert!(same(value, dual.value()) && same(slope, dual.derivative()));
        prop_assert!(same(value, tangent.value) && same(slope, tangent.slope));
        let lanes: Vec<Lanes<2>> = xs.iter().map(|&x| Lanes::constant(x)).collect();
        let of_lanes = Lanes::pick(&lanes, Lanes::constant(index)).to_array();
        let single: Vec<f32> = cast(&xs);
        let [index] = cast::<f32>(&[index])[..] else { unreachable!("one number") };
        let alone = f64::from(f32::pick(&single, index));
        prop_assert!(of_lanes.iter().all(|&x| same(x.into(), alone)));
        // A table of one column is picked from.
        let mut row = Vec::new();
        f32::lookup(&single, 1, index, &mut row);
        Tangent::lookup(&tangents, 1, Tangent::constant(index.into()), &mut Vec::new());
        prop_assert!(row.len() == 1 && same(row[0].into(), alone));
    }

    /// A mask of minus infinity takes a class out: the others' shares are those without it, and no derivative reaches it.
    #[test]
    fn a_masked_class_is_not_there(xs in prop::collection::vec(-1e4..1e4_f64, 2..7), at in 0..7_usize, seen in 0..7_usize) {
        let (at, n) = (at % xs.len(), xs.len());
        let seen = if seen % n == at { (at + 1) % n } else { seen % n };
        let logs = |xs: &[Dual]| {
            let mut out = Vec::new();
            Dual::log_softmax(xs, &mut out);
            out
        };
        let mut masked: Vec<Dual> = xs.iter().map(|&x| Dual::constant(x)).collect();
        masked[seen] = Dual::variable(xs[seen]);
        let mut rest = masked.clone();
        rest.remove(at);
        masked[at] = Dual::constant(f64::NEG_INFINITY);
        let (all, rest) = (logs(&masked), logs(&rest));
        prop_assert!(all[at].value() == f64::NEG_INFINITY);
        let (mine, alone) = (all[seen], rest[if seen > at { seen - 1 } else { seen }]);
        prop_assert!((mine.value() - alone.value()).abs() < 1e-9 && (mine.derivative() - alone.derivative()).abs() < 1e-12);
        prop_assert!(rest.iter().map(|x| x.value().exp()).sum::<f64>() - 1.0 < 1e-9);
    }
}

/// A recorded mask, in both number types and through both forms: a lane's masked class has no derivative and no share.
#[test]
fn a_recorded_mask() {
    fn run<F: Real>() -> Gradient<F>
    where
        Cpu: Executor<F>,
    {
        let shape = Shape {
            params: 4,
            exo: 2,
            ..Shape::default()
        };
        let program = Program::record(
            shape,
            |_, _| Start::default(),
            |_, i| {
                let (mut logits, mut logs) = (i.params.to_vec(), Vec::new());
                let none = Scalar::constant(f64::NEG_INFINITY);
                logits[2] = Scalar::select(i.exo[0], none, logits[2]);
                Scalar::log_softmax(&logits, &mut logs);
                Step {
                    objective: Scalar::pick(&logs, i.exo[1]),
                    ..Step::new()
                }
            },
        );
        let exo = cast::<F>(&[1.0, 1.0, 0.0, 3.0]);
        let batch = Batch::new(&program, 2, 1).exo(&exo).expect("two lanes");
        let theta = cast::<F>(&[0.0, 1e4, 1e4, -1e4]);
        Cpu::new(1)
            .gradient(&program, &theta, &batch)
            .expect("a run")
    }
    // The first lane sees its class 0 beside 1, 2 masked; the second class 3 beside 1.
    let double = run::<f64>();
    assert!((double.objective + 1.5e4).abs() < 1e-9);
    assert!(distance(&double.params, &[0.5, -1.0, 0.0, 0.5]) < 1e-12);
    let single = run::<f32>();
    assert!((single.objective + 1.5e4).abs() < 1e-2);
    let wide: Vec<f64> = single.params.iter().map(|&x| f64::from(x)).collect();
    assert!(distance(&wide, &[0.5, -1.0, 0.0, 0.5]) < 1e-6);
}

/// An input that is used as an index is looked at before the run; the error says where and what.
#[test]
fn a_wrong_index_is_an_error() {
    let program = Classifier::new(3, 2, 5).program(true);
    let theta = vec![0.1; program.shape().params];
    let run = |exo: &[f64]| {
        let batch = Batch::new(&program, 2, 2).exo(exo).expect("two lanes");
        Cpu::new(1).gradient(&program, &theta, &batch).err()
    };
    let good = [0.0, 2.0, 4.0, 0.0, 1.0, 1.0, 3.0, 2.0];
    assert_eq!(run(&good), None);
    let wrong = |at: usize, value: f64| {
        let mut exo = good;
        exo[at] = value;
        run(&exo)
    };
    let error = |input, period, lane, value, classes| {
        let array = "exo";
        Some(Error::Index {
            array,
            input,
            lane,
            period,
            value,
            classes,
        })
    };
    assert_eq!(wrong(1, 3.0), error(0, 0, 1, 3.0, 3));
    assert_eq!(wrong(6, 5.0), error(1, 1, 0, 5.0, 5));
    assert_eq!(wrong(7, -1.0), error(1, 1, 1, -1.0, 5));
    assert_eq!(wrong(7, 1.5), error(1, 1, 1, 1.5, 5));
    assert!(matches!(wrong(0, f64::NAN), Some(Error::Index { value, .. }) if value.is_nan()));
}

/// A computed index that names nothing poisons the objective and leaves the parameters' derivatives alone; the other lanes' stay.
#[test]
fn a_computed_index_that_names_nothing_is_not_a_number() {
    let classifier = Classifier::new(2, 1, 3);
    for fused in [true, false] {
        let shape = Shape {
            params: classifier.params,
            exo: 1,
            ..Shape::default()
        };
        let program = Program::record(
            shape,
            |_, _| Start::default(),
            |_, i| {
                let one = Scalar::constant(1.0);
                let by = |x| {
                    if fused {
                        x
                    } else {
                        x * one + Scalar::constant(0.0)
                    }
                };
                let class = i.exo[0] * Scalar::constant(4.0);
                let objective = classifier.likelihood(i.params, one, class, by);
                Step {
                    objective,
                    traces: vec![objective],
                    ..Step::new()
                }
            },
        );
        let exo = [0.5_f64, 1.0];
        let batch = Batch::new(&program, 2, 1).exo(&exo).expect("two lanes");
        let theta = vec![0.3; classifier.params];
        let run = Cpu::new(1)
            .forward(&program, &theta, &batch)
            .expect("a run");
        assert!((run.traces[0] + 3.0_f64.ln()).abs() < 1e-12 && run.traces[1].is_nan());
        let gradient = Cpu::new(1)
            .gradient(&program, &theta, &batch)
            .expect("a run");
        assert!(gradient.params.iter().all(|x| x.is_finite()));
    }
}

/// A fault planted on purpose: the neighbour of one lane's class, which the comparison with direct evaluation must see.
#[test]
fn the_wrong_class_is_caught() {
    let case = Case {
        tokens: 2,
        width: 2,
        classes: 4,
        theta: (0..16_u32).map(|i| f64::from(i % 5) * 0.3 - 0.5).collect(),
        exo: vec![0.0, 1.0, 1.0, 2.0],
        lanes: 2,
        periods: 1,
    };
    assert_eq!(case.theta.len(), case.classifier().params);
    let gap = |case: &Case, exact: &Case| {
        (case.gradient::<f64>(true, 1).objective - exact.direct(&exact.theta)).abs()
    };
    assert!(gap(&case, &case) < 1e-14);
    let mut planted = case.clone();
    planted.exo[3] = 3.0;
    assert!(gap(&planted, &case) > 1e-3);
    let slopes = |case: &Case| case.gradient::<f64>(true, 1).params;
    assert!(distance(&slopes(&planted), &slopes(&case)) > 1e-2);
}
