//! Nothing of the user's is lost, and no result is: what may be written over, what is kept when a file cannot be written, and that equal
//! runs give equal bytes.

use std::path::Path;
use std::process::{Command, Output};

/// Quick problems, one of each subcommand that writes documents: arguments, and the input if there is one.
const QUICK: [(&str, Option<&str>); 3] = [
    (
        "lost-sales --demand poisson:2 --lead-time 0 --penalty 4 --steps 0",
        None,
    ),
    (
        "lost-sales --demand demand.txt --lead-time 1 --penalty 4 --steps 0",
        Some("demand.txt"),
    ),
    (
        "backtest --data sales.csv --members 1 --steps 2",
        Some("sales.csv"),
    ),
];

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &str| std::fs::write(folder.path().join(name), content);
    write("demand.txt", "1\n2\n0\n3\n").unwrap();
    let rows: String = (0..40)
        .map(|week| format!("p,{week},{},10,6\n", 3 + week % 5))
        .collect();
    write(
        "sales.csv",
        &format!("product,week,demand,price,cost\n{rows}"),
    )
    .unwrap();
    folder
}

fn hindsight(folder: &Path, line: &str, more: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_hindsight"))
        .current_dir(folder)
        .args(line.split(' '))
        .args(more)
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_file_of_the_users_is_kept_whatever_it_mentions() {
    let folder = folder();
    let notes = "Notes on hindsight: run it on Monday.\n";
    let at = folder.path().join("notes.txt");
    std::fs::write(&at, notes).unwrap();
    for (line, _) in QUICK {
        for option in ["--json", "--report"] {
            let output = hindsight(folder.path(), line, &[option, "notes.txt"]);
            assert_eq!(output.status.code(), Some(2), "{}", said(&output));
            assert!(said(&output).contains("notes.txt: exists and was not written by hindsight"));
            assert_eq!(std::fs::read_to_string(&at).unwrap(), notes);
        }
    }
}

#[cfg(unix)]
#[test]
fn an_input_is_never_an_output_under_any_name_by_force_neither() {
    let folder = folder();
    for (line, input) in QUICK {
        let Some(input) = input else { continue };
        let data = folder.path().join(input);
        let before = std::fs::read(&data).unwrap();
        let (hard, soft) = (format!("hard-{input}"), format!("soft-{input}"));
        std::fs::hard_link(&data, folder.path().join(&hard)).unwrap();
        std::os::unix::fs::symlink(input, folder.path().join(&soft)).unwrap();
        let dotted = format!("./{input}");
        for name in [input, &hard, &soft, &dotted] {
            for option in ["--json", "--report"] {
                let output = hindsight(folder.path(), line, &[option, name, "--force"]);
                assert_eq!(
                    output.status.code(),
                    Some(2),
                    "{line} {name}: {}",
                    said(&output)
                );
                assert!(
                    said(&output).contains("cannot be the output too"),
                    "{}",
                    said(&output)
                );
                assert_eq!(std::fs::read(&data).unwrap(), before);
            }
        }
        let both = ["--json", "a.out", "--report", "./a.out", "--force"];
        let output = hindsight(folder.path(), line, &both);
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(said(&output).contains("two outputs"), "{}", said(&output));
    }
}

/// `/dev/full` takes nothing: what the check of the places cannot foresee.
#[cfg(target_os = "linux")]
#[test]
fn a_page_that_cannot_be_written_costs_neither_the_table_nor_keeps_half() {
    for (line, _) in QUICK {
        let folder = folder();
        std::fs::write(folder.path().join("out.json"), "").unwrap();
        let places = ["--json", "out.json", "--report", "/dev/full"];
        let output = hindsight(folder.path(), line, &places);
        assert_eq!(output.status.code(), Some(1), "{}", said(&output));
        assert!(
            said(&output).contains("cannot write /dev/full"),
            "{}",
            said(&output)
        );
        let table = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(table.contains("base stock"), "{table}");
        // The document of before stands: all outputs or none.
        assert!(
            std::fs::read(folder.path().join("out.json"))
                .unwrap()
                .is_empty()
        );
        let places = ["--json", "-", "--report", "/dev/full"];
        let output = hindsight(folder.path(), line, &places);
        assert_eq!(output.status.code(), Some(1));
        assert!(serde_json::from_slice::<serde_json::Value>(&output.stdout).is_ok());
    }
}

#[test]
fn equal_runs_give_equal_bytes_whatever_their_files_are_called() {
    let folder = folder();
    for (line, _) in QUICK {
        let run = |json: &str, page: &str, threads: &str| {
            let more = ["--json", json, "--report", page, "--threads", threads];
            let output = hindsight(folder.path(), line, &more);
            assert!(output.status.success(), "{}", said(&output));
            let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
            (read(json), read(page))
        };
        let first = run("a.json", "a.html", "1");
        let second = run("b.json", "b.html", "2");
        assert!(first == second, "{line}");
        let document: serde_json::Value = serde_json::from_str(&first.0).unwrap();
        assert_eq!(document["seed"], 7);
        let words = document["command_line"].as_array().unwrap();
        assert_eq!(words.len(), 1 + line.split(' ').count());
    }
}

/// A problem that takes no time.
const QUICKEST: &str = QUICK[0].0;

#[test]
fn documents_say_how_they_were_made_and_are_ours() {
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    for seed in ["3", "4"] {
        // Nothing is forced: the second round replaces what the first wrote.
        let more = ["--json", "a.json", "--report", "a.html", "--seed", seed];
        let output = hindsight(folder.path(), QUICK[1].0, &more);
        assert!(output.status.success(), "{}", said(&output));
    }
    let text = std::fs::read_to_string(at("a.json")).unwrap();
    assert!(text.starts_with("{\n  \"hindsight\": \"lost-sales\",\n  \"version\": \""));
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(document["seed"], 4);
    assert_eq!(document["inputs"][0]["name"], "demand.txt");
    // SHA-256 of the four lines.
    let digest = "d8935182";
    let found = document["inputs"][0]["sha256"].as_str().unwrap();
    assert!(found.len() == 64 && found.starts_with(digest), "{found}");
    let html = std::fs::read_to_string(at("a.html")).unwrap();
    assert!(html.contains(&format!("SHA-256 {digest}")) && html.contains("<dd>4</dd>"));
    let mut names: Vec<String> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    assert_eq!(names, ["a.html", "a.json", "demand.txt", "sales.csv"]);
}

#[test]
fn only_the_exact_opening_counts_as_ours() {
    let folder = folder();
    let at = folder.path().join("out");
    let run = || hindsight(folder.path(), QUICKEST, &["--json", "out"]);
    for note in [
        "# Notes on hindsight\n",
        "#!/bin/sh\nhindsight backtest --data sales.csv\n",
        "{\"hindsight\": \"my own settings\"}\n",
        "{\n  \"hindsight\": \"notes\",\n  \"version\": \"1\"\n}\n",
        "{\n  \"hindsight\": \"backtest\",\n  \"of\": \"mine\"\n}\n",
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head><title>hindsight</title>\n",
        " {\n  \"hindsight\": \"backtest\",\n  \"version\": \"0.1.0\"\n",
    ] {
        std::fs::write(&at, note).unwrap();
        let output = run();
        assert_eq!(output.status.code(), Some(2), "{note}");
        assert!(said(&output).contains("out: "), "{}", said(&output));
        assert_eq!(std::fs::read_to_string(&at).unwrap(), note);
    }
    for ours in [
        "",
        "{\n  \"hindsight\": \"llm gap\",\n  \"version\": \"0.1.0\",\n",
    ] {
        std::fs::write(&at, ours).unwrap();
        assert!(run().status.success(), "{ours}");
    }
    let forced = hindsight(
        folder.path(),
        QUICKEST,
        &["--json", "demand.txt", "--force"],
    );
    assert!(forced.status.success(), "{}", said(&forced));
}

#[test]
fn places_that_cannot_be_written_are_reported_before_any_work() {
    let folder = folder();
    for place in [".", "no/where.html"] {
        let output = hindsight(folder.path(), QUICKEST, &["--report", place]);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0));
    }
    // A folder of the system that takes no new file, whoever asks.
    if Path::new("/proc/self").is_dir() {
        let output = hindsight(folder.path(), QUICKEST, &["--report", "/proc/self/a.html"]);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
    }
    let line = "lost-sales --demand missing.txt --lead-time 0 --penalty 4";
    for missing in ["backtest --data missing.csv", line] {
        let output = hindsight(folder.path(), missing, &[]);
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(!said(&output).contains("os error"), "{}", said(&output));
    }
}

#[cfg(unix)]
#[test]
fn a_link_stays_a_link() {
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("real.json"), "").unwrap();
    for (link, real) in [("link.json", "real.json"), ("open.json", "missing.json")] {
        std::os::unix::fs::symlink(real, at(link)).unwrap();
        let output = hindsight(folder.path(), QUICKEST, &["--json", link]);
        assert!(output.status.success(), "{}", said(&output));
        assert!(
            std::fs::read_to_string(at(real))
                .unwrap()
                .contains("lost-sales")
        );
        assert!(std::fs::symlink_metadata(at(link)).unwrap().is_symlink());
    }
}

#[test]
fn a_page_of_the_back_test_is_written_unless_it_is_declined() {
    let folder = folder();
    let page = folder.path().join("report.html");
    for (more, written) in [(&["--no-report"][..], false), (&[], true)] {
        let output = hindsight(folder.path(), QUICK[2].0, more);
        assert!(output.status.success(), "{}", said(&output));
        assert_eq!(page.exists(), written);
    }
}

/// The tables of a page as Markdown and as CSV, replaced by the next run but not where somebody else's file stands; quiet runs print nothing.
#[test]
fn tables_are_exported_and_quiet_is_quiet() {
    let folder = folder();
    let quick = "--quiet lost-sales --demand poisson:2 --lead-time 0 --penalty 4 --steps 0";
    for (name, first) in [
        ("t.md", "<!-- Tables by hindsight "),
        ("t.csv", "# Tables by hindsight "),
    ] {
        for _ in 0..2 {
            let output = hindsight(folder.path(), quick, &["--tables", name]);
            assert!(output.status.success() && output.stdout.is_empty());
        }
        let text = std::fs::read_to_string(folder.path().join(name)).unwrap();
        assert!(
            text.starts_with(first) && text.contains("base stock"),
            "{text}"
        );
    }
    std::fs::write(folder.path().join("mine.md"), "my own notes").unwrap();
    let refused = hindsight(folder.path(), quick, &["--tables", "mine.md"]);
    assert_eq!(refused.status.code(), Some(2));
}

#[test]
fn completions_and_manual_pages_name_the_subcommands() {
    let folder = folder();
    for (line, word) in [
        ("completions bash", "backtest"),
        ("completions fish", "lost-sales"),
        ("man", "lost\\-sales"),
        ("man llm calibration", "hindsight\\-llm\\-calibration"),
    ] {
        let output = hindsight(folder.path(), line, &[]);
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success() && text.contains(word),
            "{line}: {text}"
        );
    }
    let wrong = hindsight(folder.path(), "man nothing", &[]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(said(&wrong).contains("backtest"));
}
