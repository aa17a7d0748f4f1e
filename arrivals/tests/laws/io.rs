//! Receipt logs from tables: what is wrong is a variant with its place.

use hindsight_arrivals::Clash;
use hindsight_arrivals::io::sheet::{Format, Sheet};
use hindsight_arrivals::io::{Columns, Counting, ReadError, Receipts, RowProblem, read};

const HEADER: &str = "order,vendor,ordered,received,order_date,receipt_date,status\n";

fn log(rows: &str, counting: Counting, columns: &Columns) -> Result<Receipts, ReadError> {
    let text = format!("{HEADER}{rows}").into_bytes();
    let mut sheet = Sheet::from_reader(std::io::Cursor::new(text), "log.csv", Format::default())?;
    read(&mut sheet, columns, counting, None)
}

fn problem(rows: &str) -> RowProblem {
    match log(rows, Counting::default(), &Columns::default()) {
        Err(ReadError::Row { problem, .. }) => *problem,
        other => panic!("{rows}: {other:?}"),
    }
}

#[test]
fn what_is_wrong_with_a_row_can_be_matched() {
    let good = "A,V,10,4,2024-01-01,2024-01-08,\n";
    let early = problem("A,V,10,4,2024-01-08,2024-01-01,\n");
    assert!(matches!(early, RowProblem::BeforeOrder { .. }), "{early}");
    let never = problem("A,V,10,4,2024-01-01,someday,\n");
    assert!(matches!(never, RowProblem::NoDate { .. }), "{never}");
    let other = problem(&format!("{good}B,V,10,4,7,2024-01-08,\n"));
    assert!(matches!(other, RowProblem::Notation { .. }), "{other}");
    let negative = problem("A,V,10,-4,2024-01-01,2024-01-08,\n");
    assert!(
        matches!(negative, RowProblem::Negative { .. }),
        "{negative}"
    );
    let twice = problem(&format!("{good}{good}"));
    let clash = Clash::Repeated { row: 2 };
    assert!(
        matches!(twice, RowProblem::Clash { clash: c, .. } if c == clash),
        "{twice}"
    );
    assert_eq!(
        problem("A,V,10,4,2024-01-01,,\n"),
        RowProblem::NoDateOfReceipt
    );
    assert_eq!(problem("A,,10,4,2024-01-01,,\n"), RowProblem::Empty);
}

#[test]
fn an_order_without_a_receipt_is_open_and_a_return_left_out() {
    let rows = "A,V,10,10,2024-01-01,2024-01-29,\nB,V,10,,2024-01-22,,\nR,V,5,-5,2024-01-01,2024-01-08,return\nC,V,10,,2024-01-22,,cancelled\n";
    let found = log(rows, Counting::default(), &Columns::default()).unwrap();
    assert_eq!(found.returns, 1);
    let log = found.book.log(found.book.longest()).unwrap();
    let until: Vec<_> = log.orders().iter().map(|order| order.seen_until).collect();
    assert_eq!(until, [None, Some(1), None]);
}

#[test]
fn ends_and_notations_are_checked() {
    let rows = "A,V,10,10,2024-01-01,2024-01-29,\n";
    let until = |end: &str| Columns {
        end: Some(end.to_owned()),
        ..Columns::default()
    };
    let late = log(rows, Counting::default(), &until("2024-01-28")).unwrap_err();
    assert!(
        late.to_string()
            .contains("is after the end of the data, 2024-01-28"),
        "{late}"
    );
    let none = log(rows, Counting::default(), &until("later")).unwrap_err();
    assert!(matches!(none, ReadError::End { .. }), "{none}");
    let days = Counting {
        days: true,
        ..Counting::default()
    };
    let weeks = log("A,V,10,10,2024-W01,2024-W05,\n", days, &Columns::default());
    let week = weeks.unwrap_err().to_string();
    assert!(week.contains("is a week; days need dates"), "{week}");
    let empty = log("", Counting::default(), &Columns::default());
    assert!(matches!(empty, Err(ReadError::NoOrder { .. })));
}
