//! The same table in every packing, and places of what is wrong.

use std::io::Write as _;

use super::*;

const TABLE: &str = "name,size\na,1.5\nb,2\n";

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(text).unwrap();
    packed.finish().unwrap()
}

fn read_as(bytes: impl Into<Vec<u8>>, format: Format) -> Result<Vec<(String, f64)>, String> {
    let read = || -> Result<Vec<(String, f64)>, SheetError> {
        let reader = std::io::Cursor::new(bytes.into());
        let mut sheet = Sheet::from_reader(reader, "f.csv", format)?;
        let (name, size) = (
            sheet.column("name", "names")?,
            sheet.column("size", "sizes")?,
        );
        let mut rows = Vec::new();
        while let Some(row) = sheet.next_row()? {
            rows.push((
                row.text(name).to_owned(),
                row.number(size, Domain::Positive)?,
            ));
        }
        Ok(rows)
    };
    read().map_err(|error| error.to_string())
}

fn read(bytes: impl Into<Vec<u8>>) -> Result<Vec<(String, f64)>, String> {
    read_as(bytes, Format::default())
}

#[test]
fn packing_line_ends_marks_and_separators_make_no_difference() {
    let plain = read(TABLE).unwrap();
    assert_eq!(plain, [("a".to_owned(), 1.5), ("b".to_owned(), 2.0)]);
    assert_eq!(read(gzip(TABLE.as_bytes())).unwrap(), plain);
    assert_eq!(read(format!("\u{feff}{TABLE}")).unwrap(), plain);
    assert_eq!(
        read(gzip(format!("\u{feff}{TABLE}").as_bytes())).unwrap(),
        plain
    );
    assert_eq!(read(TABLE.replace('\n', "\r\n")).unwrap(), plain);
    assert_eq!(read(TABLE.trim_end()).unwrap(), plain);
    assert_eq!(
        read([gzip(b"name,size\na,1.5"), gzip(b"\nb,2\n")].concat()).unwrap(),
        plain
    );
    // One raw block in one frame, written by hand: magic, one-segment descriptor, size, block header, content.
    let mut zstd = vec![
        0x28,
        0xb5,
        0x2f,
        0xfd,
        0x20,
        u8::try_from(TABLE.len()).unwrap(),
    ];
    zstd.extend([(u8::try_from(TABLE.len()).unwrap() << 3) | 1, 0, 0]);
    zstd.extend(TABLE.as_bytes());
    assert_eq!(read(zstd).unwrap(), plain);
    let german = Format::new(None, true).unwrap();
    assert_eq!(read_as("name;size\na;1,5\nb;2\n", german).unwrap(), plain);
    let tabs = Format::new(Some("tab"), false).unwrap();
    assert_eq!(read_as(TABLE.replace(',', "\t"), tabs).unwrap(), plain);
}

#[test]
fn what_is_no_table_is_called_by_its_name() {
    let cut = {
        let mut all = gzip(TABLE.repeat(500).as_bytes());
        all.truncate(all.len() / 2);
        all
    };
    for (bytes, words) in [
        (Vec::new(), "f.csv: is empty"),
        (b"\n\n".to_vec(), "f.csv: is empty"),
        (b"PK\x03\x04rest".to_vec(), "zip archive"),
        (b"BZh91AY".to_vec(), "bzip2"),
        (b"\xfd7zXZ\x00".to_vec(), "xz"),
        (b"PAR1....".to_vec(), "Parquet"),
        (b"\xff\xfen\x00".to_vec(), "UTF-16"),
        (gzip(&gzip(TABLE.as_bytes())), "packed twice"),
        (gzip(b"PK\x03\x04rest"), "zip archive"),
        (cut, "cut off"),
    ] {
        let error = read(bytes).unwrap_err();
        assert!(
            error.starts_with("f.csv") && error.contains(words),
            "{error}"
        );
    }
}

#[test]
fn complaints_name_line_and_column() {
    for (text, expected) in [
        (
            "name,size\na,-1\n",
            "f.csv:2: column \"size\": \"-1\" is negative",
        ),
        (
            "name,size\n\na,1\nb,x\n",
            "f.csv:4: column \"size\": \"x\" is not a number",
        ),
        (
            "name,size\n\"a\nb\",1\nc,\n",
            "f.csv:4: column \"size\": is empty",
        ),
        (
            "name,size\na\n",
            "f.csv:2: has 1 fields where the header has 2 (column \"size\" is missing)",
        ),
        (
            "name,weight\na,1\n",
            "f.csv:1: no column \"size\" for sizes (the header has \"name\", \"weight\")",
        ),
        (
            "name;size\na;1\n",
            "f.csv:1: no column \"name\" for names (the header has \"name;size\"); the separator looks like a semicolon",
        ),
        (
            "name,size\na,1\n\"b,2\nc,3\nd,4\n",
            "f.csv:3: a quotation mark that opens here is never closed",
        ),
        (
            "size,name,size\n1,a,1\n",
            "f.csv:1: two columns are called \"size\"",
        ),
    ] {
        let error = read(text).unwrap_err();
        assert!(error.starts_with(expected), "{error}");
    }
    let mut latin = TABLE.as_bytes().to_vec();
    latin[16] = 0xe9;
    let error = read(latin).unwrap_err();
    assert!(
        error.starts_with("f.csv:3: column \"name\": is not UTF-8"),
        "{error}"
    );
}

#[test]
fn a_list_may_have_a_heading() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("d.txt");
    let list = |content: &str| -> Result<Vec<f64>, SheetError> {
        std::fs::write(&path, content).unwrap();
        let mut sheet = Sheet::open(&path, Format::default())?.into_list()?;
        let mut values = Vec::new();
        while let Some(row) = sheet.next_row()? {
            values.push(row.number(0, Domain::Any)?);
        }
        Ok(values)
    };
    assert_eq!(list("demand\n3\n\n0\n").unwrap(), [3.0, 0.0]);
    assert_eq!(list("3\r\n0\r\n").unwrap(), [3.0, 0.0]);
    assert!(list("3,4\n").unwrap_err().to_string().contains("2 fields"));
    assert!(list("3\n4,5\n").unwrap_err().to_string().contains(":2: "));
}
