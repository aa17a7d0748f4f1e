//! What is wrong is named.

use hindsight_capacity::limits::{Infeasible, Kind, Limits, Resource};
use hindsight_capacity::{Argument, Error, Model, Shape};

#[test]
fn wrong_limits_are_named() {
    assert_eq!(Limits::new(vec![], 1), Err(Error::Empty(Argument::Limit)));
    for value in [-1.0, f64::NAN, f64::INFINITY] {
        let error = Limits::new(vec![vec![1.0], vec![value]], 1).unwrap_err();
        let Error::Value {
            argument,
            of,
            index,
            ..
        } = error
        else {
            panic!("{error}")
        };
        assert_eq!(
            (argument, of.as_str(), index),
            (Argument::Limit, "resource 1", 0)
        );
    }
    let uneven = Limits::new(vec![vec![1.0; 3], vec![1.0; 2]], 1);
    assert!(matches!(
        uneven,
        Err(Error::Length {
            expected: 3,
            found: 2,
            ..
        })
    ));
}

#[test]
fn a_volume_of_zero_is_named() {
    for volume in [0.0, -1.0, f64::NAN] {
        let error = Resource::new("storage", Kind::Storage, vec![1.0, volume]).unwrap_err();
        assert!(matches!(
            error,
            Error::Value {
                index: 1,
                argument: Argument::Volume,
                ..
            }
        ));
    }
}

#[test]
fn infeasible_limits_are_reported_with_week_and_excess() {
    let limits = Limits::new(vec![vec![9.0, 5.0, 2.0], vec![1.0, 1.0, 1.0]], 1).unwrap();
    let least = [vec![8.0, 7.0, 6.0], vec![1.0, 0.0, 0.0]];
    let found = limits.infeasible(&least).unwrap();
    assert_eq!(
        found,
        Some(Infeasible {
            resource: 0,
            week: 1,
            excess: 2.0
        })
    );
    let enough = [vec![8.0, 4.0, 2.0], vec![0.0; 3]];
    assert_eq!(limits.infeasible(&enough).unwrap(), None);
    let short = [vec![8.0], vec![0.0]];
    assert!(matches!(
        limits.infeasible(&short),
        Err(Error::TooShort {
            needed: 3,
            found: 1
        })
    ));
}

#[test]
fn every_damaged_line_of_a_saved_model_is_told() {
    let text = Model::new(&Shape::new(&[Kind::Storage, Kind::Inbound], 3), 3, 1).to_text();
    let lines: Vec<&str> = text.lines().collect();
    for at in (0..lines.len()).step_by(37) {
        let mut damaged = lines.clone();
        damaged.remove(at);
        assert!(Model::from_text(&damaged.join("\n")).is_err(), "line {at}");
    }
}
