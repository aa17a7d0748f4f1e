//! The in-context protocol and tournaments on small logs.

use std::fmt::Write as _;
use std::path::PathBuf;

use super::{Folder, ok, unit};

/// Items of an overconfident model: 3 labels, 2 numbers of shots, 3 seeds, all regimes; zero-shot items serve all prompts.
fn in_context_log() -> String {
    let mut log = String::new();
    let item = |place: &str, count: u32, log: &mut String, salt: u32| {
        for i in 0..count {
            let k = salt * 10_000 + i * 4;
            let z = [8.0 * unit(k), 8.0 * unit(k + 1), 8.0 * unit(k + 2)];
            // Drawn from the softmax of a third of the logits: the model is three times too sure.
            let w = z.map(|v| (v / 3.0).exp());
            let u = unit(k + 3) * (w[0] + w[1] + w[2]);
            let label = u8::from(u >= w[0]) + u8::from(u >= w[0] + w[1]);
            let _ = writeln!(
                log,
                "{{{place}, \"item\": \"{salt}-{i}\", \"logits\": {z:?}, \"label\": {label}}}"
            );
        }
    };
    item("\"regime\": \"zero-shot\"", 300, &mut log, 1);
    for shots in [1, 4] {
        for seed in 0..3 {
            for (r, regime) in [(0, "test"), (1, "fresh"), (2, "same")] {
                let place =
                    format!("\"shots\": {shots}, \"seed\": {seed}, \"regime\": \"{regime}\"");
                item(&place, 200, &mut log, 10 + 10 * shots + 3 * seed + r);
            }
        }
    }
    log
}

#[test]
fn protocol_fits_maps_under_three_regimes() {
    let f = Folder::new();
    let out = ok(
        &f,
        "protocol",
        &f.file("icl.jsonl", &in_context_log()),
        &["--bins", "10"],
    );
    for (at, shots) in [(0, 1), (1, 4)] {
        let row = &out["shots"][at];
        assert_eq!((&row["shots"], &row["seeds"]), (&shots.into(), &3.into()));
        let before = row["ece"]["mean"].as_f64().unwrap();
        assert!(before > 0.15 && row["ece"]["min"].as_f64() <= row["ece"]["mean"].as_f64());
        for map in ["temperature", "scaling_binning"] {
            let fitted = row[map].as_array().unwrap();
            assert_eq!(fitted.len(), 3, "{row}");
            for v in fitted {
                assert!(v[1]["mean"].as_f64().unwrap() < 0.7 * before, "{row}");
            }
        }
    }
}

/// Four responses a prompt; the better of two wins, and the right ones are better.
fn tournament_files(f: &Folder, rounds: bool) -> (PathBuf, PathBuf) {
    let mut log = String::from("prompt,response,correct\n");
    let mut games = String::from(if rounds {
        "prompt,winner,loser,round\n"
    } else {
        "prompt,winner,loser\n"
    });
    for p in 0..40u32 {
        let right = [p % 4, (p + 1) % 4];
        for r in 0..4 {
            let _ = writeln!(log, "p{p},r{r},{}", right.contains(&r));
        }
        let better = |a: u32, b: u32| {
            if (right.contains(&a), b) > (right.contains(&b), a) {
                (a, b)
            } else {
                (b, a)
            }
        };
        if rounds {
            let (first, second) = (better(0, 1), better(2, 3));
            let last = better(first.0, second.0);
            for (round, (w, l)) in [(1, first), (1, second), (2, last)] {
                let _ = writeln!(games, "p{p},r{w},r{l},{round}");
            }
        } else {
            for a in 0..4 {
                for b in 0..a {
                    let (w, l) = better(a, b);
                    let _ = writeln!(games, "p{p},r{w},r{l}");
                }
            }
        }
    }
    (f.file("responses.csv", &log), f.file("games.csv", &games))
}

#[test]
fn tournaments_tell_the_gap_after_every_round() {
    let f = Folder::new();
    for recorded in [false, true] {
        let (log, games) = tournament_files(&f, recorded);
        let out = ok(
            &f,
            "gap",
            &log,
            &[
                "--tournament",
                games.to_str().unwrap(),
                "--replicates",
                "50",
            ],
        );
        assert_eq!(out["recorded"], recorded);
        let rounds = out["rounds"].as_array().unwrap();
        assert_eq!(rounds.len(), 2);
        // Half of the responses are right. After two rounds the best is left, which is right.
        assert_eq!(rounds[1]["estimate"]["gap"], 0.5);
        assert_eq!(rounds[0]["estimate"]["kept"], 0.5);
        let first = rounds[0]["estimate"]["gap"].as_f64().unwrap();
        assert!(first > 0.0 && first < 0.5, "{first}");
    }
}
