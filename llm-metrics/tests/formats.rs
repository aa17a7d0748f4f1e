//! A small file of the shape of each format: its records come out, and a damaged one names its place.

use std::io::{BufReader, Cursor};

use hindsight_llm_metrics::io::{
    CalibrationReader, Fields, Outcome, OutcomeFields, OutcomeReader, ReadError, Record, Rows,
    Schema, Tool, decompressed,
};

const INSPECT: &str = include_str!("formats/inspect.json");
const OPENAI_EVALS: &str = include_str!("formats/openai_evals.jsonl");
const PROMPTFOO: &str = include_str!("formats/promptfoo.json");
const DEEPEVAL: &str = include_str!("formats/deepeval.json");
const HELM: &str = include_str!("formats/helm_per_instance_stats.json");
const CHAT: &str = include_str!("formats/chat_logprobs.jsonl");

/// Confidences (rounded) and outcomes of a log.
fn records(log: &str, fields: &Fields) -> Result<Vec<(f64, bool)>, ReadError> {
    let mut reader = CalibrationReader::new(BufReader::with_capacity(16, log.as_bytes()), fields)?;
    let mut out = vec![];
    while reader.next_record(|r, _| out.push(r.top_label()))? {}
    Ok(out
        .into_iter()
        .map(|(c, y)| ((c * 1e6).round() / 1e6, y))
        .collect())
}

fn outcomes(log: &str, fields: &OutcomeFields) -> Result<Vec<(String, f64)>, ReadError> {
    let mut reader = OutcomeReader::new(log.as_bytes(), fields)?;
    let mut out = vec![];
    while let Some((_, outcome)) = reader.next_outcome()? {
        if let Outcome::Response { prompt, utility } = outcome {
            out.push((prompt, utility));
        }
    }
    Ok(out)
}

fn tool(log: &str) -> Option<Tool> {
    Rows::new::<&str>(log.as_bytes(), &[]).unwrap().tool()
}

fn pairs(list: &[(&str, f64)]) -> Vec<(String, f64)> {
    list.iter().map(|(p, u)| ((*p).to_owned(), *u)).collect()
}

#[test]
fn inspect_ai() {
    assert_eq!(tool(INSPECT), Some(Tool::InspectAi));
    let d = Fields::default();
    // Probabilities of whole answers: exp of the sums of the tokens' logarithms.
    assert_eq!(
        records(INSPECT, &d).unwrap(),
        [(0.9, true), (0.5, false), (0.5, true)]
    );
    assert_eq!(
        outcomes(INSPECT, &OutcomeFields::default()).unwrap(),
        pairs(&[("1", 1.0), ("1", 0.0), ("2", 1.0)])
    );
    let two = INSPECT.replacen(
        "{\"match\": {\"value\": \"C\"",
        "{\"other\": {\"value\": \"I\"}, \"match\": {\"value\": \"C\"",
        1,
    );
    let e = outcomes(&two, &OutcomeFields::default()).unwrap_err();
    assert!(e.to_string().contains("several scores"), "{e}");
    let named = OutcomeFields {
        correct: Some("scores.match.value".to_owned()),
        ..OutcomeFields::default()
    };
    assert_eq!(outcomes(&two, &named).unwrap().len(), 3);
    let cut = &INSPECT[..INSPECT.len() - 60];
    assert!(records(cut, &d).is_err());
    let bad = INSPECT.replace("\"value\": \"I\"", "\"value\": \"?\"");
    assert_eq!(records(&bad, &d).unwrap_err().line(), Some(13));
}

/// `.eval`: the same samples in a zip archive, one member each.
#[test]
fn inspect_ai_archives() {
    let samples: serde_json::Value = serde_json::from_str(INSPECT).unwrap();
    let mut archive = vec![];
    let mut member = |name: String, text: String| {
        let length = u32::try_from(text.len()).unwrap().to_le_bytes();
        archive.extend(b"PK\x03\x04\x14\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x02\x03\x04");
        archive.extend(length);
        archive.extend(length);
        archive.extend(u16::try_from(name.len()).unwrap().to_le_bytes());
        archive.extend([0, 0]);
        archive.extend(name.into_bytes());
        archive.extend(text.into_bytes());
    };
    member("header.json".to_owned(), "{\"version\": 2}".to_owned());
    for (i, s) in samples["samples"].as_array().unwrap().iter().enumerate() {
        member(
            format!("samples/{i}_epoch_1.json"),
            if i == 1 {
                format!("{s:#}")
            } else {
                s.to_string()
            },
        );
    }
    archive.extend(b"PK\x01\x02");
    let reader = decompressed(Cursor::new(archive)).unwrap();
    let mut reader = CalibrationReader::new(reader, &Fields::default()).unwrap();
    let mut right = vec![];
    while reader
        .next_record(|r, _| right.push(r.top_label().1))
        .unwrap()
    {}
    assert_eq!(right, [true, false, true]);
}

#[test]
fn openai_evals() {
    assert_eq!(tool(OPENAI_EVALS), Some(Tool::OpenAiEvals));
    let expected = pairs(&[("arithmetic.dev.0", 1.0), ("arithmetic.dev.1", 0.0)]);
    assert_eq!(
        outcomes(OPENAI_EVALS, &OutcomeFields::default()).unwrap(),
        expected
    );
    let bad = OPENAI_EVALS.replace("\"correct\": false", "\"correct\": \"perhaps\"");
    assert_eq!(
        outcomes(&bad, &OutcomeFields::default())
            .unwrap_err()
            .line(),
        Some(5)
    );
}

#[test]
fn promptfoo_and_deepeval() {
    assert_eq!(tool(PROMPTFOO), Some(Tool::Promptfoo));
    assert_eq!(tool(DEEPEVAL), Some(Tool::DeepEval));
    let d = Fields::default();
    assert_eq!(records(PROMPTFOO, &d).unwrap(), [(0.9, true), (0.3, false)]);
    assert_eq!(records(DEEPEVAL, &d).unwrap(), [(0.9, true), (0.2, false)]);
    let o = OutcomeFields::default();
    assert_eq!(
        outcomes(PROMPTFOO, &o).unwrap(),
        pairs(&[("0", 1.0), ("1", 0.0)])
    );
    assert_eq!(
        outcomes(DEEPEVAL, &o).unwrap(),
        pairs(&[("test_case_0", 1.0), ("test_case_1", 0.0)])
    );
    assert_eq!(
        records(&PROMPTFOO.replace("\"score\": 0.3", "\"score\": 3"), &d)
            .unwrap_err()
            .line(),
        Some(9)
    );
}

#[test]
fn helm() {
    assert_eq!(tool(HELM), Some(Tool::Helm));
    assert_eq!(
        records(HELM, &Fields::default()).unwrap(),
        [(0.8, true), (0.6, false)]
    );
    assert_eq!(
        outcomes(HELM, &OutcomeFields::default()).unwrap(),
        pairs(&[("id1", 1.0), ("id2", 0.0)])
    );
    let e = records(&HELM.replace("max_prob", "other"), &Fields::default()).unwrap_err();
    assert!(
        e.line() == Some(2) && e.to_string().contains("max_prob"),
        "{e}"
    );
}

#[test]
fn responses_with_token_log_probabilities() {
    assert_eq!(tool(CHAT), Some(Tool::ChatCompletions));
    let named = Fields {
        classes: ["A", "B", "C", "D"].map(str::to_owned).to_vec(),
        ..Fields::default()
    };
    // " B" goes with "B"; "The" is no class; D was not among the listed tokens.
    let b = (-0.2f64).exp() + (-4.0f64).exp();
    let first = b / (b + (-2.0f64).exp());
    let second = (-0.3f64).exp() / ((-0.3f64).exp() + (-1.5f64).exp());
    let round = |v: f64| (v * 1e6).round() / 1e6;
    assert_eq!(
        records(CHAT, &named).unwrap(),
        [(round(first), true), (round(second), false)]
    );
    let e = records(CHAT, &Fields::default()).unwrap_err();
    assert!(e.to_string().contains("name the classes"), "{e}");
    let unknown = CHAT.replace("\"answer\": \"C\"", "\"answer\": \"E\"");
    let e = records(&unknown, &named).unwrap_err();
    assert_eq!(e.line(), Some(2), "{e}");
}

#[test]
fn distributions_by_name_and_by_column() {
    let d = Fields::default();
    let expected = [(0.7, true), (0.6, false)];
    for log in [
        "{\"probs\": {\"yes\": 0.7, \"no\": 0.3}, \"label\": \"yes\"}\n{\"probs\": {\"no\": 0.6, \"yes\": 0.4}, \"label\": \"yes\"}\n",
        "p0,p1,label\n0.3,0.7,1\n0.6,0.4,1\n",
        "prob_no;prob_yes;label\n0,3;0,7;yes\n0,6;0,4;yes\n",
        "p_A\tp_B\tlabel\n30%\t70 %\tB\n60%\t40%\tB\n",
        "[{\"probs\": [0.3, 0.7], \"label\": 1},\n {\"probs\": [0.6, 0.4], \"label\": \"B\"}]\n",
    ] {
        assert_eq!(records(log, &d).unwrap(), expected, "{log}");
    }
    let e = records("p0,p1,label\n0.3,0.7,1\n0.6,,1\n", &d).unwrap_err();
    assert_eq!(e.line(), Some(3), "{e}");
    let e = records(
        "{\"probs\": {\"a\": 0.7, \"b\": 0.3}, \"label\": \"c\"}\n",
        &d,
    )
    .unwrap_err();
    assert!(e.to_string().contains("none of the classes a, b"), "{e}");
}

#[test]
fn tables_with_other_separators_percent_signs_and_words() {
    let d = Fields::default();
    for log in [
        "conf\tcorrect\n90%\tyes\n40 %\tno\n",
        "conf;correct\n0,9;Yes\n0,4;No\n",
        "conf;correct\n0.9;true\n0.4;false\n",
        "confidence,correct\n0.9,correct\n0.4,incorrect\n",
        "[\n  {\n    \"conf\": 0.9,\n    \"correct\": \"pass\"\n  },\n  {\"conf\": \"40%\", \"correct\": \"fail\"}\n]\n",
        "{\n  \"conf\": 0.9,\n  \"correct\": true\n}\n{\n  \"conf\": 0.4,\n  \"correct\": false\n}\n",
        "{\"c\\u006fnf\": 0.9, \"correct\": true}\n{\"conf\": 0.4, \"corr\\u0065ct\": false}\n",
    ] {
        assert_eq!(
            records(log, &d).unwrap(),
            [(0.9, true), (0.4, false)],
            "{log}"
        );
    }
    // The place of an error counts blank lines before the header, and the lines of a record that goes over several.
    let e = records("\n\nconf,correct\n0.9,1\n1.4,0\n", &d).unwrap_err();
    assert_eq!(e.line(), Some(5), "{e}");
    let e = records("{\n  \"conf\": 0.9,\n  \"correct\": true\n}\n{\n  \"conf\": .4,\n  \"correct\": false\n}\n", &d).unwrap_err();
    assert!(e.to_string().starts_with("line 6, column 11"), "{e}");
}

#[test]
fn logits_that_look_like_probabilities_are_counted_and_minus_infinity_is_a_logit() {
    let log = "{\"logits\": [0.1, 0.9], \"label\": 1}\n{\"logits\": [-Infinity, 2], \"label\": 1}\n{\"logits\": [\"-inf\", 2], \"label\": 1}\n";
    let mut reader = CalibrationReader::new(log.as_bytes(), &Fields::default()).unwrap();
    let mut seen = vec![];
    while reader
        .next_record(|r, _| {
            if let Record::Logits(z, _) = r {
                seen.push(z.to_vec());
            }
        })
        .unwrap()
    {}
    assert_eq!(
        (reader.schema(), reader.probabilities_as_logits()),
        (Schema::Logits, 1)
    );
    assert_eq!(seen[1], seen[2]);
}

#[test]
fn a_record_beyond_the_limit_on_memory_is_an_error() {
    let long = format!(
        "{{\"conf\": 0.5, \"correct\": 1, \"text\": \"{}\"}}\n",
        "x".repeat(65 << 20)
    );
    let good = "{\"conf\": 0.5, \"correct\": 1}\n";
    let e = records(&format!("{good}{long}"), &Fields::default()).unwrap_err();
    assert!(matches!(e, ReadError::TooLong { line: 2, .. }), "{e}");
    let e = records(&format!("[{}]", long.trim()), &Fields::default()).unwrap_err();
    assert!(matches!(e, ReadError::TooLong { line: 1, .. }), "{e}");
}

/// inspect_ai: P is partly right and N no answer; earlier versions had one score.
#[test]
fn inspect_ai_values() {
    let sample = |value: &str| {
        format!("{{\"id\": 1, \"epoch\": 1, \"scores\": {{\"match\": {{\"value\": {value}}}}}}}\n")
    };
    let log: String = ["\"C\"", "\"P\"", "\"N\"", "\"I\"", "0.25", "true"]
        .iter()
        .map(|v| sample(v))
        .collect();
    let o = OutcomeFields::default();
    let utilities: Vec<f64> = outcomes(&log, &o)
        .unwrap()
        .into_iter()
        .map(|x| x.1)
        .collect();
    assert_eq!(utilities, [1.0, 0.5, 0.0, 0.0, 0.25, 1.0]);
    let e = outcomes(&sample("\"maybe\""), &o).unwrap_err().to_string();
    assert!(e.contains("\"maybe\" is not"), "{e}");
    let old = "{\"id\": 1, \"epoch\": 1, \"score\": {\"value\": \"C\"}}\n";
    assert_eq!(outcomes(old, &o).unwrap(), pairs(&[("1", 1.0)]));
    let partly = "prompt,correct\nq,P\n";
    assert!(outcomes(partly, &o).is_err());
}

/// OpenAI's evals: what a model grades is an event of another type; where both are written each sample counts once.
#[test]
fn openai_evals_graded_by_a_model() {
    let event = |sample: u32, kind: &str, data: &str| {
        format!(
            "{{\"run_id\": \"r\", \"event_id\": 0, \"sample_id\": \"s.{sample}\", \"type\": \"{kind}\", \"data\": {data}}}\n"
        )
    };
    let o = OutcomeFields::default();
    let expected = pairs(&[("s.0", 1.0), ("s.1", 0.0)]);
    let graded = event(0, "sampling", "{\"prompt\": \"x\"}")
        + &event(0, "metrics", "{\"choice\": \"Y\", \"score\": 1.0}")
        + &event(1, "metrics", "{\"choice\": \"N\", \"score\": 0.0}");
    assert_eq!(outcomes(&graded, &o).unwrap(), expected);
    let both: String = [(0, "true", 1.0), (1, "false", 0.0)]
        .iter()
        .map(|(s, right, accuracy)| {
            event(*s, "match", &format!("{{\"correct\": {right}}}"))
                + &event(
                    *s,
                    "metrics",
                    &format!("{{\"accuracy\": {accuracy}, \"f1_score\": 0.5}}"),
                )
        })
        .collect();
    assert_eq!(outcomes(&both, &o).unwrap(), expected);
    let reported =
        format!("{{\"spec\": {{}}}}\n{{\"final_report\": {{\"accuracy\": 0.5}}}}\n{both}");
    assert_eq!(outcomes(&reported, &o).unwrap(), expected);
}

/// promptfoo: earlier versions have no test number but variables, and several prompts answer each test.
#[test]
fn promptfoo_versions() {
    let result = |extra: &str, q: &str, right: bool, score: f64| {
        format!(
            "{{{extra}\"provider\": {{\"id\": \"m\"}}, \"prompt\": {{\"raw\": \"x\"}}, \"vars\": {{\"q\": \"{q}\", \"r\": \"b\"}}, \"success\": {right}, \"score\": {score}}}"
        )
    };
    let (d, o) = (Fields::default(), OutcomeFields::default());
    let (a, b) = (result("", "a", true, 1.0), result("", "b", false, 0.25));
    let two = format!(
        "{{\"results\": {{\"version\": 2, \"results\": [{a},\n{b}], \"table\": {{}}}}, \"config\": {{}}}}\n"
    );
    assert_eq!(
        outcomes(&two, &o).unwrap(),
        pairs(&[("a\u{1f}b", 1.0), ("b\u{1f}b", 0.0)])
    );
    assert_eq!(records(&two, &d).unwrap(), [(1.0, true), (0.25, false)]);
    let placed = |prompt: u32, q: &str, right, score| {
        result(
            &format!("\"testIdx\": 3, \"promptIdx\": {prompt}, "),
            q,
            right,
            score,
        ) + "\n"
    };
    let log = placed(0, "a", true, 1.0) + &placed(1, "a", false, 0.5);
    for e in [
        outcomes(&log, &o).unwrap_err(),
        records(&log, &d).unwrap_err(),
    ] {
        assert!(
            e.line() == Some(2) && e.to_string().contains("mixes the filters \"0\" and \"1\""),
            "{e}"
        );
    }
    let one = OutcomeFields {
        filter: Some("1".to_owned()),
        ..OutcomeFields::default()
    };
    assert_eq!(outcomes(&log, &one).unwrap(), pairs(&[("3", 0.0)]));
    let one = Fields {
        filter: Some("0".to_owned()),
        ..Fields::default()
    };
    assert_eq!(records(&log, &one).unwrap(), [(1.0, true)]);
}

/// DeepEval: test results as a program returns them, and the file of the latest run.
#[test]
fn deepeval_results_and_latest_run() {
    let case = |name: &str, right: bool, score: f64, metrics: &str| {
        format!(
            "{{\"name\": \"{name}\", \"success\": {right}, \"{metrics}\": [{{\"name\": \"C\", \"success\": {right}, \"score\": {score}}}]}}"
        )
    };
    let both = |metrics| {
        format!(
            "[{},\n{}]",
            case("a", true, 0.9, metrics),
            case("b", false, 0.2, metrics)
        )
    };
    for log in [
        format!(
            "{{\"test_results\": {}, \"confident_link\": null}}\n",
            both("metrics_data")
        ),
        both("metrics_data"),
        format!(
            "{{\"testRunData\": {{\"testCases\": {}, \"conversationalTestCases\": []}}, \"testRunLink\": null}}\n",
            both("metricsData")
        ),
        format!(
            "{{\"testCases\": [], \"conversationalTestCases\": {}}}\n",
            both("metricsData")
        ),
    ] {
        assert_eq!(
            records(&log, &Fields::default()).unwrap(),
            [(0.9, true), (0.2, false)],
            "{log}"
        );
        assert_eq!(
            outcomes(&log, &OutcomeFields::default()).unwrap(),
            pairs(&[("a", 1.0), ("b", 0.0)]),
            "{log}"
        );
    }
}

/// HELM: statistics by name (`display_predictions.json`), other statistics, and perturbed instances.
#[test]
fn helm_shapes() {
    let (d, o) = (Fields::default(), OutcomeFields::default());
    let shown = "[{\"instance_id\": \"id1\", \"predicted_text\": \"B\", \"stats\": {\"num_references\": 4, \"quasi_exact_match\": 1.0, \"max_prob\": 0.8}},\n\
                 {\"instance_id\": \"id2\", \"predicted_text\": \"A\", \"stats\": {\"num_references\": 4, \"quasi_exact_match\": 0.0, \"max_prob\": 0.6}}]\n";
    assert_eq!(records(shown, &d).unwrap(), [(0.8, true), (0.6, false)]);
    assert_eq!(
        outcomes(shown, &o).unwrap(),
        pairs(&[("id1", 1.0), ("id2", 0.0)])
    );
    let other = HELM
        .replace("exact_match", "my_match")
        .replace("max_prob", "my_prob");
    assert!(outcomes(&other, &o).is_err());
    let named = Fields {
        confidence: Some("stats.my_prob".to_owned()),
        correct: Some("stats.my_match".to_owned()),
        ..Fields::default()
    };
    assert_eq!(
        records(&other, &named).unwrap(),
        [(0.8, true), (0.6, false)]
    );
    let named = OutcomeFields {
        correct: Some("stats.my_match".to_owned()),
        ..OutcomeFields::default()
    };
    assert_eq!(
        outcomes(&other, &named).unwrap(),
        pairs(&[("id1", 1.0), ("id2", 0.0)])
    );
    let perturbed = HELM.replacen(
        "\"id2\",",
        "\"id2\", \"perturbation\": {\"name\": \"typos\"},",
        1,
    );
    assert_ne!(perturbed, HELM);
    let e = records(&perturbed, &d).unwrap_err().to_string();
    assert!(
        e.contains("mixes the filters \"none\" and \"typos\""),
        "{e}"
    );
    let chosen = Fields {
        filter: Some("none".to_owned()),
        ..Fields::default()
    };
    assert_eq!(records(&perturbed, &chosen).unwrap(), [(0.8, true)]);
}

/// The first token's log-probabilities where the completions interface, batches, the responses interface and vLLM keep them.
#[test]
fn places_of_token_log_probabilities() {
    let named = Fields {
        classes: ["A", "B"].map(str::to_owned).to_vec(),
        ..Fields::default()
    };
    let listed = "[{\"token\": \"A\", \"logprob\": -0.1, \"bytes\": [65]}, {\"token\": \"B\", \"logprob\": -2.5, \"bytes\": [66]}]";
    let chat = format!(
        "{{\"choices\": [{{\"logprobs\": {{\"content\": [{{\"token\": \"A\", \"top_logprobs\": {listed}}}]}}}}]}}"
    );
    let share = (-0.1f64).exp() / ((-0.1f64).exp() + (-2.5f64).exp());
    for log in [
        "{\"object\": \"text_completion\", \"choices\": [{\"text\": \" A\", \"logprobs\": {\"tokens\": [\" A\"], \"top_logprobs\": [{\" A\": -0.1, \" B\": -2.5}]}}], \"label\": \"A\"}".to_owned(),
        format!("{{\"id\": \"b\", \"custom_id\": \"q1\", \"response\": {{\"status_code\": 200, \"body\": {chat}}}, \"error\": null, \"label\": \"A\"}}"),
        format!("{{\"object\": \"response\", \"output\": [{{\"type\": \"reasoning\"}}, {{\"type\": \"message\", \"content\": [{{\"logprobs\": [{{\"token\": \"A\", \"top_logprobs\": {listed}}}]}}]}}], \"label\": \"A\"}}"),
        "{\"prompt\": \"q\", \"outputs\": [{\"logprobs\": [{\"65\": {\"logprob\": -0.1, \"rank\": 1, \"decoded_token\": \"A\"}, \"66\": {\"logprob\": -2.5, \"rank\": 2, \"decoded_token\": \"B\"}}]}], \"label\": \"A\"}".to_owned(),
    ] {
        assert_eq!(tool(&log), Some(Tool::ChatCompletions), "{log}");
        let read = records(&log, &named).unwrap_or_else(|e| panic!("{log}: {e}"));
        assert_eq!(read, [((share * 1e6).round() / 1e6, true)], "{log}");
    }
}

/// gsm8k: each document twice, once a filter.
#[test]
fn mixed_filters_are_refused_or_chosen() {
    let line = |doc: u32, filter: &str, right: u8| {
        format!(
            "{{\"doc_id\": {doc}, \"target\": \"4\", \"resps\": [[\"4\"]], \"filtered_resps\": [\"4\"], \"filter\": \"{filter}\", \"exact_match\": {right}.0}}\n"
        )
    };
    let log: String = (0..3)
        .flat_map(|d| [line(d, "strict-match", 0), line(d, "flexible-extract", 1)])
        .collect();
    let fields = OutcomeFields {
        correct: Some("exact_match".to_owned()),
        ..OutcomeFields::default()
    };
    let e = outcomes(&log, &fields).unwrap_err();
    assert!(
        e.line() == Some(2) && e.to_string().contains("mixes the filters"),
        "{e}"
    );
    let chosen = OutcomeFields {
        filter: Some("flexible-extract".to_owned()),
        ..fields
    };
    assert_eq!(
        outcomes(&log, &chosen).unwrap(),
        pairs(&[("0", 1.0), ("1", 1.0), ("2", 1.0)])
    );
}

/// Parquet is told from its first bytes, with what to do.
#[test]
fn parquet_files_are_told_to_be_converted() {
    let error = hindsight_llm_metrics::io::decompressed(&b"PAR1\x15\x04"[..]).err();
    assert!(
        error
            .unwrap()
            .to_string()
            .contains("convert it to JSON lines")
    );
}
