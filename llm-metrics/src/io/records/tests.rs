//! Every schema on small logs, and broken ones.

use super::*;
use proptest::prelude::*;

type Owned = (Vec<f64>, usize, Option<u64>);

fn read(log: &str, fields: &Fields) -> Result<Vec<Owned>, ReadError> {
    let mut reader = CalibrationReader::new(log.as_bytes(), fields)?;
    let mut out = vec![];
    while reader.next_record(|r, g| {
        out.push(match r {
            Record::Binary(c, y) => (vec![*c], usize::from(*y), g),
            Record::Probabilities(v, l) | Record::Logits(v, l) => (v.to_vec(), *l, g),
        });
    })? {}
    Ok(out)
}

fn error(log: &str) -> String {
    read(log, &Fields::default()).unwrap_err().to_string()
}

#[test]
fn every_schema_is_told_by_its_fields() {
    let d = Fields::default();
    assert_eq!(
        read("{\"conf\":0.5,\"correct\":1}", &d).unwrap(),
        [(vec![0.5], 1, None)]
    );
    assert_eq!(
        read("confidence,correct\n0.5,False\n", &d).unwrap(),
        [(vec![0.5], 0, None)]
    );
    assert_eq!(
        read("{\"probs\":[0.4,0.6],\"label\":1}", &d).unwrap(),
        [(vec![0.4, 0.6], 1, None)]
    );
    assert_eq!(
        read("{\"logits\":[-4,6],\"label\":\"B\"}", &d).unwrap(),
        [(vec![-4.0, 6.0], 1, None)]
    );
    let named = Fields {
        confidence: Some("meta.p".into()),
        correct: Some("ok".into()),
        group: Some("q".into()),
        ..d
    };
    let got = read(
        "{\"meta\":{\"p\":0.25},\"ok\":true,\"q\":7,\"probs\":[1,0],\"label\":0}",
        &named,
    )
    .unwrap();
    assert_eq!(got, [(vec![0.25], 1, Some(7.0f64.to_bits()))]);
}

#[test]
fn samples_of_the_harness_are_read_through_their_strings() {
    let sample = |doc: u32, filter: &str| {
        format!(
            "{{\"doc_id\":{doc},\"doc\":{{\"question\":\"?\",\"gold\":2}},\"target\":\" blue\",\"arguments\":{{\"gen_args_0\":{{\"arg_0\":\"x\"}}}},\
             \"resps\":[[[\"-3.5\",\"False\"]],[[\"-2.25\",\"True\"]],[[\"-9\",\"False\"]]],\
             \"filtered_resps\":[[\"-3.5\",\"False\"],[\"-2.25\",\"True\"],[\"-9\",\"False\"]],\"filter\":\"{filter}\",\"acc\":0.0}}\n"
        )
    };
    let one = sample(0, "none") + &sample(1, "none");
    let got = read(&one, &Fields::default()).unwrap();
    assert_eq!(
        got.iter().map(|g| (&g.0[..], g.1)).collect::<Vec<_>>(),
        [(&[-3.5, -2.25, -9.0][..], 2); 2]
    );
    let two = sample(0, "strict") + &sample(0, "flexible");
    let e = error(&two);
    assert!(
        e.contains("line 2") && e.contains("strict") && e.contains("flexible"),
        "{e}"
    );
    let chosen = Fields {
        filter: Some("flexible".into()),
        ..Fields::default()
    };
    assert_eq!(read(&two, &chosen).unwrap().len(), 1);
    let lost = Fields {
        filter: Some("other".into()),
        ..Fields::default()
    };
    assert!(matches!(read(&two, &lost), Err(ReadError::Empty)));
}

#[test]
fn bad_records_are_told_by_line_field_and_value() {
    let good = "{\"conf\":0.5,\"correct\":1}\n";
    for (line, words) in [
        (
            "{\"conf\":1.5,\"correct\":1}",
            "line 2, field \"conf\": the confidence 1.5 is outside [0, 1]",
        ),
        ("{\"conf\":NaN,\"correct\":1}", "line 2, column 9: NaN"),
        ("{\"correct\":1}", "line 2: there is no field \"conf\""),
        (
            "{\"conf\":0.5,\"correct\":2}",
            "line 2, field \"correct\": 2 is not true or false",
        ),
        (
            "{\"conf\":0.5,\"correct\":1",
            "line 2, column 24: expected a comma",
        ),
    ] {
        let e = error(&format!("{good}{line}\n"));
        assert!(e.starts_with(words), "{e}");
    }
    let good = "{\"probs\":[0.5,0.5],\"label\":1}\n";
    for (line, words) in [
        (
            "{\"probs\":[2.5,-1.5],\"label\":1}",
            "line 2, field \"probs\": the probability 2.5 is outside [0, 1]; are these logits?",
        ),
        (
            "{\"probs\":[0.5,0.9],\"label\":1}",
            "line 2, field \"probs\": the probabilities sum to 1.4",
        ),
        (
            "{\"probs\":[0.5,0.5],\"label\":2}",
            "line 2, field \"label\": the label 2 is outside the 2 classes",
        ),
        (
            "{\"probs\":[0.5,0.25,0.25],\"label\":2}",
            "line 2, field \"probs\": 3 classes, where earlier records have 2",
        ),
        (
            "{\"probs\":[1],\"label\":0}",
            "line 2, field \"probs\": 1 classes",
        ),
        (
            "{\"probs\":[0.5,0.5],\"label\":\"maybe\"}",
            "line 2, field \"label\": \"maybe\" is not the number or the letter",
        ),
    ] {
        let e = error(&format!("{good}{line}\n"));
        assert!(e.starts_with(words), "{e}");
    }
    assert!(error("{\"a\":1}").contains("fit no schema"));
    assert!(
        error("{\"conf\":0.5,\"correct\":1,\"probs\":[1,0],\"label\":0}").contains("fit no schema")
    );
    assert_eq!(error(""), "there are no records");
    assert_eq!(error("conf,correct\n"), "there are no records");
}

fn line() -> impl Strategy<Value = Vec<u8>> {
    let conf = prop_oneof![
        8 => (0.0f64..1.0).prop_map(|v| v.to_string()),
        1 => (-0.1f64..1.2).prop_map(|v| format!("{v:.2e}")),
        1 => prop_oneof![Just("null"), Just("\"0.5\""), Just("NaN"), Just("true"), Just("1.")].prop_map(str::to_owned),
    ];
    let outcome = prop_oneof![6 => Just("true"), 6 => Just("false"), 3 => Just("1"), 3 => Just("0.0"), 1 => Just("\"yes\""), 1 => Just("2")];
    let plain = (conf, outcome, "[a-z\\\\ ]{0,6}", 0u8..8, 0u32..5).prop_map(
        |(c, y, text, layout, group)| match layout {
            0 => format!("{{\"correct\":{y},\"conf\":{c},\"g\":{group}}}"),
            1 => format!("{{\"conf\":{c},\"g\":{group}}}"),
            2 => String::new(),
            _ => format!("{{\"conf\": {c}, \"t\": \"{text}\", \"correct\": {y}, \"g\": {group}}}"),
        },
    );
    (
        plain,
        proptest::option::weighted(0.03, (0usize..60, any::<u8>())),
    )
        .prop_map(|(line, damage)| {
            let mut line = line.into_bytes();
            if let Some((at, byte)) = damage
                && at < line.len()
            {
                line[at] = byte;
            }
            line.push(b'\n');
            line
        })
}

proptest! {
    /// An array in the first line keeps the layout from being learnt for the next 256: the same lines then go to the scanner.
    #[test]
    fn layout_and_scanner_give_the_same_records_or_the_same_error(
        lines in proptest::collection::vec(line(), 1..40), grouped in any::<bool>(), buffer in 1usize..300,
    ) {
        let fields = Fields {
            confidence: Some("conf".into()), correct: Some("correct".into()), group: grouped.then(|| "g".to_owned()), ..Fields::default()
        };
        let all = |first: &str| {
            let log = [first.as_bytes(), b"\n", &lines.concat()].concat();
            let mut out = vec![];
            let mut reader = CalibrationReader::new(std::io::BufReader::with_capacity(buffer, &log[..]), &fields).unwrap();
            let end = loop {
                match reader.next_record(|r, g| out.push(format!("{r:?} {g:?}"))) {
                    Ok(true) => {}
                    Ok(false) => break String::new(),
                    Err(e) => break e.to_string(),
                }
            };
            (out, end)
        };
        prop_assert_eq!(all("{\"conf\":0.5,\"correct\":1,\"g\":0}"), all("{\"conf\":0.5,\"correct\":1,\"g\":0,\"a\":[]}"));
    }
}
