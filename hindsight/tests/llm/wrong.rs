//! Broken input: exit code 2, and a message that names the place.

use super::{Folder, binary_log, ok, run, wrong};

/// Further broken ones are in the tests of the crate that reads them.
#[test]
fn wrong_tournaments_and_protocols_name_their_place() {
    let f = Folder::new();
    let log = f.file("r.csv", "prompt,response,correct\nq,a,1\nq,b,0\nq,c,0\n");
    for (text, words) in [
        (
            "prompt,winner,loser\nq,a,b\n",
            "/wrong.csv: responses number",
        ),
        (
            "prompt,winner,loser,round\nq,a,b,1\nq,b,c,2\n",
            "/wrong.csv:3: column \"round\": prompt \"q\": one of the two was beaten",
        ),
    ] {
        let games = f.file("wrong.csv", text);
        let (log, games) = (log.to_str().unwrap(), games.to_str().unwrap());
        let args = ["llm", "gap", log, "--tournament", games];
        let (code, found) = run(args).unwrap_err();
        assert_eq!(code, 2, "{found}");
        let folder = f.0.path().to_string_lossy();
        let e = found.replace(&*folder, "");
        assert!(e.starts_with(words), "{e}");
    }
    let item = "\"shots\":0,\"seed\":1,\"logits\":[1,2],\"label\":0,\"item\":1";
    let text = format!("{{{item},\"regime\":\"test\"}}\n{{{item},\"regime\":\"fresh\"}}\n");
    let e = wrong(&f, "protocol", &text, &[]);
    let words =
        "/wrong:2: column \"item\": the item is also in the test of shots 0, seed 1 (line 1)";
    assert!(e.starts_with(words), "{e}");
}

#[test]
fn compressed_logs_are_read_and_cut_ones_are_wrong_input() {
    use std::io::Write as _;
    let f = Folder::new();
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gz.write_all(binary_log().as_bytes()).unwrap();
    let bytes = gz.finish().unwrap();
    let path = f.path("log.csv.gz");
    std::fs::write(&path, &bytes).unwrap();
    assert_eq!(ok(&f, "calibration", &path, &[])["records"], 2000);
    for cut in [5, 40, bytes.len() / 2, bytes.len() - 4] {
        std::fs::write(&path, &bytes[..cut]).unwrap();
        let args = ["llm", "calibration", path.to_str().unwrap()];
        let (code, error) = run(args).unwrap_err();
        assert_eq!(code, 2, "{cut}: {error}");
    }
}

#[test]
fn wrong_input_ends_with_code_two_and_names_its_place() {
    let f = Folder::new();
    let w = |command: &str, text: &str, rest: &[&str]| wrong(&f, command, text, rest);
    assert_eq!(w("calibration", "", &[]), "/wrong: there are no records");
    assert!(
        w(
            "calibration",
            "{\"conf\":0.5,\"correct\":1}\n{\"conf\":0.5,\n",
            &[]
        )
        .starts_with("/wrong:2: at byte 13")
    );
    assert_eq!(
        w("calibration", "conf,correct\n0.5,1\n,1\n", &[]),
        "/wrong:3: column \"conf\": is missing (--help says which option names another)"
    );
    assert!(w("calibration", "{\"probs\":[3,-2],\"label\":0}", &[]).contains("are these logits?"));
    assert!(
        w("calibration", "{\"conf\":NaN,\"correct\":1}", &[])
            .starts_with("/wrong:1: at byte 9: NaN")
    );
    assert!(
        w("calibration", "{\"probs\":[0.5,0.5],\"label\":2}", &[])
            .contains("outside the 2 classes")
    );
    assert!(w("calibration", "conf,correct\n0.5,1\n", &["--bins", "0"]).starts_with("--bins 0"));
    assert!(
        w("passk", "prompt,correct\na,1\na,0\nb,1\n", &["--k", "2"])
            .starts_with("/wrong:4: prompt \"b\" has 1 response in all, too few for --k 2")
    );
    assert!(
        w("passk", "n,c\n4,1\n1,1\n", &["--k", "2"]).starts_with("/wrong:3: the problem has 1")
    );
    assert!(
        w("gap", "prompt,correct,score\na,1,x\n", &[])
            .starts_with("/wrong:2: column \"score\": \"x\"")
    );
    assert!(w("gap", "prompt,correct,score\na,2,1\n", &[]).contains("the utility 2 is outside"));
    assert!(w("cbs", "batch,steps\n64,0\n", &[]).starts_with("/wrong:2: column \"steps\""));
    assert!(w("cbs", "a,b\n1,2\n", &[]).contains("expected the fields batch and steps"));
    assert!(w("scaling", "params,tokens,loss\n1,2,3\n", &[]).contains("needs at least 6"));
    assert!(
        w(
            "noise-scale",
            "small,big\n1,-2\n",
            &["--small-batch", "2", "--big-batch", "4"]
        )
        .starts_with("/wrong:2: column \"big\"")
    );
    assert!(
        w(
            "recalibrate",
            "conf,correct\n0.5,1\n0.6,0\n",
            &["--method", "temperature"]
        )
        .contains("logits")
    );
}
