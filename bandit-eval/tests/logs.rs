//! Logs as files: every form reads alike, and every fault is told with its place.

use hindsight_bandit_eval::equilibrium::{MapClass, Question};
use hindsight_bandit_eval::io::{
    ArmColumns, ArmLog, Columns, LogReader, Problem, ReadError, Study, Target,
};
use hindsight_bandit_eval::model::{Folds, Ridge};
use hindsight_bandit_eval::{
    Estimator, Evaluation, Range,
    verdict::{Diagnostics, Limits, Reason},
};
use proptest::prelude::*;
use std::io::BufReader;

fn read(text: &str, columns: &Columns) -> Result<Evaluation, ReadError> {
    let model = columns.predicted.is_some();
    let kept = if model {
        vec![Estimator::Ips, Estimator::Dr]
    } else {
        vec![Estimator::Ips]
    };
    let mut evaluation = Evaluation::new(&kept).unwrap();
    // A buffer that ends within lines.
    let mut reader = LogReader::new(BufReader::with_capacity(37, text.as_bytes()), columns)?;
    while reader.next_round()? {
        reader.push_to(&mut evaluation)?;
    }
    Ok(evaluation)
}

const HEADER: &str = "action,reward,propensity,target_a,target_b,q_a,q_b";

fn with_model() -> Columns {
    Columns {
        predicted: Some("q_".into()),
        ..Columns::default()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(50))]

    /// CSV with any separator, quotes, line ends and order of columns, and JSON lines with fields or lists: the same bits.
    #[test]
    fn forms_read_alike(rows in prop::collection::vec((any::<bool>(), -1e6..1e6_f64, 0.01..1.0_f64, 0.0..1.0_f64, -5.0..5.0_f64), 1..40)) {
        let mut forms = [format!("{HEADER}\n"), HEADER.replace(',', ";") + "\r\n", HEADER.replace(',', "\t") + "\n\n", "q_b,propensity,note,target_a,reward,q_a,action,target_b\n".into()];
        let (mut fields, mut lists) = (String::new(), String::new());
        for (second, r, p, t, q) in &rows {
            let name = if *second { "b" } else { "a" };
            let (u, z) = (1.0 - t, 2.0 * q);
            forms[0] += &format!("{name},{r},{p},{t},{u},{q},{z}\n");
            forms[1] += &format!("\"{name}\";{r};\"{p}\";{t}; {u} ;{q};{z}\r\n");
            forms[2] += &format!("{name}\t{r:e}\t{p}\t{t}\t{u}\t{q}\t{z}\n\n");
            forms[3] += &format!("{z},{p},\"a \"\"note\"\",\nof two lines\",{t},{r},{q},{name},{u}\n");
            fields += &format!("{{\"action\":\"{name}\",\"reward\":{r},\"propensity\":{p},\"target_a\":{t},\"target_b\":{u},\"q_a\":{q},\"q_b\":{z}}}\n");
            lists += &format!("{{\"x\":null,\"action\":{},\"reward\":{r},\"propensity\":{p},\"target_\":[{t},{u}],\"q_\":[{q},{z}]}}\n", u8::from(*second));
        }
        let expected = read(&forms[0], &with_model()).unwrap();
        for text in forms.iter().chain([&fields, &lists]) {
            prop_assert_eq!(&read(text, &with_model()).unwrap(), &expected, "{}", text);
        }
    }

    /// No text makes the reader panic.
    #[test]
    fn nothing_panics(text in "[a,\"\n0-9.{}:\\[\\]-]{0,80}") {
        let _ = read(&format!("{HEADER}\n{text}"), &Columns::default());
        let _ = read(&text, &Columns::default());
    }
}

#[test]
fn faults_have_line_and_column() {
    let good = "a,1,0.5,0.5,0.5,0,0\n";
    let cases: [(&str, Option<u64>, Option<&str>, &str); 14] = [
        (
            "a,1,0,0.5,0.5,0,0",
            Some(3),
            Some("propensity"),
            "outside (0, 1]",
        ),
        ("a,1,1.2,0.5,0.5,0,0", Some(3), Some("propensity"), "1.2"),
        (
            "a,1,0.5,0.5,0.4,0,0",
            Some(3),
            Some("target_a"),
            "sum to 0.9",
        ),
        ("a,1,0.5,1.5,-0.5,0,0", Some(3), Some("target_a"), "1.5"),
        ("a,1,0.5,0.5,-0.5,0,0", Some(3), Some("target_b"), "-0.5"),
        ("c,1,0.5,0.5,0.5,0,0", Some(3), Some("action"), "\"c\""),
        ("a,NaN,0.5,0.5,0.5,0,0", Some(3), Some("reward"), "NaN"),
        ("a,inf,0.5,0.5,0.5,0,0", Some(3), Some("reward"), "inf"),
        ("a,,0.5,0.5,0.5,0,0", Some(3), Some("reward"), "is missing"),
        (
            "a,x1,0.5,0.5,0.5,0,0",
            Some(3),
            Some("reward"),
            "\"x1\" is not a number",
        ),
        ("a,1,0.5,0.5,0.5,0,nan", Some(3), Some("q_b"), "NaN"),
        ("a,1,0.5,0.5,0.5,0", Some(3), None, "6 cells, the header 7"),
        ("a,1,0.5,0.5,0.5,0,0,", Some(3), None, "8 cells"),
        ("\"a,1,0.5,0.5,0.5,0,0", Some(3), None, "quoted"),
    ];
    for (line, at, column, words) in cases {
        let error = read(&format!("{HEADER}\n{good}{line}\n"), &with_model()).unwrap_err();
        assert!(error.to_string().contains(words), "{line}: {error}");
        assert_eq!(
            (error.line, error.column.as_deref()),
            (at, column),
            "{error}"
        );
    }
    let lacks = read("action,reward,target_a\na,1,1\n", &Columns::default()).unwrap_err();
    assert!(
        matches!(lacks.problem, Problem::NoColumn(_))
            && lacks.column.as_deref() == Some("propensity")
    );
    assert!(matches!(
        read("", &Columns::default()).unwrap_err().problem,
        Problem::Empty
    ));
    let broken = read("{\"action\": 1,\n", &Columns::default()).unwrap_err();
    assert!(matches!(broken.problem, Problem::Json { .. }) && broken.line == Some(1));
}

#[test]
fn a_stated_range_is_kept() {
    let mut evaluation = Evaluation::new(&[Estimator::Ips])
        .unwrap()
        .with_range(Range {
            min: 0.0,
            max: 1.0,
            weight: None,
        })
        .unwrap();
    let text = format!("{HEADER}\na,1,0.5,0.5,0.5,0,0\nb,1.5,0.5,0.5,0.5,0,0\n");
    let mut reader = LogReader::new(text.as_bytes(), &Columns::default()).unwrap();
    assert!(reader.next_round().unwrap());
    reader.push_to(&mut evaluation).unwrap();
    assert!(reader.next_round().unwrap());
    let error = reader.push_to(&mut evaluation).unwrap_err();
    assert_eq!(
        (error.line, error.column.as_deref()),
        (Some(3), Some("reward"))
    );
}

fn diagnose(text: &str, columns: &Columns) -> Diagnostics {
    read(text, columns).unwrap().diagnostics()
}

#[test]
fn deterministic_and_uniform_targets() {
    let rows = "a,1,0.5,a\nb,0,0.5,a\nb,1,0.5,c\n".repeat(100);
    let columns = Columns {
        target: Target::Action("wanted".into()),
        ..Columns::default()
    };
    let text = format!("action,reward,propensity,wanted\n{rows}");
    // The action c is wanted in a third of all rounds and was never logged: a support failure with its share.
    let seen = diagnose(&text, &columns);
    assert!((seen.never_logged - 1.0 / 3.0).abs() < 1e-9);
    let refusal = read(&text, &columns)
        .unwrap()
        .estimate(Estimator::Ips, &Limits::default())
        .unwrap()
        .unwrap_err();
    assert!(
        refusal
            .reasons
            .iter()
            .any(|r| matches!(r, Reason::Unsupported { .. })),
        "{refusal}"
    );
    let uniform = Columns {
        target: Target::Uniform(2),
        ..Columns::default()
    };
    assert!((diagnose(&text, &uniform).mean_weight - 1.0).abs() < 1e-12);
    let third = text + "d,1,0.5,a\n";
    let error = read(&third, &uniform).unwrap_err();
    assert!(matches!(error.problem, Problem::TooManyActions(2)) && error.line == Some(302));
}

#[test]
fn a_study_answers_by_parts_too() {
    let mut text = "action,reward,propensity,wanted,store\n".to_owned();
    for i in 0..4_000 {
        let (action, store) = (["x", "y"][i % 2], ["north", "south"][i / 2 % 2]);
        let reward = u8::from(action == "x") + u8::from(store == "south");
        text += &format!("{action},{reward},0.5,x,{store}\n");
    }
    let columns = Columns {
        target: Target::Action("wanted".into()),
        segment: Some("store".into()),
        ..Columns::default()
    };
    let study = Study {
        columns,
        ..Study::default()
    };
    let found = study.run(text.as_bytes()).unwrap();
    assert!((found.logged - 1.0).abs() < 1e-12 && found.actions == ["x", "y"]);
    let snips = |findings: &[hindsight_bandit_eval::io::Finding]| findings[1].value.unwrap();
    assert!((snips(&found.estimates) - 1.5).abs() < 1e-9);
    assert!((snips(&found.segments["north"]) - 1.0).abs() < 1e-9);
    assert!((snips(&found.segments["south"]) - 2.0).abs() < 1e-9);
    // Two parts are read at once: each interval is wider than one of 95 %.
    let level = found.segments["south"][0].interval.unwrap().level;
    assert!((level - 0.975).abs() < 1e-12);
    let weights = found.diagnostics.to_string();
    assert!(
        weights.starts_with("4,000 rounds, 2,000 effective"),
        "{weights}"
    );
    // Without predicted rewards the self-normalised estimate is the one to tell; the parts follow their values, not their names.
    assert_eq!(found.preferred().unwrap().estimator, "SNIPS");
    let ends = found.extremes("SNIPS").unwrap();
    assert_eq!(ends.map(|(part, _)| part), ["north", "south"]);
    assert!(found.extremes("DR").is_none());
}

#[test]
fn logs_of_exploration_become_gaps() {
    let mut text = "product,arm,propensity,reward,context_season\n".to_owned();
    for i in 0..6_000_u32 {
        let (arm, season) = (["keep", "more"][(i * 7_919 % 13 % 2) as usize], i / 3 % 2);
        let reward = f64::from(i.wrapping_mul(2_654_435) % 101) / 100.0
            + f64::from(u8::from(arm == "more" && season == 1));
        text += &format!("p{},{arm},0.5,{reward},{season}\n", i / 20);
    }
    let log = ArmLog::read(text.as_bytes(), &ArmColumns::default()).unwrap();
    assert_eq!((log.arms.len(), log.decisions()), (2, 6_000));
    let table = log
        .table(
            &Ridge::new(1.0).unwrap(),
            Folds {
                count: 5,
                seed: 1,
                groups: None,
            },
        )
        .unwrap();
    let gap = table.gap(MapClass::Tabular, &Question::default()).unwrap();
    assert!(gap.is_material() && gap.map.arm(&[1.0]) == 1, "{gap:?}");
    let wrong = text.replace(",0.5,", ",1.5,");
    let error = ArmLog::read(wrong.as_bytes(), &ArmColumns::default()).unwrap_err();
    assert_eq!(
        (error.line, error.column.as_deref()),
        (Some(2), Some("propensity"))
    );
}
