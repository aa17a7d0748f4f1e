//! `hindsight llm` on small logs, and on broken ones.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

#[path = "../command/mod.rs"]
mod command;
mod protocols;
mod wrong;

use command::run;

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Folder(tempfile::tempdir().unwrap())
    }
    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }
    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

/// Runs `llm COMMAND FILE REST... --json OUT --report PAGE` and returns the JSON.
fn ok(folder: &Folder, command: &str, file: &Path, rest: &[&str]) -> serde_json::Value {
    let (json, html) = (folder.path("out.json"), folder.path("out.html"));
    // Twice: the second run must be allowed to replace what the first wrote.
    for _ in 0..2 {
        let mut args = vec!["llm", command, file.to_str().unwrap()];
        args.extend(rest);
        args.extend([
            "--json",
            json.to_str().unwrap(),
            "--report",
            html.to_str().unwrap(),
        ]);
        run(args).unwrap();
    }
    assert!(std::fs::read_to_string(html).unwrap().contains("<svg"));
    serde_json::from_slice(&std::fs::read(json).unwrap()).unwrap()
}

/// The message of the error that the command ends with; its exit code is 2 and nothing is written.
fn wrong(folder: &Folder, command: &str, text: &str, rest: &[&str]) -> String {
    let file = folder.file("wrong", text);
    let json = folder.path("wrong.json");
    let mut args = vec![
        "llm",
        command,
        file.to_str().unwrap(),
        "--json",
        json.to_str().unwrap(),
    ];
    args.extend(rest);
    let (code, words) = run(args).unwrap_err();
    assert_eq!(code, 2, "{words}");
    assert!(!json.exists());
    words.replace(&*folder.0.path().to_string_lossy(), "")
}

/// A reproducible scatter in [0, 1).
fn unit(i: u32) -> f64 {
    let mut z = u64::from(i + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    #[allow(clippy::cast_possible_truncation)] // 32 bits are left.
    let high = (z >> 32) as u32;
    f64::from(high) / 4_294_967_296.0
}

fn binary_log() -> String {
    (0..2000).fold(String::from("conf,correct,doc\n"), |mut s, i| {
        let p = unit(i);
        let _ = writeln!(s, "{p},{},d{}", u8::from(unit(i + 70_000) < p * p), i / 4);
        s
    })
}

fn logit_log() -> String {
    (0..600).fold(String::new(), |mut s, i| {
        let z = [
            6.0 * unit(3 * i),
            6.0 * unit(3 * i + 1),
            6.0 * unit(3 * i + 2),
        ];
        let label = if unit(i + 90_000) < 0.4 {
            i % 3
        } else {
            u32::from(z[1] > z[0])
        };
        let _ = writeln!(s, "{{\"logits\": {z:?}, \"label\": {label}}}");
        s
    })
}

#[test]
fn calibration_reads_pairs_and_distributions() {
    let f = Folder::new();
    let out = ok(
        &f,
        "calibration",
        &f.file("pairs.csv", &binary_log()),
        &["--group", "doc", "--replicates", "50"],
    );
    assert_eq!(out["records"], 2000);
    let (l1, lower) = (
        out["ece"]["l1"].as_f64().unwrap(),
        out["ece"]["l1_interval"]["lower"].as_f64().unwrap(),
    );
    assert!(
        (l1 - 1.0 / 6.0).abs() < 0.03 && lower > 0.1 && out["group_sd"].as_f64().unwrap() > 0.0,
        "{out}"
    );
    let out = ok(
        &f,
        "calibration",
        &f.file("z.jsonl", &logit_log()),
        &["--equal-mass", "--lower-closed"],
    );
    assert!(out["multiclass"]["brier"].as_f64().unwrap() > 0.0);
}

#[test]
fn recalibration_is_saved_applied_and_better() {
    let f = Folder::new();
    let log = f.file("z.jsonl", &logit_log());
    for method in [
        "temperature",
        "platt",
        "platt-plain",
        "isotonic",
        "histogram",
        "scaling-binning",
        "beta",
    ] {
        let model = f.path(&format!("{method}.json"));
        let out = ok(
            &f,
            "recalibrate",
            &log,
            &["--method", method, "--save", model.to_str().unwrap()],
        );
        assert!(
            out["after"]["brier"].as_f64() < out["before"]["brier"].as_f64(),
            "{method}"
        );
        let applied = ok(
            &f,
            "recalibrate",
            &log,
            &["--apply", model.to_str().unwrap()],
        );
        assert!(
            applied["after"]["brier"].as_f64() < applied["before"]["brier"].as_f64(),
            "{method}"
        );
    }
}

#[test]
fn gap_compares_verifiers_generators_and_rounds() {
    let f = Folder::new();
    let mut log = String::from("prompt,correct,a,b,gen,flops,round\n");
    for i in 0..1200u32 {
        let right = unit(i) < 0.4;
        let score = |k: u32| unit(i + k) + if right { 0.4 } else { 0.0 };
        let _ = writeln!(
            log,
            "q{},{right},{},{},g{},1e{},{}",
            i % 30,
            score(5000),
            score(9000),
            i % 3,
            20 + i % 3,
            i % 2
        );
    }
    let file = f.file("gap.csv", &log);
    let out = ok(
        &f,
        "gap",
        &file,
        &["--score", "a,b", "--quantile", "0.8", "--replicates", "50"],
    );
    assert_eq!(out["gaps"].as_array().unwrap().len(), 3);
    assert!(out["gaps"][0]["estimate"]["gap"].as_f64().unwrap() > 0.1);
    let out = ok(
        &f,
        "gap",
        &file,
        &[
            "--score",
            "a",
            "--beta",
            "0.2",
            "--jackknife",
            "--generator",
            "gen",
            "--flops",
            "flops",
        ],
    );
    assert!(out["trend"]["monotone"]["tau"].is_number());
    let out = ok(&f, "passk", &file, &[]);
    assert_eq!(out["problems"], 30);
    let args = [
        "llm",
        "gap",
        file.to_str().unwrap(),
        "--score",
        "a",
        "--round",
        "round",
        "--threshold",
        "0.7",
    ];
    run(args).unwrap();
}

#[test]
fn batch_sizes_from_steps_and_from_curves() {
    let f = Folder::new();
    let mut steps = String::from("params,batch,steps\n");
    let mut curves = String::from("batch,run,step,loss\n");
    for k in 6..13 {
        let b = f64::from(1 << k);
        for n in [1.0, 2.0, 4.0, 8.0f64] {
            let _ = writeln!(
                steps,
                "{n},{b},{}",
                (1000.0 + 4e6 * n.sqrt() / b) * (1.0 + 0.02 * unit(k))
            );
        }
        // The loss reaches 3 at 1000 + 2e6 / b steps, but for the last batch the run ends before.
        let goal = 1000.0 + 2e6 / b;
        for step in 1..=(if k == 12 { 10 } else { 40 }) {
            let at = goal * f64::from(step) / 20.0;
            let _ = writeln!(curves, "{b},r,{at},{}", 3.0 + 0.5 * (goal / at).ln());
        }
    }
    let out = ok(
        &f,
        "cbs",
        &f.file("steps.csv", &steps),
        &["--replicates", "50"],
    );
    assert_eq!(out["models"].as_array().unwrap().len(), 4);
    assert!(out["law"].is_object());
    let out = ok(
        &f,
        "cbs",
        &f.file("curves.csv", &curves),
        &[
            "--target",
            "3",
            "--interpolate",
            "log",
            "--replicates",
            "50",
        ],
    );
    let critical = out["models"][0]["critical_batch"].as_f64().unwrap();
    assert!(
        (critical - (307.2 + 0.2 * 2000.0)).abs() < 1.0,
        "{critical}"
    );
    assert_eq!(out["models"][0]["censored"][0]["batch"], 4096.0);
}

#[test]
fn scaling_and_noise_scale() {
    let f = Folder::new();
    let (mut runs, mut profiles, mut norms) = (
        String::from("params,tokens,loss\n"),
        String::from("flops,params,loss\n"),
        String::from("small,big\n"),
    );
    for i in 0..6 {
        for j in 0..5 {
            let (n, d) = (
                10f64.powf(7.5 + 0.4 * f64::from(i)),
                10f64.powf(9.0 + 0.4 * f64::from(j)),
            );
            let _ = writeln!(
                runs,
                "{n},{d},{}",
                1.8 + 480.0 / n.powf(0.35) + 2000.0 / d.powf(0.37)
            );
            let x = f64::from(i) - 2.5;
            let c = 10f64.powi(18 + j);
            let _ = writeln!(
                profiles,
                "{c},{},{}",
                c.sqrt() * x.exp(),
                2.0 + 0.01 * x * x
            );
        }
        let _ = writeln!(norms, "11,2.25");
    }
    let out = ok(
        &f,
        "scaling",
        &f.file("runs.csv", &runs),
        &["--replicates", "0"],
    );
    assert!((out["fit"]["alpha"].as_f64().unwrap() - 0.35).abs() < 0.01);
    assert!(out["intervals"]["alpha"]["lower"].is_number());
    ok(&f, "scaling", &f.file("iso.csv", &profiles), &["--isoflop"]);
    let out = ok(
        &f,
        "noise-scale",
        &f.file("norms.csv", &norms),
        &["--small-batch", "8", "--big-batch", "64"],
    );
    assert!((out["all"]["batch"].as_f64().unwrap() - 80.0).abs() < 1e-9);
}

/// What the data do not determine is reported as such, and no number is given for it.
#[test]
fn what_is_not_identified_says_so() {
    let f = Folder::new();
    let mut ladder = String::from("N,flops,L\n");
    for k in 0..9 {
        let n = 1e8 * 2f64.powi(k);
        let d = 20.0 * n;
        let _ = writeln!(
            ladder,
            "{}M,{},{}",
            n / 1e6,
            6.0 * n * d,
            1.7 + 400.0 * n.powf(-0.34) + 400.0 * d.powf(-0.28)
        );
    }
    let out = ok(
        &f,
        "scaling",
        &f.file("ladder.csv", &ladder),
        &["--replicates", "10"],
    );
    assert_eq!(out["identification"]["status"], "not_identified");
    assert_eq!(out["identification"]["cause"], "tokens_follow_parameters");
    assert!(out["intervals"].is_null() && out["optimal"][0]["parameters_interval"].is_null());
    let steps = "batch_size;steps\n64;1000\n128;500\n256;250\n512;125\n";
    let out = ok(
        &f,
        "cbs",
        &f.file("linear.csv", steps),
        &["--replicates", "10"],
    );
    assert!(out["models"][0]["critical_batch"].is_null());
    assert_eq!(
        out["models"][0]["identification"]["cause"],
        "steps_inverse_to_batch"
    );
    let norms = "small,big\n1.9,2.0\n1.9,2.0\n";
    let out = ok(
        &f,
        "noise-scale",
        &f.file("n.csv", norms),
        &["--small-batch", "16", "--big-batch", "256"],
    );
    assert!(out["all"]["batch"].is_null());
}

/// A saved map gives the same doubles when it is applied: on the records that it was fitted to the scores are the fit's own, to the last digit.
#[test]
fn a_saved_map_comes_back_bit_by_bit() {
    let f = Folder::new();
    let log = f.file("z.jsonl", &logit_log());
    for method in [
        "platt",
        "temperature",
        "isotonic",
        "beta",
        "scaling-binning",
    ] {
        let model = f.path(&format!("{method}-bits.json"));
        let path = model.to_str().unwrap();
        ok(
            &f,
            "recalibrate",
            &log,
            &["--method", method, "--save", path],
        );
        let text = std::fs::read(&model).unwrap();
        let value: serde_json::Value = serde_json::from_slice(&text).unwrap();
        let mut again = serde_json::to_vec_pretty(&value).unwrap();
        again.push(b'\n');
        let sorted = |t: &[u8]| {
            let mut lines: Vec<String> = String::from_utf8_lossy(t)
                .lines()
                .map(|l| l.trim_end_matches(',').to_owned())
                .collect();
            lines.sort();
            lines
        };
        assert_eq!(sorted(&text), sorted(&again), "{method}");
    }
}

/// gsm8k: each document once a filter, of which one must be chosen.
#[test]
fn filters_are_not_mixed() {
    let f = Folder::new();
    let log: String = (0..4)
        .flat_map(|d| ["strict-match", "flexible-extract"].map(|filter| {
            format!("{{\"doc_id\": {d}, \"resps\": [[\"4\"]], \"filter\": \"{filter}\", \"exact_match\": {}, \"score\": 0.5}}\n", d % 2)
        }))
        .collect();
    let e = wrong(&f, "passk", &log, &["--correct", "exact_match"]);
    assert!(e.contains(":2:") && e.contains("mixes the filters"), "{e}");
    let e = wrong(
        &f,
        "gap",
        &log,
        &[
            "--prompt",
            "doc_id",
            "--utility",
            "exact_match",
            "--score",
            "score",
        ],
    );
    assert!(e.contains("mixes the filters"), "{e}");
    let out = ok(
        &f,
        "passk",
        &f.file("g.jsonl", &log),
        &["--correct", "exact_match", "--filter", "flexible-extract"],
    );
    assert_eq!(
        (&out["problems"], &out["responses"]),
        (&4.into(), &4.into())
    );
}

/// Softmax handed over as logits: read, with a warning.
#[test]
fn probabilities_among_the_logits_are_pointed_out() {
    let f = Folder::new();
    let log = "{\"logits\": [0.9, 0.1], \"label\": 0}\n{\"logits\": [0.2, 0.8], \"label\": 1}\n";
    let out = ok(&f, "calibration", &f.file("p.jsonl", log), &[]);
    let notes = out["notes"].as_array().unwrap();
    let warned = notes
        .iter()
        .any(|n| n.as_str().unwrap().contains("--probs"));
    assert!(warned, "{out}");
}
