//! A small log of the shape of each kind of task: its accuracy is what the harness found, record by record.

use serde_json::{Value, json};

use super::super::{CalibrationReader, Fields, ReadError};
use crate::testing::uniform;

/// What a task writes: the choices of document i, its `doc` and `target` for the right choice, and the contexts.
struct Task {
    name: &'static str,
    choices: fn(u64) -> Vec<String>,
    doc: fn(u64, usize) -> Value,
    target: fn(&[String], usize) -> String,
    /// Whether one continuation is scored after each choice as its context.
    contexts: bool,
    /// Whether every choice is scored a second time without context.
    mutual: bool,
}

fn letters(i: u64) -> Vec<String> {
    ["A", "B", "C", "D"][..if i.is_multiple_of(7) { 3 } else { 4 }]
        .iter()
        .map(|s| (*s).to_owned())
        .collect()
}
fn phrases(i: u64) -> Vec<String> {
    ["a dog", "the white cat", "an ox", "sheep"]
        .iter()
        .map(|s| format!("{s} {}", i % 5))
        .collect()
}
fn place(_: &[String], gold: usize) -> String {
    gold.to_string()
}
fn rest(_: &[String], _: usize) -> String {
    "was too small.".to_owned()
}

type Choices = fn(u64) -> Vec<String>;
type Doc = fn(u64, usize) -> Value;
type Target = fn(&[String], usize) -> String;

fn plain(name: &'static str, choices: Choices, doc: Doc, target: Target) -> Task {
    Task {
        name,
        choices,
        doc,
        target,
        contexts: false,
        mutual: false,
    }
}

/// Tasks that score several continuations of one context.
fn plain_tasks() -> Vec<Task> {
    vec![
        plain(
            "arc_challenge",
            phrases,
            |i, g| {
                let key = if i.is_multiple_of(40) {
                    (g + 1).to_string()
                } else {
                    "ABCD"[g..=g].to_owned()
                };
                json!({"answerKey": key})
            },
            place,
        ),
        plain("kmmlu", letters, |_, g| json!({"answer": g + 1}), place),
        plain(
            "social_iqa",
            |i| phrases(i)[..3].to_vec(),
            |_, g| json!({"label": (g + 1).to_string()}),
            place,
        ),
        plain(
            "pubmedqa",
            |_| ["yes", "no", "maybe"].map(str::to_owned).to_vec(),
            |_, _| json!({}),
            |c, g| c[g].clone(),
        ),
        plain(
            "agieval",
            letters,
            |_, g| json!({"gold": [g]}),
            |_, g| format!("[{g}]"),
        ),
        plain(
            "hellaswag",
            phrases,
            |_, g| json!({"label": g.to_string(), "gold": g}),
            place,
        ),
        plain(
            "mmlu",
            letters,
            |_, g| json!({"answer": g}),
            |c, g| c[g].clone(),
        ),
        plain(
            "boolq",
            |_| vec!["no".to_owned(), "yes".to_owned()],
            |_, g| json!({"label": g}),
            place,
        ),
        plain(
            "digits as texts",
            |i| (0..4).map(|k| (k + 7 + i % 3).to_string()).collect(),
            |_, _| json!({}),
            |c, g| c[g].clone(),
        ),
        plain(
            "booleans among choices of their names",
            |_| ["True", "Neither", "False"].map(str::to_owned).to_vec(),
            |_, g| json!({"label": g}),
            |c, g| c[g].clone(),
        ),
        plain(
            "options from one",
            |_| ["1", "2", "3", "4"].map(str::to_owned).to_vec(),
            |_, g| json!({"answer": g + 1}),
            |_, g| (g + 1).to_string(),
        ),
        plain(
            "letters in parentheses",
            |_| ["A", "B", "C"].map(str::to_owned).to_vec(),
            |_, _| json!({}),
            |_, g| format!("({})", &"ABC"[g..=g]),
        ),
        plain(
            "text in other case",
            |_| ["Yes", "No"].map(str::to_owned).to_vec(),
            |_, _| json!({}),
            |c, g| c[g].to_lowercase(),
        ),
        plain(
            "leading blank",
            phrases,
            |_, g| json!({"gold": g}),
            |c, g| format!(" {}", c[g]),
        ),
    ]
}

fn tasks() -> Vec<Task> {
    let mut tasks = plain_tasks();
    tasks.extend([
        Task {
            contexts: true,
            ..plain(
                "winogrande",
                |i| phrases(i)[..2].to_vec(),
                |_, g| json!({"answer": (g + 1).to_string()}),
                rest,
            )
        },
        Task {
            contexts: true,
            ..plain(
                "wsc273",
                |i| phrases(i)[..2].to_vec(),
                |_, g| json!({"label": g}),
                rest,
            )
        },
        Task {
            mutual: true,
            ..plain(
                "mutual information",
                phrases,
                |_, g| json!({"answer": g + 1}),
                place,
            )
        },
    ]);
    tasks
}

fn first_largest(v: impl Iterator<Item = f64>) -> usize {
    v.enumerate()
        .fold(
            (0, f64::NEG_INFINITY),
            |b, (k, x)| if x > b.1 { (k, x) } else { b },
        )
        .0
}

/// One sample as the harness writes it, with its own findings.
fn sample(task: &Task, i: u64, gold: impl Fn(usize) -> usize) -> Value {
    let choices = (task.choices)(i);
    let gold = gold(choices.len());
    let mut lls: Vec<f64> = (0..choices.len())
        .map(|k| -10.0 * uniform(11, k as u64, i) - if k == gold { 0.0 } else { 3.0 })
        .collect();
    let acc = f64::from(u8::from(first_largest(lls.iter().copied()) == gold));
    let norm = lls
        .iter()
        .zip(&choices)
        .map(|(l, c)| l / c.chars().count() as f64);
    let acc_norm = f64::from(u8::from(first_largest(norm) == gold));
    let target = (task.target)(&choices, gold);
    let mut requests: Vec<(String, String)> = choices
        .iter()
        .map(|c| {
            if task.contexts {
                (format!("because {c}"), format!(" {target}"))
            } else {
                ("question?".to_owned(), format!(" {c}"))
            }
        })
        .collect();
    if task.mutual {
        requests.extend(choices.iter().map(|c| (String::new(), c.clone())));
        lls.extend((0..choices.len()).map(|k| -5.0 * uniform(12, k as u64, i)));
    }
    let arguments: serde_json::Map<String, Value> = requests
        .iter()
        .enumerate()
        .map(|(k, r)| (format!("gen_args_{k}"), json!({"arg_0": r.0, "arg_1": r.1})))
        .collect();
    let answers: Vec<Value> = lls
        .iter()
        .map(|l| json!([l.to_string(), "False"]))
        .collect();
    let mut out = json!({
        "doc_id": i, "doc": (task.doc)(i, gold), "target": target, "arguments": arguments,
        "resps": answers.iter().map(|a| json!([a])).collect::<Vec<_>>(), "filtered_resps": answers,
        "filter": "none", "metrics": ["acc"], "acc": acc, "acc_norm": acc_norm,
    });
    if task.mutual {
        out["acc_mutual_info"] = json!(1.0);
    }
    out
}

fn gold_of(i: u64) -> impl Fn(usize) -> usize {
    move |n| (uniform(13, 0, i) * n as f64) as usize
}

fn read(log: &str, fields: &Fields) -> Result<Vec<(usize, bool)>, ReadError> {
    let mut reader = CalibrationReader::new(log.as_bytes(), fields)?;
    let mut out = vec![];
    while reader.next_record(|r, _| {
        let classes = match r {
            super::super::Record::Logits(z, _) => z.len(),
            _ => 0,
        };
        out.push((classes, r.top_label().1));
    })? {}
    Ok(out)
}

#[test]
fn accuracy_is_the_harnesss_own_for_every_kind_of_task() {
    for task in tasks() {
        for (length, first) in [(700u64, 0u64), (9, 3)] {
            let samples: Vec<Value> = (first..first + length)
                .map(|i| sample(&task, i, gold_of(i)))
                .collect();
            let log: String = samples.iter().map(|s| format!("{s}\n")).collect();
            let got =
                read(&log, &Fields::default()).unwrap_or_else(|e| panic!("{}: {e}", task.name));
            assert_eq!(got.len(), samples.len());
            for (i, (s, (classes, right))) in (first..).zip(samples.iter().zip(&got)) {
                assert_eq!(*classes, (task.choices)(i).len(), "{}", task.name);
                assert_eq!(
                    s["acc"],
                    json!(f64::from(u8::from(*right))),
                    "{} {i}",
                    task.name
                );
            }
        }
    }
}

#[test]
fn a_limited_run_whose_answers_are_all_the_first_counts_right() {
    let all = tasks();
    for name in ["winogrande", "kmmlu", "social_iqa"] {
        let task = all.iter().find(|t| t.name == name).unwrap();
        let samples: Vec<Value> = (0..200).map(|i| sample(task, i, |_| 0)).collect();
        let log: String = samples.iter().map(|s| format!("{s}\n")).collect();
        let got = read(&log, &Fields::default()).unwrap();
        assert!(
            samples
                .iter()
                .zip(&got)
                .all(|(s, g)| s["acc"] == json!(f64::from(u8::from(g.1)))),
            "{name}"
        );
    }
}

#[test]
fn length_normalised_choices_agree_with_acc_norm() {
    let all = tasks();
    let fields = Fields {
        per_byte: true,
        ..Fields::default()
    };
    for name in ["hellaswag", "arc_challenge", "social_iqa"] {
        let task = all.iter().find(|t| t.name == name).unwrap();
        let samples: Vec<Value> = (0..300).map(|i| sample(task, i, gold_of(i))).collect();
        let log: String = samples.iter().map(|s| format!("{s}\n")).collect();
        let got = read(&log, &fields).unwrap();
        assert!(
            samples
                .iter()
                .zip(&got)
                .all(|(s, g)| s["acc_norm"] == json!(f64::from(u8::from(g.1)))),
            "{name}"
        );
    }
    let blind =
        json!({"doc_id": 0, "resps": [[["-1", "False"]], [["-2", "False"]]], "target": "0"})
            .to_string();
    assert!(
        read(&blind, &fields)
            .unwrap_err()
            .to_string()
            .contains("texts of the choices")
    );
}

/// A planted fault: one record's own finding is turned round.
#[test]
fn a_record_that_disagrees_with_its_own_acc_is_an_error_that_names_the_rule() {
    let all = tasks();
    let task = all.iter().find(|t| t.name == "hellaswag").unwrap();
    for at in [3usize, 650] {
        let log: String = (0..700)
            .map(|i| {
                let mut s = sample(task, i, gold_of(i));
                if i == at as u64 {
                    s["acc"] = json!(1.0 - s["acc"].as_f64().unwrap());
                }
                format!("{s}\n")
            })
            .collect();
        let e = read(&log, &Fields::default()).unwrap_err();
        assert_eq!(e.line(), Some(at as u64 + 1), "{e}");
        assert!(
            e.to_string().contains("own acc is") && e.to_string().contains("a place from 0"),
            "{e}"
        );
    }
}

#[test]
fn what_the_samples_do_not_show_is_asked_and_never_guessed() {
    let all = tasks();
    let task = all.iter().find(|t| t.name == "winogrande").unwrap();
    let log: String = (0..50)
        .map(|i| {
            let mut s = sample(task, i, |_| 0);
            s.as_object_mut()
                .unwrap()
                .retain(|k, _| k != "acc" && k != "acc_norm");
            format!("{s}\n")
        })
        .collect();
    let e = read(&log, &Fields::default()).unwrap_err().to_string();
    assert!(e.contains("do not show") && e.contains("doc.answer"), "{e}");
    let told = Fields {
        label_from_one: Some(true),
        ..Fields::default()
    };
    assert_eq!(read(&log, &told).unwrap().len(), 50);
    let several = json!({"doc_id": 0, "resps": [[["-1", "False"]], [["-2", "False"]], [["-2", "False"]]], "target": "[0, 2]"}).to_string();
    assert!(
        read(&several, &Fields::default())
            .unwrap_err()
            .to_string()
            .contains("several choices are right")
    );
    let share = json!({"doc_id": 0, "resps": [[["-1", "False"]], [["-2", "False"]]], "target": "0", "acc": 0.37}).to_string();
    assert!(
        read(&share, &Fields::default())
            .unwrap_err()
            .to_string()
            .contains("neither 0 nor 1")
    );
}

/// After the samples that decide, only what the rule needs is read; a later sample that lacks it is an error all the same.
#[test]
fn later_samples_are_read_and_checked_like_the_first() {
    for task in tasks() {
        let mut samples: Vec<Value> = (0..600).map(|i| sample(&task, i, gold_of(i))).collect();
        let log = |samples: &[Value]| samples.iter().map(|s| format!("{s}\n")).collect::<String>();
        let whole = read(&log(&samples), &Fields::default()).unwrap();
        // The last 512 alone are all among those that decide.
        let apart = read(&log(&samples[88..]), &Fields::default()).unwrap();
        assert_eq!(whole[88..], apart, "{}", task.name);
        for (field, problem) in [
            ("filtered_resps", "filtered_resps"),
            ("target", "it names none"),
            ("acc", "neither 0 nor 1"),
        ] {
            let kept = samples[580].clone();
            match field {
                "target" => samples[580][field] = json!("zebra crossing"),
                "acc" => samples[580][field] = json!(0.5),
                _ => {
                    samples[580].as_object_mut().unwrap().remove(field);
                }
            }
            let read = read(&log(&samples), &Fields::default());
            // Some tasks put the answer elsewhere, or have the scores in their responses too.
            if let Err(e) = read {
                assert!(
                    e.line() == Some(581) && e.to_string().contains(problem),
                    "{} {field}: {e}",
                    task.name
                );
            } else {
                assert!(
                    field == "target" && task.contexts || field == "filtered_resps" && task.mutual,
                    "{} {field}",
                    task.name
                );
            }
            samples[580] = kept;
        }
    }
}

#[test]
fn tasks_without_choices_say_so() {
    for answers in [
        json!([["-1.25", "True"]]),
        json!(["the answer is 4"]),
        json!(["4"]),
        json!(["-123.5"]),
    ] {
        let log = json!({"doc_id": 0, "target": "4", "resps": [answers.clone()], "filtered_resps": answers, "filter": "none", "exact_match": 1.0}).to_string();
        let e = read(&log, &Fields::default()).unwrap_err();
        assert!(
            e.to_string().contains("fewer than two log-likelihoods"),
            "{e}"
        );
    }
}

#[test]
fn older_logs_list_their_arguments() {
    let line = |gold: &str, acc: u8| {
        json!({"doc_id": 0, "doc": {}, "arguments": [["q", " yes"], ["q", " no"]], "target": gold, "acc": acc,
               "filtered_resps": [[-1.0, false], [-2.0, false]], "resps": [[[-1.0, false]], [[-2.0, false]]]})
        .to_string() + "\n"
    };
    let got = read(&(line("yes", 1) + &line("no", 0)), &Fields::default()).unwrap();
    assert_eq!(got, [(2, true), (2, false)]);
    let listed = line("yes", 1).replace("\"target\":\"yes\"", "\"target\":[0]");
    assert_eq!(read(&listed, &Fields::default()).unwrap(), [(2, true)]);
}
