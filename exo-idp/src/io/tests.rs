//! What reading keeps, and that damage never passes.

use std::io::Write as _;

use proptest::prelude::*;

use super::sheet::{Format, NumberProblem, Problem, Sheet};
use super::*;
use crate::backtest::Notice;
use crate::calendar::Week;

const GOOD: &str = "product,week,demand,price,cost,deal,note\n\
    a,1,3,2.5,1,0,x\n\
    a,2,0,2.5,1,1,x\n\
    b,2,7,1,0.5,0,y\n\
    a,5,4,2,1.5,0,x\n\
    b,3,1,1,0.5,0,y\n";

fn columns(change: impl FnOnce(&mut Columns)) -> Columns {
    let mut columns = Columns::default();
    change(&mut columns);
    columns
}

/// Any bytes at all.
fn read_as(
    bytes: impl AsRef<[u8]>,
    format: Format,
    columns: &Columns,
    settings: &Settings,
) -> Result<SalesTable, ReadError> {
    let bytes = std::io::Cursor::new(bytes.as_ref().to_vec());
    let mut sheet = Sheet::from_reader(bytes, "f.csv", format)?;
    read(&mut sheet, columns, settings, |_| {})
}

fn read_text(
    text: impl AsRef<[u8]>,
    change: impl FnOnce(&mut Columns),
) -> Result<SalesTable, ReadError> {
    read_as(
        text,
        Format::default(),
        &columns(change),
        &Settings::default(),
    )
}

fn read_with(text: &str, settings: Settings) -> Result<SalesTable, ReadError> {
    read_as(text, Format::default(), &Columns::default(), &settings)
}

fn words(text: &str) -> String {
    read_text(text, |_| {}).unwrap_err().to_string()
}

fn gzip(text: &str) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(text.as_bytes()).unwrap();
    packed.finish().unwrap()
}

#[test]
fn weeks_that_are_left_out_become_explicit() {
    let table = read_text(GOOD, |columns| {
        columns.planned = vec!["deal".to_owned()];
        columns.groups = vec!["note".to_owned()];
    })
    .unwrap();
    assert_eq!(table.products.len(), 2);
    assert_eq!(
        (table.products[0].first_week, table.products[0].rows.clone()),
        (1, 0..5)
    );
    assert_eq!(
        (table.products[1].first_week, table.products[1].rows.clone()),
        (2, 5..7)
    );
    assert_eq!(table.recorded, [true, true, false, false, true, true, true]);
    assert_eq!(table.demand, [3.0, 0.0, 0.0, 0.0, 4.0, 7.0, 1.0]);
    assert_eq!(table.price, [2.5, 2.5, 2.5, 2.5, 2.0, 1.0, 1.0]);
    assert_eq!(
        table.covariates[0].values,
        [0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    );
    assert_eq!(table.groups[0].values, ["x", "y"]);
    assert_eq!(
        (table.weeks(), table.missing(), table.rows_read),
        (Some((1, 5)), 2, 5)
    );
    let panel = table.panel().unwrap();
    assert_eq!((panel.products(), panel.weeks()), (2, 5));
    assert_eq!(
        (0..5)
            .map(|week| panel.present(1, week))
            .collect::<Vec<_>>(),
        [false, true, true, false, false]
    );
    assert!((panel.demand(1, 1) - 7.0).abs() < 1e-12);
    assert!((panel.demand(0, 4) - 4.0).abs() < 1e-12);
}

#[test]
fn gzip_crlf_bom_and_semicolons_read_the_same() {
    let plain = read_text(GOOD, |_| {}).unwrap();
    assert_eq!(read_text(gzip(GOOD), |_| {}).unwrap(), plain);
    assert_eq!(
        read_text(GOOD.replace('\n', "\r\n"), |_| {}).unwrap(),
        plain
    );
    assert_eq!(read_text(format!("\u{feff}{GOOD}"), |_| {}).unwrap(), plain);
    let semicolons = Format::new(Some(";"), false).unwrap();
    let (columns, settings) = (Columns::default(), Settings::default());
    let read = read_as(GOOD.replace(',', ";"), semicolons, &columns, &settings);
    assert_eq!(read.unwrap(), plain);
}

#[test]
fn lines_are_counted_as_editors_count_them() {
    let wrong = GOOD.replace("b,3,1,", "b,3,-1,");
    for text in [wrong.clone(), wrong.replace('\n', "\r\n")] {
        assert_eq!(
            words(&text),
            "f.csv:6: column \"demand\": \"-1\" is negative"
        );
    }
    let quoted = wrong
        .replacen(",x\n", ",\"x\ny\"\n", 1)
        .replacen("a,2", "\na,2", 1);
    assert!(words(&quoted).starts_with("f.csv:8:"), "{}", words(&quoted));
}

#[test]
fn numbers_may_stand_for_columns() {
    let table = read_text(GOOD, |columns| {
        columns.price = "8".to_owned();
        columns.cost = Cost::Share(0.5);
    })
    .unwrap();
    assert!(
        table.price.iter().all(|price| (price - 8.0).abs() < 1e-12)
            && table.cost.iter().all(|cost| (cost - 4.0).abs() < 1e-12)
    );
    let error = read_text(GOOD, |columns| columns.cost = Cost::Column("-1".to_owned()));
    let (purpose, problem) = ("cost", NumberProblem::Negative("-1".to_owned()));
    assert_eq!(error.unwrap_err(), ReadError::Number { purpose, problem });
}

#[test]
fn censored_sales_keep_what_the_correction_needs() {
    let text =
        "sku,date,sold,in,views,price,cost\nx,2024-01-01,3,0.5,20,2,1\nx,2024-01-15,4,1,0,2,1\n";
    let table = read_text(text, |columns| {
        columns.product = vec!["sku".to_owned()];
        columns.week = "date".to_owned();
        columns.sales = Some(SalesColumns {
            sold: "sold".to_owned(),
            in_stock: Some("in".to_owned()),
            views_out: Some("views".to_owned()),
            views_in: None,
            conversion: Some("0.1".to_owned()),
        });
    })
    .unwrap();
    assert_eq!(table.sales.as_deref(), Some([3.0, 0.0, 4.0].as_slice()));
    assert_eq!(
        table.stock.in_stock.as_deref(),
        Some([0.5, 0.5, 1.0].as_slice())
    );
    assert_eq!(
        table.stock.views_out.as_deref(),
        Some([20.0, 0.0, 0.0].as_slice())
    );
    assert_eq!(
        table.stock.conversion.as_deref(),
        Some([0.1, 0.1, 0.1].as_slice())
    );
    let panel = table.panel().unwrap();
    assert!(
        (panel.demand(0, 0) - 5.0).abs() < 1e-12,
        "3 sold and a tenth of 20 views"
    );
    assert!(!panel.present(0, 1));
    assert_eq!(table.week(1).to_string(), "2024-01-08");
}

#[test]
fn unusable_products_are_left_out_and_named() {
    let text = format!("{GOOD}c,9,1,1,1,0,z\nd,600,1,1,1,0,z\nd,601,1,1,1,0,z\n");
    let table = read_text(&text, |_| {}).unwrap();
    assert_eq!(table.products.len(), 2);
    let expected = [
        "1 product with fewer than 2 weeks was left out: c",
        "1 product recorded years apart from all others was left out (is the date right?): d",
    ];
    let notices: Vec<String> = table.notices.iter().map(Notice::to_string).collect();
    assert_eq!(notices, expected);
    let error = read_with(
        &text,
        Settings {
            least_weeks: 99,
            ..Settings::default()
        },
    );
    assert!(matches!(error, Err(ReadError::TooShort { least: 99, .. })));
}

#[test]
fn year_and_week_in_one_number_is_told() {
    let text = "product,week,demand,price,cost\na,202352,1,1,1\na,202401,1,1,1\n";
    let Err(ReadError::Row { place, problem }) = read_text(text, |_| {}) else {
        panic!("such numbers were read")
    };
    assert_eq!(place.to_string(), "f.csv:3: column \"week\"");
    let expected = RowProblem::YearAndWeek {
        product: "a".to_owned(),
        week: Week::Number(202_401),
        before: Week::Number(202_352),
    };
    assert_eq!(*problem, expected);
}

#[test]
fn a_week_without_a_row_can_mean_zero() {
    let settings = Settings {
        missing_is_zero: true,
        ..Settings::default()
    };
    let table = read_with(GOOD, settings).unwrap();
    assert!(table.recorded.iter().all(|present| *present));
}

proptest! {
    #[test]
    fn random_damage_never_panics_and_never_passes_bad_numbers(
        place in 0usize..400, byte: u8, cut in 0usize..500, pack: bool, twice: bool,
    ) {
        let mut bytes = GOOD.as_bytes().to_vec();
        if twice { let copy = bytes.clone(); bytes.extend(copy); }
        let at = place % bytes.len();
        bytes[at] = byte;
        if pack {
            let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            packed.write_all(&bytes).unwrap();
            bytes = packed.finish().unwrap();
            let at = place % bytes.len();
            bytes[at] ^= byte;
        }
        bytes.truncate(cut.max(1));
        let planned = |columns: &mut Columns| columns.planned = vec!["deal".to_owned()];
        match read_text(&bytes, planned) {
            Err(error) => prop_assert!(error.to_string().starts_with("f.csv"), "{error}"),
            Ok(table) => {
                let length = table.recorded.len();
                for column in [&table.demand, &table.price, &table.cost, &table.covariates[0].values] {
                    prop_assert_eq!(column.len(), length);
                    prop_assert!(column.iter().all(|value| value.is_finite()));
                }
                prop_assert!(table.demand.iter().chain(&table.price).chain(&table.cost).all(|value| *value >= 0.0));
                prop_assert_eq!(table.products.iter().map(|product| product.rows.len()).sum::<usize>(), length);
                prop_assert!(table.products.iter().all(|product| product.rows.len() > 1));
            }
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = read_text(&bytes, |_| {});
    }
}

#[test]
fn newest_first_files_read_the_same() {
    let mut lines: Vec<&str> = GOOD.trim_end().split('\n').collect();
    lines[1..].reverse();
    let turned = read_text(lines.join("\n"), |_| {}).unwrap();
    let plain = read_text(GOOD, |_| {}).unwrap();
    // Product b comes first there.
    let of = |table: &SalesTable, name: &str| {
        let product = table.products.iter().find(|p| p.name == name).unwrap();
        (
            product.first_week,
            table.demand[product.rows.clone()].to_vec(),
        )
    };
    for name in ["a", "b"] {
        assert_eq!(of(&turned, name), of(&plain, name));
    }
    // One direction for the whole file.
    let mixed = GOOD.replace("b,2,7", "b,4,7");
    assert!(words(&mixed).contains("sort the rows"), "{}", words(&mixed));
}

#[test]
fn names_that_collide_when_joined_are_refused() {
    let text = "x,y,week,demand,price,cost\na/b,c,1,1,2,1\na,b/c,1,1,2,1\n";
    let error = read_text(text, |columns| {
        columns.product = vec!["x".to_owned(), "y".to_owned()];
    });
    assert!(
        error
            .unwrap_err()
            .to_string()
            .contains("make the same name")
    );
}

#[test]
fn a_missing_column_says_what_it_was_for() {
    let Err(ReadError::Sheet(error)) = read_text("product,week,demand,price\na,1,1,2\n", |_| {})
    else {
        panic!("there is no cost")
    };
    assert!(matches!(&*error.problem, Problem::NoColumn { purpose, .. } if purpose == "cost"));
}

#[test]
fn names_are_checked_before_the_table_is() {
    let wrong = |change: fn(&mut Columns)| columns(change).check().unwrap_err();
    let sold = |columns: &mut Columns| {
        columns.sales = Some(SalesColumns {
            sold: "sold".to_owned(),
            ..SalesColumns::default()
        });
    };
    let sales = "sold".to_owned();
    assert_eq!(
        wrong(sold),
        ReadError::SalesAlone {
            sales: sales.clone()
        }
    );
    let viewed = |columns: &mut Columns| {
        columns.sales = Some(SalesColumns {
            sold: "sold".to_owned(),
            views_out: Some("views".to_owned()),
            ..SalesColumns::default()
        });
    };
    assert_eq!(wrong(viewed), ReadError::NoConversion { sales });
    for share in [0.0, 1.5, f64::NAN] {
        let cost = Columns {
            cost: Cost::Share(share),
            ..Columns::default()
        };
        assert!(matches!(cost.check(), Err(ReadError::CostShare { .. })));
    }
    let twice = wrong(|columns| columns.planned = vec!["a".to_owned(), "a".to_owned()]);
    assert_eq!(
        twice,
        ReadError::Twice {
            name: "a".to_owned()
        }
    );
    let blank = wrong(|columns| columns.groups = vec![" ".to_owned()]);
    let (purpose, name) = ("group", " ".to_owned());
    assert_eq!(blank, ReadError::NoName { purpose, name });
    let none = wrong(|columns| columns.product.clear());
    assert!(matches!(
        none,
        ReadError::NoName {
            purpose: "product",
            ..
        }
    ));
}

#[test]
fn summaries_leave_out_weeks_without_a_row() {
    let named = |columns: &mut Columns| columns.planned = vec!["deal".to_owned()];
    let table = read_text(GOOD, named).unwrap();
    let summaries = table.summaries();
    let names: Vec<&str> = summaries.iter().map(|own| own.name.as_str()).collect();
    assert_eq!(names, ["demand", "price", "cost", "deal"]);
    // Five rows of the seven weeks: 3, 0, 4, 7, 1.
    let demand = (summaries[0].least, summaries[0].mean, summaries[0].largest);
    assert_eq!(demand, (0.0, 3.0, 7.0));
    assert!(summaries[3].planned && (summaries[3].mean - 0.2).abs() < 1e-15);
}

#[test]
fn progress_counts_rows() {
    let mut text = String::from("product,week,demand,price,cost\n");
    for row in 0..140_000 {
        text.push_str(&format!("{},{},1,2,1\n", row / 200, row % 200));
    }
    let mut sheet =
        Sheet::from_reader(std::io::Cursor::new(text), "f.csv", Format::default()).unwrap();
    let mut told = Vec::new();
    read(
        &mut sheet,
        &Columns::default(),
        &Settings::default(),
        |rows| told.push(rows),
    )
    .unwrap();
    assert_eq!(told, [65_536, 131_072]);
}
