//! The smallest and the oddest runs, and every error.

use hindsight_gpu::{
    Batch, Cpu, DelayLine, Error, Executor, Part, Program, Scalar, Shape, Start, Step,
    exec::Gradient,
};

const SHAPE: Shape = Shape {
    params: 1,
    lane: 1,
    exo: 2,
    shared: 1,
};

/// Stock with lost sales; the order is the parameter.
fn shop() -> Program {
    Program::record(
        SHAPE,
        |_, inputs| Start {
            state: vec![inputs.lane[0]],
            carry: vec![],
        },
        |_, inputs| {
            let stock = inputs.state[0] + inputs.params[0];
            let sold = stock.min(inputs.exo[0]);
            Step {
                state: vec![stock - sold],
                objective: sold * inputs.exo[1] * inputs.shared[0],
                traces: vec![sold],
            }
        },
    )
}

#[test]
fn wrong_lengths_are_errors_that_name_the_array() {
    let program = shop();
    let length = |array, expected, found| Error::Length {
        array,
        expected,
        found,
    };
    let batch = || Batch::<f64>::new(&program, 3, 2);
    assert_eq!(batch().lane(&[0.0; 4]).err(), Some(length("lane", 3, 4)));
    assert_eq!(batch().exo(&[0.0; 11]).err(), Some(length("exo", 12, 11)));
    assert_eq!(
        batch().shared(&[0.0; 3]).err(),
        Some(length("shared", 2, 3))
    );
    assert_eq!(
        batch().weights(&[0.0; 2]).err(),
        Some(length("weights", 3, 2))
    );
    let run = Cpu::new(1).forward(&program, &[], &batch());
    assert_eq!(run.err(), Some(length("params", 1, 0)));
    let run = Cpu::new(1).gradient(&program, &[1.0, 2.0], &batch());
    assert_eq!(run.err(), Some(length("params", 1, 2)));
    assert_eq!(
        length("exo", 12, 11).to_string(),
        "exo: 11 values, expected 12"
    );
}

#[test]
fn a_batch_of_another_program_is_an_error() {
    let other = |shape: Shape| Program::record(shape, |_, _| Start::default(), |_, _| Step::new());
    for (array, shape, expected, found) in [
        (
            "lane inputs of the batch's program",
            Shape { lane: 4, ..SHAPE },
            1,
            4,
        ),
        (
            "exo inputs of the batch's program",
            Shape { exo: 5, ..SHAPE },
            2,
            5,
        ),
        (
            "shared inputs of the batch's program",
            Shape { shared: 0, ..SHAPE },
            1,
            0,
        ),
    ] {
        let elsewhere = other(shape);
        let batch = Batch::<f32>::new(&elsewhere, 1, 1);
        let run = Cpu::new(1).forward(&shop(), &[0.0], &batch);
        let error = Error::Length {
            array,
            expected,
            found,
        };
        assert_eq!(run.err(), Some(error));
    }
    // Parameters are not the batch's business.
    let more = other(Shape { params: 9, ..SHAPE });
    assert!(
        Cpu::new(1)
            .forward(&shop(), &[0.0], &Batch::<f32>::new(&more, 1, 1))
            .is_ok()
    );
}

#[test]
fn empty_runs_are_errors() {
    let program = shop();
    let run = |batch: &Batch<'_, f64>| Cpu::new(2).gradient(&program, &[1.0], batch).err();
    let no_lanes = Some(Error::Empty("the number of lanes"));
    let no_periods = Some(Error::Empty("the number of periods"));
    assert_eq!(run(&Batch::new(&program, 0, 3)), no_lanes);
    assert_eq!(run(&Batch::new(&program, 3, 0)), no_periods);
    let part = |part: Part<'_>| of_part(&program, 3, &part).err();
    assert_eq!(part(Part::lanes(&[])), no_lanes);
    assert_eq!(part(Part::groups(&[])), no_lanes);
    assert_eq!(part(Part::all().periods(2..2)), no_periods);
}

/// The gradient of a part of three lanes.
fn of_part(program: &Program, periods: usize, part: &Part<'_>) -> Result<Gradient<f64>, Error> {
    let cpu = Cpu::new(2);
    cpu.open(program, Batch::new(program, 3, periods))
        .and_then(|mut session| session.gradient(part))
}

#[test]
fn lanes_and_periods_that_do_not_exist_are_errors() {
    let program = shop();
    let range = |what, index, limit| Some(Error::Range { what, index, limit });
    let part = |part: Part<'_>| of_part(&program, 4, &part).err();
    assert_eq!(part(Part::lanes(&[0, 3])), range("lane", 3, 3));
    assert_eq!(part(Part::groups(&[0, 1])), range("group", 1, 1));
    let late = Part::all().periods(1..5);
    assert_eq!(part(late), range("end of periods", 5, 5));
    #[allow(clippy::reversed_empty_ranges, reason = "the mistake to be caught")]
    let backwards = Part::all().periods(3..1);
    assert_eq!(part(backwards), range("start of periods", 3, 2));
}

#[test]
fn groups_that_do_not_fit_are_errors() {
    let program = shop();
    let batch = || Batch::<f64>::new(&program, 5, 1);
    let empty = Error::Empty("the number of lanes of a group");
    assert_eq!(batch().groups(&[2, 0, 3]).err(), Some(empty));
    let wrong = Error::Length {
        array: "lanes of the groups",
        expected: 5,
        found: 4,
    };
    assert_eq!(batch().groups(&[2, 2]).err(), Some(wrong));
    let cpu = Cpu::new(1);
    let grouped = batch().groups(&[2, 3]).expect("five lanes");
    let mut session = cpu.open(&program, grouped).expect("a session");
    let lanes = session.forward(&Part::lanes(&[1])).err();
    assert_eq!(lanes, Some(Error::LanesOfGroups));
}

#[test]
fn parameters_that_do_not_exist_cannot_be_trained() {
    let beyond = shop().train(&[0..1, 1..2]).err();
    let expected = Error::Range {
        what: "end of trained parameters",
        index: 2,
        limit: 2,
    };
    assert_eq!(beyond, Some(expected));
}

/// No parameter, no state, no input: the objective is a constant, its gradient empty.
#[test]
fn a_program_of_nothing_runs() {
    let program = Program::record(
        Shape::default(),
        |_, _| Start::default(),
        |_, _| Step {
            objective: Scalar::constant(2.0),
            ..Step::new()
        },
    );
    for lanes in [1, 64, 65, 128, 129] {
        let batch = Batch::<f64>::new(&program, lanes, 3).differentiate_inputs();
        let run = Cpu::new(2).forward(&program, &[], &batch).expect("a run");
        assert_eq!(run.objective, vec![6.0; lanes]);
        assert!(run.traces.is_empty() && run.state.is_empty());
        let gradient = Cpu::new(2).gradient(&program, &[], &batch).expect("a run");
        assert!((gradient.objective - 6.0).abs() < 1e-14);
        assert!(gradient.params.is_empty() && gradient.lane.is_empty() && gradient.exo.is_empty());
    }
}

/// Looking back further than the horizon reads zeros, and nothing flows back through them.
#[test]
fn a_reach_beyond_the_horizon_reads_zeros() {
    let program = Program::record(
        Shape {
            params: 1,
            exo: 1,
            ..Shape::default()
        },
        |_, _| Start::default(),
        |_, inputs| {
            let x = inputs.exo[0] * inputs.params[0];
            Step {
                objective: x
                    + x.delay(7, &mut DelayLine::new())
                    + x.delay(2, &mut DelayLine::new()),
                ..Step::new()
            }
        },
    );
    for periods in [1, 2, 3, 7, 8, 9, 20] {
        let exo: Vec<f64> = (1..=periods).map(f64::from).collect();
        let count = exo.len();
        let batch = Batch::new(&program, 1, count)
            .exo(&exo)
            .expect("one number a period");
        let up_to = |n: i32| f64::from(n.max(0) * (n + 1).max(0) / 2);
        let expected = up_to(periods) + up_to(periods - 7) + up_to(periods - 2);
        let run = Cpu::new(1)
            .forward(&program, &[2.0], &batch)
            .expect("a run");
        assert_eq!(run.objective, [2.0 * expected], "{periods} periods");
        let gradient = Cpu::new(1)
            .gradient(&program, &[2.0], &batch)
            .expect("a run");
        assert_eq!(gradient.params, [expected], "{periods} periods");
    }
}

/// Memory of different call sites in the start block: nothing has a past there, in any number type.
#[test]
fn the_start_has_no_past() {
    fn start<S: Scalar>(x: S) -> S {
        x + (x * x).delay(1, &mut DelayLine::new())
    }
    let program = Program::record(
        Shape {
            lane: 1,
            ..Shape::default()
        },
        |_, inputs| Start {
            state: vec![],
            carry: vec![start(inputs.lane[0])],
        },
        |_, inputs| Step {
            objective: inputs.carry[0],
            ..Step::new()
        },
    );
    let batch = Batch::new(&program, 1, 1)
        .lane(&[3.0_f64])
        .expect("one lane");
    let run = Cpu::new(1).forward(&program, &[], &batch).expect("a run");
    assert_eq!(run.objective, [start(3.0_f64)]);
}

/// A recording inside a recording, and one that is given up by a panic, leave the outer one as it was.
#[test]
fn recordings_nest() {
    let program = Program::record(
        Shape {
            lane: 1,
            ..Shape::default()
        },
        |_, _| Start::default(),
        |_, inputs| {
            let before = inputs.lane[0] * inputs.lane[0];
            let inner = shop();
            assert_eq!(inner.states(), 1);
            let failed = std::panic::catch_unwind(|| {
                Program::record(
                    Shape::default(),
                    |_, _| Start::default(),
                    |_, _| panic!("given up"),
                )
            });
            assert!(failed.is_err());
            Step {
                objective: before + inputs.lane[0],
                ..Step::new()
            }
        },
    );
    let batch = Batch::new(&program, 1, 1)
        .lane(&[3.0_f64])
        .expect("one lane");
    let run = Cpu::new(1).forward(&program, &[], &batch).expect("a run");
    assert_eq!(run.objective, [12.0]);
}

#[test]
#[should_panic(expected = "as many states as the start")]
fn a_lost_state_is_a_broken_program() {
    let _ = Program::record(
        Shape::default(),
        |_, _| Start {
            state: vec![Scalar::constant(0.0)],
            carry: vec![],
        },
        |_, _| Step::new(),
    );
}
