//! The kinds of record: what a back-test must say of them.

use serde_json::Value;

use super::Expected::Results;
use super::{Kind, WEEKS, plain, record, units};

const UNTUNED: [&str; 2] = [
    "target position, untuned",
    "target position, mean lead time",
];

fn policy<'a>(results: &'a Value, name: &str) -> &'a Value {
    let policies = results["policies"].as_array().unwrap();
    policies.iter().find(|own| own["name"] == name).unwrap()
}

fn mean(results: &Value, name: &str) -> f64 {
    policy(results, name)["mean"].as_f64().unwrap()
}

fn notices(results: &Value, words: &str) -> bool {
    let notices = results["notices"].as_array().unwrap();
    notices
        .iter()
        .any(|notice| notice.as_str().unwrap().contains(words))
}

fn tested(
    name: &'static str,
    file: String,
    arguments: &'static [&'static str],
    law: fn(&Value) -> bool,
) -> Kind {
    Kind {
        name,
        file,
        arguments,
        expected: Results(law),
    }
}

fn all_policies(results: &Value, law: impl Fn(&Value) -> bool) -> bool {
    results["policies"].as_array().unwrap().iter().all(law)
}

fn constant() -> String {
    plain(|_, _| Some(10))
}

/// What is known beside demand.
pub(crate) fn covariates_and_stock() -> Vec<Kind> {
    let covariate = |value: fn(usize, usize) -> usize| {
        record(3, "demand,price,cost,extra", move |p, w| {
            Some((
                w.to_string(),
                format!("{},10,6,{}", units(p, w), value(p, w)),
            ))
        })
    };
    let stock = |sold_out: fn(usize, usize) -> bool| {
        record(3, "sold,in_stock,price,cost", move |p, w| {
            let share = if sold_out(p, w) { 0.5 } else { 1.0 };
            Some((w.to_string(), format!("{},{share},10,6", units(p, w))))
        })
    };
    vec![
        tested(
            "a covariate that is demand",
            covariate(units),
            &["--covariate", "extra"],
            |r| !notices(r, "know the future"),
        ),
        tested(
            "a plan that is demand",
            covariate(units),
            &["--planned", "extra"],
            |r| notices(r, "covariate \"extra\" equals demand"),
        ),
        tested(
            "never in stock throughout",
            stock(|p, _| p == 0),
            &["--sales", "sold", "--in-stock", "in_stock"],
            |r| {
                notices(
                    r,
                    "1 product whose demand is known in no week (never in stock throughout one) was left out: p0",
                )
            },
        ),
        tested(
            "one week in six sold out, a long lead time",
            stock(|p, w| (w + p).is_multiple_of(6)),
            &[
                "--sales",
                "sold",
                "--in-stock",
                "in_stock",
                "--lead-time",
                "6",
            ],
            |r| mean(r, UNTUNED[0]) > 0.8 * mean(r, "constant order"),
        ),
        tested(
            "closed weeks known ahead",
            record(3, "demand,price,cost,open", |p, w| {
                let open = usize::from(!w.is_multiple_of(3));
                Some((w.to_string(), format!("{},10,6,{open}", open * units(p, w))))
            }),
            &[
                "--planned",
                "open",
                "--lead-time",
                "1",
                "--holding-share",
                "0.15",
            ],
            |r| mean(r, "promotion-aware newsvendor") > mean(r, "base stock"),
        ),
    ]
}

/// Terms of the replay.
pub(crate) fn terms() -> Vec<Kind> {
    vec![
        tested("a long lead time", constant(), &["--lead-time", "8"], |r| {
            UNTUNED
                .iter()
                .all(|name| (8.0..=10.5).contains(&policy(r, name)["ordered"].as_f64().unwrap()))
        }),
        tested(
            "a lead time beyond the held-out weeks",
            constant(),
            &["--lead-time", "20", "--held-out", "10"],
            |r| notices(r, "are not shorter than the 10 weeks scored"),
        ),
        tested(
            "sums of four weeks",
            plain(|p, w| w.is_multiple_of(4).then(|| units(p, w))),
            &["--held-out", "16"],
            |r| notices(r, "not recorded; a file of monthly or four-weekly sums"),
        ),
        tested(
            "prices below cost",
            plain(|p, w| Some(units(p, w))).replace(",10,6\n", ",5,6\n"),
            &["--lead-time", "1"],
            |r| policy(r, UNTUNED[0])["ordered"].as_f64().unwrap() < 0.01,
        ),
        tested(
            "every cost and unit by hand",
            constant(),
            &[
                "--discount",
                "1",
                "--holding-share",
                "0",
                "--lead-time",
                "1-3",
            ],
            |r| {
                (r["bound"].as_f64().unwrap() - 40.0).abs() < 1e-6
                    && (mean(r, "constant order") - 40.0).abs() < 1e-4
            },
        ),
        tested(
            "every other week",
            plain(|p, w| w.is_multiple_of(2).then(|| units(p, w))),
            &["--lead-time", "1"],
            |r| mean(r, UNTUNED[0]) > 0.8 * mean(r, "base stock"),
        ),
    ]
}

/// How demand runs.
pub(crate) fn courses_of_demand() -> Vec<Kind> {
    vec![
        tested(
            "a product without demand",
            plain(|p, w| Some(if p == 0 { 0 } else { units(p, w) })),
            &[],
            |r| all_policies(r, |p| p["mean"].is_number()),
        ),
        tested("no demand at all", plain(|_, _| Some(0)), &[], |r| {
            all_policies(r, |p| p["share_of_bound"].is_null())
        }),
        tested(
            "a launch in the held-out weeks",
            plain(|p, w| (p < 2 || w > 50).then(|| units(p, w))),
            &[],
            |r| notices(r, "was left out: p2"),
        ),
        tested(
            "a launch padded with zeros",
            plain(|p, w| Some(if p < 2 || w > 30 { units(p, w) } else { 0 })),
            &[],
            |r| notices(r, "if a product was not sold yet, leave its rows out: p2"),
        ),
        tested(
            "empty weeks before the held-out ones",
            plain(|p, w| {
                Some(if (39..=45).contains(&w) {
                    0
                } else {
                    units(p, w)
                })
            }),
            &["--held-out", "15"],
            |r| notices(r, "have no demand"),
        ),
        tested(
            "one product a million times another",
            plain(|p, w| Some(if p == 0 { 1_000_000 } else { units(p, w) })),
            &[],
            |r| all_policies(r, |p| p["interval"]["hi"].is_number()),
        ),
        tested(
            "a record that stops early",
            plain(|p, w| (p < 2 || w < 50).then(|| units(p, w))),
            &["--missing-is-zero"],
            |r| notices(r, "1 product ends weeks before the record does"),
        ),
        tested(
            "an order a hundred times as large",
            plain(|p, w| Some(if (p, w) == (1, 20) { 5000 } else { units(p, w) })),
            &[],
            |r| {
                notices(
                    r,
                    "a hundred times the demand of all others of its product: p1",
                )
            },
        ),
        tested(
            "a last week that is not over",
            plain(|p, w| Some(if w == WEEKS { 1 } else { units(p, w) })),
            &[],
            |r| notices(r, "is it complete?"),
        ),
        tested(
            "another level in the held-out weeks",
            plain(|p, w| Some(if w > 45 { 3 * units(p, w) } else { units(p, w) })),
            &["--held-out", "15"],
            |r| notices(r, "times that of the training weeks"),
        ),
    ]
}
