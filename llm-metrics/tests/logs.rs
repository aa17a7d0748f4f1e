//! Logs of training runs, of pairwise comparisons and of in-context protocols: what they are read as, and what broken ones say.
#![allow(clippy::float_cmp, reason = "values that are exact")]

use std::fmt::Write as _;

use hindsight_llm_metrics::Error;
use hindsight_llm_metrics::batch_size::{BatchLog, BatchStudy, BatchStudySettings, Crossing};
use hindsight_llm_metrics::recalibrate::{ProtocolLog, in_context_protocol};
use hindsight_llm_metrics::verification::Contestants;

fn assert_starts(error: &Error, words: &str) {
    assert!(error.to_string().starts_with(words), "{error}");
}

#[test]
fn wrong_comparisons_name_line_and_field() {
    let log = b"prompt,response,correct\nq,a,1\nq,b,0\nq,c,0\n";
    let fields = ["prompt", "correct", "response"];
    let all = Contestants::read(&log[..], fields, None).unwrap();
    let error = |games: &str| {
        let read = all.comparisons(games.as_bytes());
        read.and_then(|games| games.rounds(1)).unwrap_err()
    };
    for (games, words) in [
        ("prompt,winner,loser\nq,a,b\n", "responses number "),
        (
            "prompt,winner,loser\nq,a,d\n",
            "line 2, field \"loser\": prompt \"q\" has no response \"d\"",
        ),
        (
            "prompt,winner,loser\nx,a,b\n",
            "line 2, field \"prompt\": the log of responses has no prompt \"x\"",
        ),
        (
            "prompt,winner,loser\nq,a,a\n",
            "line 2, field \"loser\": a response plays against itself",
        ),
        (
            "prompt,winner,loser,round\nq,a,b,0\n",
            "line 2, field \"round\": 0 is not a whole number",
        ),
        (
            "prompt,winner,loser,round\nq,a,b,1\nq,b,c,2\n",
            "line 3, field \"round\": prompt \"q\": one of the two was beaten",
        ),
        (
            "prompt,winner,loser,round\nq,a,b,1\nq,a,c,1\n",
            "line 3, field \"round\": prompt \"q\": one of the two plays twice",
        ),
        ("prompt,winner,loser\n", "there are no records"),
        (
            "prompt,winner,loser\nq,a,b\nq,a,c\nq,b,c\nq,c,b\n",
            "line 5, field \"winner\": the same two had the other result on line 4",
        ),
        (
            "prompt,winner\nq,a\n",
            "line 2: there is no field \"loser\"",
        ),
    ] {
        assert_starts(&error(games), words);
    }
    let twice = b"prompt,response,correct\nq,a,1\nq,a,0\n";
    let e = Contestants::read(&twice[..], fields, None).unwrap_err();
    assert_starts(&e, "line 3, field \"response\"");
}

#[test]
fn wrong_protocols_name_line_and_field() {
    let error = |second: &str| {
        let first =
            "{\"shots\":0,\"seed\":1,\"regime\":\"test\",\"logits\":[1,2],\"label\":0,\"item\":1}";
        let mut log = ProtocolLog::default();
        let read = log.read(format!("{first}\n{{{second}}}\n").as_bytes());
        read.and_then(|()| log.runs()).unwrap_err()
    };
    let item =
        |regime: &str, rest: &str| format!("\"shots\":0,\"seed\":1,\"regime\":\"{regime}\",{rest}");
    for (record, words) in [
        (
            item("train", "\"logits\":[1,2],\"label\":0"),
            "line 2, field \"regime\": \"train\" is not test",
        ),
        (
            item("same", "\"logits\":[1,2],\"label\":2"),
            "line 2, field \"label\": the label 2 is outside the 2",
        ),
        (
            item("same", "\"probs\":[1,2],\"label\":1"),
            "line 2, field \"probs\": the probability 2 is outside [0, 1]; are these logits?",
        ),
        (
            item("same", "\"logits\":[1,2,3],\"label\":1"),
            "line 2, field \"label\": 3 labels, where",
        ),
        (
            item("same", "\"label\":1"),
            "line 2: there is no field \"logits\"",
        ),
        (
            item("fresh", "\"logits\":[1,2],\"label\":1,\"item\":1"),
            "line 2 of log 0: the item is also in the test of shots 0, seed 1 (line 1)",
        ),
        (
            "\"shots\":0.5,\"seed\":1,\"regime\":\"same\",\"logits\":[1,2],\"label\":1".to_owned(),
            "line 2, field \"shots\": 0.5 is not a whole",
        ),
        (
            "\"shots\":0,\"seed\":2,\"regime\":\"fresh\",\"logits\":[1,2],\"label\":1".to_owned(),
            "shots 0, seed 2: there are no items of regime test",
        ),
        (
            "\"seed\":2,\"regime\":\"fresh\",\"logits\":[1,2],\"label\":1".to_owned(),
            "line 2: there is no field \"shots\"",
        ),
    ] {
        assert_starts(&error(&record), words);
    }
    assert_starts(
        &ProtocolLog::default().runs().unwrap_err(),
        "the items of regime test is empty",
    );
}

/// A regime that one seed lacks is left out; CSV and probabilities do as well as JSON and logits.
#[test]
fn protocols_are_read_from_cells_too() {
    let csv = "shots,seed,regime,probs,label\n0,a,test,\"[0.9,0.1]\",B\n0,b,test,\"[0.2,0.8]\",1\n";
    let mut log = ProtocolLog::default();
    log.read(csv.as_bytes()).unwrap();
    let rows = in_context_protocol(&log.runs().unwrap(), 10).unwrap();
    assert_eq!(rows[0].accuracy.mean, 0.5);
    assert!((rows[0].ece.mean - 0.55).abs() < 1e-12);
    assert!(rows[0].temperature.is_empty());
}

/// Exports of Weights & Biases: a column for each run, blank cells between evaluations, an evaluation at step 0.
#[test]
fn exported_loss_curves_are_read() {
    let batches = [64.0, 128.0, 256.0, 512.0, 1024.0, 2048.0];
    let loss = |b: f64, step: f64| {
        if step <= 0.0 {
            10.0
        } else {
            3.0 + 0.5 * ((1000.0 + 2e6 / b) / step).ln()
        }
    };
    let mut wide = String::from("Step");
    for b in batches {
        let _ = write!(
            wide,
            ",bs-{b} - eval/loss,bs-{b} - eval/loss__MIN,bs-{b} - eval/loss__MAX"
        );
    }
    let mut long = String::from("run,batch_size,_step,val_loss\n");
    for step in (0..=40_000).step_by(50) {
        let _ = write!(wide, "\n{step}");
        for b in batches {
            if step % 100 == 0 {
                let l = loss(b, f64::from(step));
                let _ = write!(wide, ",{l},{l},{l}");
                let _ = writeln!(long, "r{b},{b},{step},{l}");
            } else {
                let _ = write!(wide, ",,,");
                let _ = writeln!(long, "r{b},{b},{step},");
            }
        }
    }
    let log = BatchLog {
        target: Some(3.0),
        crossing: Crossing::LogLinear,
        ..BatchLog::default()
    };
    let critical = |text: &str| {
        let models = log.read(text.as_bytes()).unwrap();
        let settings = BatchStudySettings {
            replicates: 10,
            ..BatchStudySettings::default()
        };
        let study = BatchStudy::new(models, &settings).unwrap();
        study.models[0].critical_batch.unwrap()
    };
    assert_eq!(critical(&wide), critical(&long));
    assert!((critical(&long) - (307.2 + 0.2 * 2000.0)).abs() < 2.0);
    let wrong = "batch,run,step,loss\n64,a,0,9\n64,a,10,5\n64,a,10,4\n";
    assert_starts(
        &log.read(wrong.as_bytes()).unwrap_err(),
        "line 4, field \"step\": run \"a\": step 10 does not come after step 10",
    );
    let high = "batch,run,step,loss\n64,a,0,9\n64,a,10,5\n128,b,10,4\n";
    assert_starts(
        &log.read(high.as_bytes()).unwrap_err(),
        "no run reaches the target 3: the lowest loss is 4, in run \"b\"",
    );
}
